"""Sending one part so that it is in once: what to do before the request, and when nobody knows what became of it.

Nothing here does I/O or waits: :func:`deliver` yields calls and pauses, and writes to the ledger.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
from typing import TYPE_CHECKING, Final

import msgspec

from airflow_provider_mics.api import executions
from airflow_provider_mics.api.constants import REPEATABLE_DOCUMENT_TYPES
from airflow_provider_mics.api.repeat import is_outcome_open
from airflow_provider_mics.bulk.adoption import PICK_UP_FACTOR, Sought, UndecidableError, search
from airflow_provider_mics.bulk.body import PartBody
from airflow_provider_mics.bulk.content import Content, content_of, identity_of
from airflow_provider_mics.bulk.counted import counted
from airflow_provider_mics.bulk.gate import Gate, OpenGate
from airflow_provider_mics.bulk.ledger import PartRecord
from airflow_provider_mics.exceptions import (
    MicsCallError,
    MicsError,
    MicsStateError,
    MicsUploadError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_mics.api.conversation import Conversation
    from airflow_provider_mics.api.models import DocumentImport, Execution
    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.ledger import Ledger
    from airflow_provider_mics.bulk.parts import Part
    from airflow_provider_mics.bulk.sent_part import SentPart

log = logging.getLogger(__name__)

#: How often a part is sent in one try of a task, each time after it was shown absent.
MAX_SENDS: Final = 3
#: Ranges of a part that are remembered: what was sent is told from task to task, and must stay small.
MAX_RANGES: Final = 1000


class SourceChangedError(MicsError):
    """What is to be sent is not what an earlier try has sent in its place."""


class SendingStoppedError(BaseException):
    """Nobody waits for the part any more. Not an error of it, so nothing is concluded from it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where parts go.

    :param list_lag_s: How long the list of executions may lag behind, in s.
    :param began: When this try began, in s since the epoch.
    :param now: Tells the time in s since the epoch.
    :param is_stopped: Set when nobody waits for the parts any more: the rest of one that is on its way is not sent.
    :param left_open: When this try was left without knowing what became of a part, in s since the epoch.
    """

    datamart_id: str
    document_import: DocumentImport
    ledger: Ledger
    list_lag_s: float
    began: float
    now: Callable[[], float]
    gate: Gate = dataclasses.field(default_factory=OpenGate)
    is_stopped: threading.Event = dataclasses.field(default_factory=threading.Event)
    left_open: list[float] = dataclasses.field(default_factory=list)

    @property
    def may_repeat_lines(self) -> bool:
        """Whether the lines may be sent twice without harm."""
        return self.document_import.document_type in REPEATABLE_DOCUMENT_TYPES


@dataclasses.dataclass(slots=True, kw_only=True)
class Job:
    """A part to deliver.

    :param index: Its place in the load, from 1.
    :param may_be_in: Since when nobody knows whether it is in, in s since the epoch; None: it is not.
    """

    index: int
    part: Part
    file: SourceFile
    record: PartRecord
    may_be_in: float | None


def prepare(target: Target, index: int, part: Part, file: SourceFile, canceled: frozenset[str] = frozenset()) -> Job:
    """Compare a part with what the ledger knows of it, and write the intent to send it if it is new.

    Parts must be prepared in their order, as the ledger's records have to be without gaps.

    :param canceled: Executions that were cancelled: the platform does that only before it has taken a line.
    :raises SourceChangedError: An earlier try has sent something else in its place.
    :raises MicsStateError: The intent could not be written. Nothing was sent.
    """
    ledger = target.ledger
    identity = identity_of(part, file)
    known = ledger.part(index)
    if known and known.identity != identity:
        raise SourceChangedError(f"{part} is not what an earlier try of this task has sent in its place.")
    if known and known.execution_id and known.execution_id not in canceled:
        return Job(index=index, part=part, file=file, record=known, may_be_in=None)
    if known and known.is_doubtful:
        return Job(index=index, part=part, file=file, record=known, may_be_in=target.began)
    # A part of rows, or of what a compressed file holds, is in a file of its own, which goes when it is in.
    is_of_file = part.file == file.name and len(part.ranges) <= MAX_RANGES
    intent = PartRecord(
        identity=identity,
        file=part.file,
        number=part.number,
        lines=part.lines,
        bytes=part.size,
        ranges=part.ranges if is_of_file else None,
        version=tuple(file.version) if is_of_file else None,
        times_sent=(known.times_sent if known else 0) + 1,
    )
    ledger.note_part(index, intent)
    may_be_in = target.began if ledger.is_blind and not known else None
    return Job(index=index, part=part, file=file, record=intent, may_be_in=may_be_in)


def deliver(target: Target, job: Job) -> Conversation[SentPart]:
    """Send a part, or find it where it is.

    :raises MicsUploadError: It may be in, and it could not be found out.
    :raises MicsCallError: It was refused, or never left.
    :raises MicsSourceError: Its file has changed.
    """
    if job.record.execution_id:
        log.info("%s is in already, as execution %s.", job.part, job.record.execution_id)
        return job.record.sent()
    content: Content | None = None
    error: MicsCallError | None = None
    for _ in range(MAX_SENDS):
        if job.may_be_in is not None:
            with target.gate.searching():
                content = content or content_of(job.part, job.file)
                found = yield from _look_for(target, job, content)
                if found:
                    log.warning("%s is in, as execution %s: it was found there.", job.part, found.execution_id)
                    return _note_sent(target, job, found, content.commands or 0)
            log.warning("%s is not in: it is sent.", job.part)
        error = yield from _send(target, job, content.digest if content else None)
        if error is None:
            return job.record.sent()
        log.warning("%s may be in or not: it is looked for. %s", job.part, error)
    raise MicsUploadError(
        f"{job.part} may be in or not. {error}",
        execution_ids=[],
        retryable=True,
        hint="Another try of this task looks for it before it sends it again.",
    )


def _look_for(target: Target, job: Job, content: Content) -> Conversation[Execution | None]:
    # Another part of the same bytes may have been found in this one's execution, and its own not be listed yet.
    since = max([job.may_be_in or target.began, *target.left_open])
    sought = Sought(
        content=content,
        is_candidate=lambda execution: not target.ledger.is_foreign(execution),
        until=since + target.list_lag_s,
        picked_up_until=since + target.list_lag_s * PICK_UP_FACTOR,
    )
    document_import_id = str(target.document_import.id)
    try:
        return (yield from search(target.datamart_id, document_import_id, sought, target.now))
    except UndecidableError as unclear:
        if target.may_repeat_lines:
            log.warning(
                "%s may be in as one of the executions %s, which do not tell. Its lines may be sent twice, so it is "
                "sent again.",
                job.part,
                unclear,
            )
            return None
        raise MicsUploadError(
            f"{job.part} may be in document import {document_import_id} as one of the executions {unclear}, of which "
            "it cannot be told what they hold.",
            execution_ids=unclear.execution_ids,
            retryable=True,
            hint=f"{target.document_import.document_type} lines count again each time they are sent, so it is not sent "
            "again. Another try of this task looks again, and goes on once they can be told apart. A clear would send "
            "the whole load again: if Navigator shows that none of them is this part, load its bytes by themselves.",
        ) from None
    except MicsCallError as error:
        raise MicsUploadError(
            f"{job.part} may be in or not, and could not be looked for. {error}",
            execution_ids=[],
            retryable=error.retryable,
            hint="Another try of this task looks for it before it sends it again.",
        ) from None


class _Body(PartBody):
    """A part on its way, which ends before its last byte once nobody waits for it any more."""

    def __init__(self, file: SourceFile, part: Part, is_stopped: threading.Event) -> None:
        self._is_stopped = is_stopped
        super().__init__(file, part)

    def read(self, size: int = -1, /) -> bytes:
        if self._is_stopped.is_set():
            raise SendingStoppedError
        return super().read(size)


def _send(target: Target, job: Job, digest: str | None) -> Conversation[MicsCallError | None]:
    """Send the part; return the error that leaves its outcome open, if there is one.

    :param digest: What its content is known by, where it was looked for.
    """
    bodies: list[PartBody] = []

    def open_body() -> PartBody:
        bodies.append(_Body(job.file, job.part, target.is_stopped))
        return bodies[-1]

    upload = executions.upload(
        target.datamart_id,
        str(target.document_import.id),
        mime_type=target.document_import.mime_type,
        open_body=open_body,
    )
    with target.gate.sending():
        if job.may_be_in is not None:
            # The first time is in the intent. That it is sent again, and what, must be known later.
            job.record = msgspec.structs.replace(job.record, times_sent=job.record.times_sent + 1, digest=digest)
            target.ledger.note_part(job.index, job.record)
        try:
            execution = yield upload
        except MicsCallError as error:
            if is_outcome_open(error):
                job.may_be_in = target.now()
                target.left_open.append(job.may_be_in)
                return error
            _withdraw(target, job)
            raise
        except MicsError:
            # The body ended before its last byte, so it is no whole request.
            _withdraw(target, job)
            raise
        _note_sent(target, job, execution, bodies[-1].lines)
    log.info(
        "Sent %s: %s, %s, execution %s of document import %s",
        job.part,
        counted(job.record.lines or 0, "line"),
        counted(job.record.bytes, "byte"),
        execution.execution_id,
        target.document_import.id,
    )
    return None


def _note_sent(target: Target, job: Job, execution: Execution, lines: int) -> SentPart:
    job.record = msgspec.structs.replace(job.record, execution_id=execution.execution_id, lines=lines)
    try:
        target.ledger.note_part(job.index, job.record)
    except MicsStateError as error:
        # This try knows it; the next one would look for it.
        log.warning("Execution %s could not be written down. %s", execution.execution_id, error)
    return job.record.sent()


def _withdraw(target: Target, job: Job) -> None:
    with contextlib.suppress(MicsStateError):
        # Not written, the next try would look for it in vain, and then send it.
        target.ledger.note_part(job.index, msgspec.structs.replace(job.record, is_withdrawn=True))


def stop_if_lines_count_again(why: str, document_import: DocumentImport, ledger: Ledger) -> None:
    """Refuse to begin a load anew of which something may be in, where its lines would count again.

    :param why: What is not as an earlier try has left it, a sentence.
    :raises MicsUploadError: They would.
    """
    may_be_in = [record for record in ledger.parts() if not record.is_withdrawn]
    if document_import.document_type in REPEATABLE_DOCUMENT_TYPES or not may_be_in:
        return
    execution_ids = [record.execution_id for record in may_be_in if record.execution_id]
    raise MicsUploadError(
        f"{why} Document import {document_import.id} has executions {', '.join(execution_ids) or 'unknown'} of it.",
        execution_ids=execution_ids,
        retryable=False,
        hint=f"{document_import.document_type} lines count again each time they are sent, so nothing more is sent. "
        "Give the task the source that it had, or load by itself what is missing. A clear sends everything again.",
    ) from None
