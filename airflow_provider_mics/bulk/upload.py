"""Sending the parts of a load, several at a time."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import logging
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.api import executions
from airflow_provider_mics.api.constants import REPEATABLE_DOCUMENT_TYPES
from airflow_provider_mics.bulk.body import PartBody
from airflow_provider_mics.exceptions import (
    MicsCallError,
    MicsConfigurationError,
    MicsError,
    MicsReplyError,
    MicsServerError,
    MicsTransportError,
    MicsUploadError,
    Outcome,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_mics.api.client import MicsClient
    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.parts import Part

log = logging.getLogger(__name__)

#: Ranges of a part that are remembered: what was sent is told from task to task, and must stay small.
MAX_RANGES: Final = 1000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SentPart:
    """A part that the platform has accepted.

    :param file: Name of the file it was cut from.
    :param number: Position among the parts of this file, from 1.
    :param lines: Commands in it.
    :param bytes: Size of what was sent.
    :param ranges: Byte offset and length, in the file, of each range of it; None: not known, or no range of the file.
    :param version: The version of the file that they are of.
    """

    execution_id: str
    file: str
    number: int
    lines: int
    bytes: int
    ranges: tuple[tuple[int, int], ...] | None = None
    version: tuple[str, ...] | None = None


class Uploader:
    """Sends parts to one document import."""

    def __init__(self, client: MicsClient, datamart_id: str, document_import: DocumentImport) -> None:
        self._client = client
        self._datamart_id = datamart_id
        self._document_import = document_import
        self._may_repeat_lines = document_import.document_type in REPEATABLE_DOCUMENT_TYPES

    def send(self, part: Part, file: SourceFile) -> SentPart:
        """Send one part, and return the execution it became."""
        bodies: list[PartBody] = []

        def open_body() -> PartBody:
            bodies.append(PartBody(file, part))
            return bodies[-1]

        upload = executions.upload(
            self._datamart_id,
            str(self._document_import.id),
            mime_type=self._document_import.mime_type,
            open_body=open_body,
        )
        try:
            execution = self._client.send(upload)
        except MicsCallError as error:
            if self._may_repeat_lines or not _may_have_arrived(error):
                raise
            raise MicsUploadError(
                f"{part} may have arrived, or not. {error}",
                execution_ids=[],
                retryable=False,
                hint=f"Lines of {self._document_import.document_type} count again each time they are sent: look at the "
                "document import in Navigator before you clear this task.",
            ) from None
        # A part that was cut while its source was read is in a file of its own, which goes when it is in.
        is_of_file = part.of is not None and len(part.ranges) <= MAX_RANGES
        sent = SentPart(
            execution_id=execution.execution_id,
            file=part.file,
            number=part.number,
            lines=bodies[-1].lines,
            bytes=part.size,
            ranges=part.ranges if is_of_file else None,
            version=tuple(file.version) if is_of_file else None,
        )
        log.info(
            "Sent %s: %d lines, %d bytes, execution %s of document import %s",
            part,
            sent.lines,
            sent.bytes,
            sent.execution_id,
            self._document_import.id,
        )
        return sent

    def send_all(
        self,
        parts: Iterable[tuple[Part, SourceFile]],
        *,
        parallel_uploads: int,
        on_sent: Callable[[SourceFile], None] = lambda _: None,
    ) -> list[SentPart]:
        """Send parts and return what they became, in the order of the parts.

        :param parts: Taken one by one, when there is a place for one more.
        :param parallel_uploads: Parts under way at the same time; each holds one block of its file in memory.
        :param on_sent: Called with the file of each part that is in.
        :raises MicsUploadError: One could not be sent. Those under way were waited for, and no other was begun.
        """
        if parallel_uploads < 1:
            raise MicsConfigurationError(f"parallel_uploads must be at least 1, not {parallel_uploads}.")
        sent: dict[int, SentPart] = {}
        failed: dict[int, MicsError] = {}
        waiting = enumerate(parts)
        pool = concurrent.futures.ThreadPoolExecutor(parallel_uploads, thread_name_prefix="mics-upload")
        try:
            under_way: dict[concurrent.futures.Future[SentPart], tuple[int, Part, SourceFile]] = {}
            while True:
                while not failed and len(under_way) < parallel_uploads:
                    try:
                        following = next(waiting, None)
                    except MicsError as error:
                        # What comes next cannot be read, or must not be sent.
                        failed[len(sent) + len(under_way)] = error
                        break
                    if following is None:
                        break
                    index, (part, file) = following
                    under_way[pool.submit(self.send, part, file)] = (index, part, file)
                if not under_way:
                    break
                done, _ = concurrent.futures.wait(under_way, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    index, part, file = under_way.pop(future)
                    try:
                        sent[index] = future.result()
                    except MicsError as error:
                        failed[index] = _PartError(part, error)
                    else:
                        on_sent(file)
        finally:
            # Without waiting: where the task is being killed, nobody would.
            pool.shutdown(wait=False, cancel_futures=True)
        if failed:
            raise _upload_error(sent, failed, may_repeat_lines=self._may_repeat_lines)
        return [sent[index] for index in sorted(sent)]


class _PartError(MicsError):
    """A part could not be sent."""

    def __init__(self, part: Part, error: MicsError) -> None:
        super().__init__(f"{part} could not be sent. {error}")
        self.is_all_there_is = part.of == 1
        self.error = error
        self.retryable = error.retryable  # type: ignore[misc]


def _may_have_arrived(error: MicsCallError) -> bool:
    """Return whether the platform can have acted on an upload that failed so."""
    if isinstance(error, MicsTransportError):
        return error.outcome is Outcome.UNKNOWN
    return isinstance(error, MicsServerError | MicsReplyError)


def _upload_error(
    sent: Mapping[int, SentPart], failed: Mapping[int, MicsError], *, may_repeat_lines: bool
) -> MicsError:
    error = failed[min(failed)]
    if not sent and len(failed) == 1:
        # Nothing is in: the error itself says all.
        if not isinstance(error, _PartError):
            return error
        if error.is_all_there_is:
            return error.error
    execution_ids = [sent[index].execution_id for index in sorted(sent)]
    are_in = f"{len(sent)} other parts are in, as executions {', '.join(execution_ids)}." if sent else "No other is in."
    # Another try sends everything again.
    retryable = error.retryable and (may_repeat_lines or not sent)
    return MicsUploadError(f"{error} {are_in}", execution_ids=execution_ids, retryable=retryable)
