"""A whole load whose lines are made of rows while they are sent. Where the rows come from is for the subclasses."""

from __future__ import annotations

import contextlib
import itertools
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.operators._load import MicsLoad

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.bulk.block import Block
    from airflow_provider_mics.bulk.dead_letters import DeadLetters
    from airflow_provider_mics.bulk.problem_report import ProblemReport
    from airflow_provider_mics.bulk.row_sources import RowSource
    from airflow_provider_mics.bulk.upload import Uploader
    from airflow_provider_mics.operators._ledger import Sending


class MicsRowsLoad(MicsLoad):
    """Base of the operators that load rows.

    Rows are read, encoded, checked and cut into parts while earlier parts are being uploaded. In memory are a few
    thousand rows at most; on disk, in a private folder of the worker, the parts that are being sent and the next one.

    Parts that are in stay in, whatever becomes of those behind them; the error then names their executions. A retry
    reads the rows again, and does not send the parts again that are as they were; if one is not, USER_ACTIVITY stops,
    and the other document types are sent as a new load.

    :param max_part_bytes: Largest part, in bytes.
    :param parallel_uploads: Parts under way at the same time.
    :param preflight: ``fail``: lines are checked by the rules of the document type while they are made, and the first
        bad one ends the load; ``dead_letter``: the bad ones are put aside and the others sent; ``off``: they are sent
        as they are. A row of which no line can be made ends the load in each case.
    :param dead_letter_path: Where bad lines are put aside, as for ``MicsUploadFileOperator``; their numbers are those
        of their rows.
    :param max_deletions: Most lines that may delete something; the first one beyond ends the load. None: any number.
    """

    #: Where bad lines are put aside while rows are sent.
    _dead_letters: DeadLetters | None = None
    #: Where all problems of rows are written.
    _problem_report: ProblemReport | None = None

    @property
    @abstractmethod
    def rows_name(self) -> str:
        """What the rows are called in messages."""

    @abstractmethod
    def blocks(self, document_import: DocumentImport) -> Generator[Block]:
        """Make the lines. What it opens, it closes when it is closed."""

    def execute(self, context: Context) -> dict[str, Any] | None:
        """Load the rows."""
        if self.mime_type != MimeType.NDJSON:
            raise MicsConfigurationError(
                f"Rows are loaded as {MimeType.NDJSON}, one JSON object for each, not as {self.mime_type}.",
                hint="Leave mime_type out.",
            )
        from airflow_provider_mics.operators._sending import check_preflight

        check_preflight(self.preflight, self.dead_letter_path, self.max_deletions, self.max_part_bytes)
        return super().execute(context)

    def send(self, document_import: DocumentImport, uploader: Uploader) -> Sending:
        """Send the rows."""
        from airflow_provider_mics.bulk.spool import Spool
        from airflow_provider_mics.operators._sending import open_dead_letters, open_problem_report

        with (
            open_dead_letters(self.preflight, self.dead_letter_path) as self._dead_letters,
            open_problem_report(self.report_path, document_import) as self._problem_report,
            Spool(self.rows_name, self.max_part_bytes) as spool,
            contextlib.closing(self.blocks(document_import)) as blocks,
        ):
            sent = uploader.send_all(spool.parts(blocks), parallel_uploads=self.parallel_uploads, on_sent=spool.discard)
        return sent, self._dead_letters.summary() if self._dead_letters else None

    def lines_of(self, rows: Iterable[Any], document_import: DocumentImport, *, source: str) -> Iterator[Block]:
        """Make lines of dicts and structs, strictly."""
        from airflow_provider_mics.bulk.rows import encode_rows

        blocks = encode_rows(rows, source=source, max_line_bytes=self.max_part_bytes)
        return self._checked(blocks, document_import, source)

    def mapped_lines_of(
        self, rows: RowSource, command: Mapping[str, Any], document_import: DocumentImport
    ) -> Iterator[Block]:
        """Make lines of rows with columns."""
        from airflow_provider_mics.bulk.mapping import CommandMapping
        from airflow_provider_mics.bulk.rows import encode_rows

        if not rows.columns:
            return iter(())
        mapping = CommandMapping(command).bind(rows.columns, rows.name)
        # A loop over the chunks would keep the last one while the next one comes.
        commands = itertools.chain.from_iterable(map(mapping.commands, rows.chunks(mapping.wanted)))
        # The mapping's conversions have done the checks of values.
        blocks = encode_rows(commands, source=rows.name, max_line_bytes=self.max_part_bytes, are_checked=True)
        return self._checked(blocks, document_import, rows.name)

    def _checked(self, blocks: Iterator[Block], document_import: DocumentImport, source: str) -> Iterator[Block]:
        if self.preflight == "off":
            return blocks
        from airflow_provider_mics.bulk.row_checks import check_lines, put_aside_bad_lines

        how: dict[str, Any] = {
            "document_type": document_import.document_type,
            "source": source,
            "max_line_bytes": self.max_part_bytes,
            "max_deletions": self.max_deletions,
            "report": self._problem_report,
        }
        if self._dead_letters:
            return put_aside_bad_lines(blocks, dead_letters=self._dead_letters, **how)
        return check_lines(blocks, **how)
