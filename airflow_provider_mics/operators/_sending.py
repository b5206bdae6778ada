"""Sending files: find, check, cut, upload. Shared by the operators that load files."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import logging
from typing import TYPE_CHECKING, Any, Literal, Self

from airflow_provider_mics.bulk.counted import counted
from airflow_provider_mics.bulk.dead_letters import DeadLetters
from airflow_provider_mics.bulk.loading import check_encoding, plan_files
from airflow_provider_mics.bulk.problem_report import ProblemReport
from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.operators._task import NO_PATH
from airflow_provider_mics.storage import find_files, open_for_writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.parts import Part
    from airflow_provider_mics.bulk.upload import Uploader
    from airflow_provider_mics.operators._ledger import Sending
    from airflow_provider_mics.operators.import_files import MicsImportFilesOperator
    from airflow_provider_mics.operators.upload import MicsUploadFileOperator

log = logging.getLogger(__name__)

Preflight = Literal["fail", "dead_letter", "off"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FileLoad:
    """What files to send, and how; fields as the arguments of ``MicsUploadFileOperator``."""

    path: Any
    max_part_bytes: int
    parallel_uploads: int
    preflight: Preflight = "fail"
    dead_letter_path: str | None = None
    max_deletions: int | None = None
    report_path: Any = None

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        check_preflight(self.preflight, self.dead_letter_path, self.max_deletions, self.max_part_bytes)
        if self.parallel_uploads < 1:
            raise MicsConfigurationError(f"parallel_uploads must be at least 1, not {self.parallel_uploads}.")

    @classmethod
    def of(cls, task: MicsImportFilesOperator | MicsUploadFileOperator) -> Self:
        """Return what a task says.

        :raises MicsConfigurationError: It means nothing.
        """
        return cls(
            path=task.path,
            max_part_bytes=task.max_part_bytes,
            parallel_uploads=task.parallel_uploads,
            preflight=task.preflight,
            dead_letter_path=task.dead_letter_path,
            max_deletions=task.max_deletions,
            # An upload has none: where it puts lines aside says as much.
            report_path=getattr(task, "report_path", None),
        )


def check_preflight(
    preflight: str, dead_letter_path: str | None, max_deletions: int | None, max_part_bytes: int
) -> None:
    """Refuse arguments that mean nothing.

    :raises MicsConfigurationError: They do not.
    """
    if max_part_bytes < 1:
        raise MicsConfigurationError(f"max_part_bytes must be at least 1, not {max_part_bytes}.")
    if preflight not in {"fail", "dead_letter", "off"}:
        raise MicsConfigurationError(f"preflight must be fail, dead_letter or off, not {preflight!r}.")
    if preflight == "dead_letter" and dead_letter_path in NO_PATH:
        raise MicsConfigurationError('preflight="dead_letter" needs a dead_letter_path.')
    if preflight == "off" and max_deletions is not None:
        raise MicsConfigurationError('max_deletions needs the lines to be read: not with preflight="off".')


@contextlib.contextmanager
def open_dead_letters(preflight: str, dead_letter_path: str | None) -> Iterator[DeadLetters | None]:
    """Give where bad lines are put aside, if they shall be; its file is closed behind the ``with`` block."""
    if preflight != "dead_letter":
        yield None
        return
    path = str(dead_letter_path)
    with DeadLetters(path, lambda: open_for_writing(path)) as dead_letters:
        yield dead_letters


@contextlib.contextmanager
def open_problem_report(report_path: Any, document_import: DocumentImport) -> Iterator[ProblemReport | None]:
    """Give where all problems of lines are written, if they shall be; it is finished behind the ``with`` block.

    :param report_path: As for ``report_to``.
    """
    if report_path in NO_PATH:
        yield None
        return
    with ProblemReport(str(report_path), open_for_writing, document_import) as report:
        yield report


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReadyFiles:
    """Files that are found, checked and cut, as far as that is done before anything is sent.

    :param parts: All parts. The first of them has been cut, so that it is known whether there is one.
    :param discard: To be called with the file of each part that is in.
    """

    load: FileLoad
    parts: Iterator[tuple[Part, SourceFile]]
    discard: Callable[[SourceFile], None]
    is_empty: bool
    dead_letters: DeadLetters | None

    def send(self, uploader: Uploader, document_import: DocumentImport) -> Sending:
        """Send them, once.

        :raises MicsConfigurationError: The document import, which was there already, is of another encoding.
        """
        if self.load.preflight != "off":
            check_encoding(document_import.encoding)
        sent = uploader.send_all(self.parts, parallel_uploads=self.load.parallel_uploads, on_sent=self.discard)
        return sent, self.dead_letters.summary() if self.dead_letters else None


@contextlib.contextmanager
def ready_files(load: FileLoad, document_import: DocumentImport) -> Iterator[ReadyFiles]:
    """Find, check and cut files; they can be sent inside the ``with`` block.

    :param document_import: Where they will go, which need not be there yet.
    :raises MicsSourceError: One cannot be read.
    :raises MicsInputError: They cannot be sent as they are.
    """
    with contextlib.ExitStack() as stack:
        dead_letters = stack.enter_context(open_dead_letters(load.preflight, load.dead_letter_path))
        report = stack.enter_context(open_problem_report(load.report_path, document_import))
        plan = plan_files(
            find_files(load.path),
            document_type=document_import.document_type,
            mime_type=document_import.mime_type,
            encoding=document_import.encoding,
            is_checked=load.preflight != "off",
            max_part_bytes=load.max_part_bytes,
            dead_letters=dead_letters,
            max_deletions=load.max_deletions,
            report=report,
            goes_on=True,
        )
        if plan.is_checked:
            # Nothing is sent before all that was found is written.
            stack.close()
            sizes = [part.size for part, _ in plan.planned]
            log.info(
                "Loading %s: %s planned, %s",
                counted(len(plan.sources), "file"),
                counted(len(sizes), "part"),
                counted(sum(sizes), "byte"),
            )
        else:
            log.info("Loading %s; lines are checked part by part", counted(len(plan.sources), "file"))
        with plan.delivery() as (parts, discard):
            first = list(itertools.islice(parts, 1))
            yield ReadyFiles(
                load=load,
                parts=itertools.chain(first, parts),
                discard=discard,
                is_empty=not first,
                dead_letters=dead_letters,
            )


def send_files(uploader: Uploader, document_import: DocumentImport, load: FileLoad) -> Sending:
    """Find, check, cut and send files."""
    with ready_files(load, document_import) as ready:
        return ready.send(uploader, document_import)
