"""Sending the parts of a load, several at a time."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import logging
import time
from typing import TYPE_CHECKING

from airflow_provider_mics.api import executions
from airflow_provider_mics.api.constants import DEFAULT_LIST_LAG_S
from airflow_provider_mics.api.conversation import Pause
from airflow_provider_mics.bulk.cancel import cancel
from airflow_provider_mics.bulk.counted import by_count, counted
from airflow_provider_mics.bulk.delivery import SourceChangedError, Target, deliver, prepare
from airflow_provider_mics.bulk.gate import SharedGate
from airflow_provider_mics.bulk.ledger import Ledger
from airflow_provider_mics.bulk.look_ahead import LookAhead
from airflow_provider_mics.bulk.state_store import MemoryStore
from airflow_provider_mics.exceptions import (
    MicsConfigurationError,
    MicsError,
    MicsLoadError,
    MicsUploadError,
    MicsWaitError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from airflow_provider_mics.api.client import MicsClient
    from airflow_provider_mics.api.conversation import Conversation
    from airflow_provider_mics.api.models import DocumentImport, Execution, Page
    from airflow_provider_mics.bulk.delivery import Job
    from airflow_provider_mics.bulk.early_verdict import EarlyVerdict
    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.parts import Part
    from airflow_provider_mics.bulk.sent_part import SentPart

log = logging.getLogger(__name__)


class Uploader:
    """Sends the parts of one load to its document import.

    :param ledger: What the load has done so far; None: nothing, and no later try will want to know.
    :param list_lag_s: How long the list of executions may lag behind, in s.
    :param early_verdict: Judges the load while it is being sent; None: nobody does.
    """

    def __init__(
        self,
        client: MicsClient,
        datamart_id: str,
        document_import: DocumentImport,
        *,
        ledger: Ledger | None = None,
        list_lag_s: float = DEFAULT_LIST_LAG_S,
        early_verdict: EarlyVerdict | None = None,
    ) -> None:
        self._client = client
        self._early_verdict = early_verdict
        self._target = Target(
            datamart_id=datamart_id,
            document_import=document_import,
            ledger=ledger or Ledger.open(MemoryStore(), generation=0),
            list_lag_s=list_lag_s,
            began=time.time(),
            now=time.time,
            gate=SharedGate(),
        )
        self._canceled: frozenset[str] = frozenset()
        self._has_begun = False

    def recall(self) -> list[SentPart] | None:
        """Return what earlier tries have sent, if that is known to be the whole load and none was cancelled since."""
        ledger = self._target.ledger
        if ledger.load.parts is None:
            return None
        self._begin()
        records = [record for record in ledger.parts() if record.execution_id not in {None, *self._canceled}]
        return [record.sent() for record in records] if len(records) == ledger.load.parts else None

    def send(self, part: Part, file: SourceFile) -> SentPart:
        """Send the only part of a load, and return the execution it became."""
        self._begin()
        return self._deliver(prepare(self._target, 1, part, file, self._canceled))

    def send_all(
        self,
        parts: Iterable[tuple[Part, SourceFile]],
        *,
        parallel_uploads: int,
        on_sent: Callable[[SourceFile], None] = lambda _: None,
    ) -> list[SentPart]:
        """Send parts and return what they became, in the order of the parts.

        Those that an earlier try of the same load has sent are not sent again.

        :param parts: Taken one by one, when there is a place for one more; one is made ready while there is none.
        :param parallel_uploads: Parts under way at the same time; each holds one block of its file in memory.
        :param on_sent: Called with the file of each part that is in.
        :raises MicsUploadError: One could not be sent. Those under way were waited for, and no other was begun.
        :raises SourceChangedError: The parts are not those that an earlier try has begun to send.
        """
        if parallel_uploads < 1:
            raise MicsConfigurationError(f"parallel_uploads must be at least 1, not {parallel_uploads}.")
        ahead = LookAhead(parts)
        course = _Course(waiting=self._jobs(ahead), places=parallel_uploads)
        pool = concurrent.futures.ThreadPoolExecutor(parallel_uploads, thread_name_prefix="mics-upload")
        try:
            while self._begin_more(course, pool):
                if not course.failed:
                    ahead.fetch()
                done, _ = concurrent.futures.wait(course.under_way, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    job = course.under_way.pop(future)
                    try:
                        course.sent[job.index] = future.result()
                    except MicsError as error:
                        course.failed[job.index] = _PartError(job.part, error)
                    else:
                        on_sent(job.file)
        except BaseException:
            # A timeout of Airflow's ends the task before its process. What that went on sending would come in behind
            # the back of the next try.
            self._target.is_stopped.set()
            raise
        finally:
            # Without waiting: where the task is being killed, nobody would.
            pool.shutdown(wait=False, cancel_futures=True)
        if course.failed:
            first = course.failed[min(course.failed)]
            if isinstance(first, MicsLoadError):
                raise self._ended_early(first, course.sent)
            raise _upload_error(course.sent, course.failed)
        return [course.sent[index] for index in sorted(course.sent)]

    def _begin_more(self, course: _Course, pool: concurrent.futures.ThreadPoolExecutor) -> bool:
        """Begin as many parts as there are places for, and return whether any is under way."""
        while not course.failed and len(course.under_way) < course.places:
            index = len(course.sent) + len(course.under_way) + 1
            if course.under_way and self._early_verdict and self._early_verdict.waits_for_all(index):
                break
            try:
                self._judge_before(index, course.sent)
                job = next(course.waiting, None)
            except Exception as error:  # noqa: BLE001 - raised when those under way are in
                # What comes next cannot be read, or must not be sent.
                course.failed[index] = error
                break
            if job is None:
                break
            course.under_way[pool.submit(self._deliver, job)] = job
        return bool(course.under_way)

    def _judge_before(self, index: int, sent: Mapping[int, SentPart]) -> None:
        if self._early_verdict and sent:
            self._early_verdict.before(index, sent, self._client, self._target.datamart_id, self._import_id)

    def _ended_early(self, error: MicsLoadError, sent: Mapping[int, SentPart]) -> MicsLoadError:
        """Cancel what is pending of a load that is not gone on with, and return the error with what became of it."""
        execution_ids = [part.execution_id for part in sent.values()]
        try:
            found = self._client.run(cancel(self._target.datamart_id, self._import_id, execution_ids))
        except MicsError as refusal:
            told = f"{counted(len(sent), 'part')} had been sent; not everything pending could be cancelled: {refusal}"
        else:
            canceled = [execution.execution_id for execution in found.values() if execution.is_canceled]
            told = f"{counted(len(sent), 'part')} had been sent; cancelled, as still pending: {len(canceled)}."
        error.args = (f"{error} {told}",)
        return error

    def _jobs(self, parts: Iterable[tuple[Part, SourceFile]]) -> Iterator[Job]:
        """Prepare parts one by one, in their order."""
        index = 0
        for index, (part, file) in enumerate(parts, start=1):
            if index == 1:
                self._begin()
            yield prepare(self._target, index, part, file, self._canceled)
        if self._target.ledger.part(index + 1):
            raise SourceChangedError(
                f"The source gives only {counted(index, 'part')} now; "
                "an earlier try of this task has begun to send more."
            )

    def _begin(self) -> None:
        """Note what is in the import before the first part, and find out what of an earlier try was cancelled."""
        if self._has_begun:
            return
        self._has_begun = True
        ledger, datamart_id, import_id = self._target.ledger, self._target.datamart_id, self._import_id
        if ledger.load.document_import_id not in {None, import_id}:
            raise SourceChangedError(
                f"An earlier try of this task has sent into document import {ledger.load.document_import_id}, not "
                f"{import_id}."
            )
        ids = [record.execution_id for record in ledger.parts() if record.execution_id]
        if ids:
            found = self._client.run(executions.read_some(datamart_id, import_id, ids))
            self._canceled = frozenset(item.execution_id for item in found.values() if item.is_canceled)
        if ledger.load.listed_before is None:
            listed: list[Any] = []
            oldest = None
            # What an earlier try has sent, of which nothing is written down, is not to be taken for another's.
            if not (ledger.load.made_import or ledger.is_blind):
                page = self._client.run(self._look_around())
                listed = list(page.items)
                if page.total is None or page.total > len(listed):
                    oldest = min((item.creation_date for item in listed if item.creation_date), default=None)
            ledger.note(
                document_import_id=import_id,
                listed_before=tuple(item.execution_id for item in listed),
                oldest_listed=oldest,
            )

    def _look_around(self) -> Conversation[Page[Execution]]:
        """Return the newest executions in the import."""
        if self._target.ledger.leaves_doubt(self._import_id):
            # Listed now, what an earlier load has sent without knowing it cannot be taken for this one's later.
            yield Pause(self._target.list_lag_s)
        page: Page[Execution] = yield executions.find(self._target.datamart_id, self._import_id)
        return page

    @property
    def _import_id(self) -> str:
        return str(self._target.document_import.id)

    def _deliver(self, job: Job) -> SentPart:
        return self._client.run(deliver(self._target, job))


@dataclasses.dataclass(kw_only=True)
class _Course:
    """How far the sending of a load has come; parts by their places in it, from 1."""

    waiting: Iterator[Job]
    places: int
    sent: dict[int, SentPart] = dataclasses.field(default_factory=dict)
    failed: dict[int, Exception] = dataclasses.field(default_factory=dict)
    under_way: dict[concurrent.futures.Future[SentPart], Job] = dataclasses.field(default_factory=dict)


class _PartError(MicsError):
    """A part could not be sent."""

    def __init__(self, part: Part, error: MicsError) -> None:
        super().__init__(f"{part} could not be sent. {error}")
        self.is_all_there_is = part.of == 1
        self.error = error
        self.retryable = error.retryable


def _upload_error(sent: Mapping[int, SentPart], failed: Mapping[int, Exception]) -> Exception:
    error = failed[min(failed)]
    if isinstance(error, SourceChangedError | MicsWaitError):
        return error
    if not sent and len(failed) == 1:
        # Nothing is in: the error itself says all.
        if not isinstance(error, _PartError):
            return error
        if error.is_all_there_is:
            return error.error
    execution_ids = [sent[index].execution_id for index in sorted(sent)]
    are_in = "No other is in."
    if sent:
        count = len(sent)
        which = counted(count, "other part") if isinstance(error, _PartError) else f"{counted(count, 'part')} before"
        named = f"{by_count(count, 'execution', 'executions')} {', '.join(execution_ids)}"
        are_in = f"{which} {by_count(count, 'is', 'are')} in, as {named}."
    if isinstance(error, MicsError):
        return MicsUploadError(f"{error} {are_in}", execution_ids=execution_ids, retryable=error.retryable)
    # What a user's own code raises stays what it is: Airflow may know it.
    error.add_note(are_in)
    return error
