"""A whole load in one task: document import, sending, waiting, verdict. What is sent is for the subclasses."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import AirflowSkipException, conf

from airflow_provider_mics.api.constants import DEFAULT_MAX_PART_BYTES, REPEATABLE_DOCUMENT_TYPES
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsError, MicsSourceError, MicsUploadError
from airflow_provider_mics.operators._definition import DefinesDocumentImport
from airflow_provider_mics.operators._task import hand_over, handed_over, put_aside, report_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_mics.api.models import DocumentImport, Execution
    from airflow_provider_mics.bulk.upload import SentPart
    from airflow_provider_mics.bulk.watch import Watch
    from airflow_provider_mics.operators._sending import Preflight

OnEmpty = Literal["skip", "succeed", "fail"]


class MicsLoad(DefinesDocumentImport):
    """Base of the operators that do a whole load in one task.

    Arguments mean what they mean for :class:`~airflow_provider_mics.operators.document_import.\
MicsCreateDocumentImportOperator`, :class:`~airflow_provider_mics.operators.upload.MicsUploadFileOperator` and
    :class:`~airflow_provider_mics.sensors.execution.MicsExecutionSensor`.

    :param wait_for_completion: Whether to wait for the executions and judge the load; without, the summary has no
        ``accepted`` and ``rejected``, and the task succeeds whatever becomes of the lines.
    :param deferrable: Whether to wait in the triggerer, where it costs no worker slot.
    :param poke_interval: Time between two looks, in s.
    :param timeout: Time after which waiting ends and the task fails, in s. Executions go on at the platform.
    """

    #: Where ``send`` has put lines aside, and how many, for the summary.
    dead_letter: dict[str, Any] | None = None

    template_fields: Sequence[str] = (
        *DefinesDocumentImport.template_fields,
        "dead_letter_path",
        "max_rejected",
        "max_rejected_ratio",
        "report_path",
    )

    def __init__(
        self,
        *,
        max_part_bytes: int = DEFAULT_MAX_PART_BYTES,
        parallel_uploads: int = 2,
        preflight: Preflight = "fail",
        dead_letter_path: str | None = None,
        max_deletions: int | None = None,
        on_empty: OnEmpty = "skip",
        allow_deletions: bool = False,
        max_rejected: int | str | None = 0,
        max_rejected_ratio: float | str | None = None,
        report_path: str | None = None,
        wait_for_completion: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: float = 60.0,
        timeout: float | dt.timedelta = dt.timedelta(days=1),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_part_bytes = max_part_bytes
        self.parallel_uploads = parallel_uploads
        self.preflight: Preflight = preflight
        self.dead_letter_path = dead_letter_path
        self.max_deletions = max_deletions
        self.on_empty: OnEmpty = on_empty
        self.allow_deletions = allow_deletions
        self.max_rejected = max_rejected
        self.max_rejected_ratio = max_rejected_ratio
        self.report_path = report_path
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poke_interval = poke_interval
        self.timeout_s = timeout.total_seconds() if isinstance(timeout, dt.timedelta) else float(timeout)

    @abstractmethod
    def send(self, document_import: DocumentImport) -> list[SentPart]:
        """Send what there is to send, and return what was sent; nothing, if there is not a single line."""

    def execute(self, context: Context) -> dict[str, Any] | None:
        """Create, send, and wait here or in the triggerer."""
        from airflow_provider_mics.bulk.outcome import conclude, load_summary
        from airflow_provider_mics.bulk.planning import check_deletions_allowed
        from airflow_provider_mics.bulk.verdict import Limits
        from airflow_provider_mics.bulk.watch import Watch
        from airflow_provider_mics.operators._waiting import deferral

        # What means nothing is found out before anything is sent.
        limits = Limits.of(self.max_rejected, self.max_rejected_ratio)
        check_on_empty(self.on_empty)
        document_import = self.obtain_document_import(context)
        document_import_id = str(document_import.id)
        check_deletions_allowed(document_import, allow_deletions=self.allow_deletions)
        sent = self.send(document_import)
        hand_over(context, sent, self.dead_letter)
        if not sent:
            nothing_to_load(self.on_empty)
        if not self.wait_for_completion:
            return load_summary(document_import, parts=sent, dead_letter=self.dead_letter)
        watch = Watch(
            document_import_id=document_import_id,
            execution_ids=[part.execution_id for part in sent],
            deadline=time.time() + self.timeout_s,
        )
        if self.deferrable and sent:
            self.defer(**deferral(watch, self.hook, self.poke_interval))
        with not_sent_again(self.document_type, watch.execution_ids or ()):
            return conclude(
                document_import,
                self._wait(watch),
                parts=sent,
                limits=limits,
                dead_letter=self.dead_letter,
                report=report_to(self.report_path, self.hook),
            )

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Judge the load, on a worker, when the trigger has seen its end."""
        from airflow_provider_mics.api import executions
        from airflow_provider_mics.bulk.outcome import conclude
        from airflow_provider_mics.bulk.verdict import Limits
        from airflow_provider_mics.bulk.watch import Step
        from airflow_provider_mics.operators._waiting import Waited

        with not_sent_again(self.document_type):
            waited = Waited.read(event)
        execution_ids = waited.execution_ids or ()
        self.link_to(context, waited.document_import_id)
        with not_sent_again(self.document_type, execution_ids):
            if waited.step is not Step.ENDED:
                raise waited.not_seen_through()
            found = self.hook.run(executions.read_some(self.hook.datamart_id, waited.document_import_id, execution_ids))
            return conclude(
                self.hook.get_document_import(waited.document_import_id),
                list(found.values()),
                parts=handed_over(context, [self.task_id], found),
                limits=Limits.of(self.max_rejected, self.max_rejected_ratio),
                dead_letter=put_aside(context, [self.task_id]),
                report=report_to(self.report_path, self.hook),
            )

    def _wait(self, watch: Watch) -> list[Execution]:
        from airflow_provider_mics.bulk.watch import Step
        from airflow_provider_mics.operators._waiting import Waited

        message = ""
        while True:
            try:
                found = self.hook.run(watch.look(self.hook.datamart_id))
            except MicsError as error:
                message = str(error)
                step = watch.failed(error, time.time())
            else:
                step = watch.saw(found.values(), time.time())
                if step is Step.ENDED:
                    return list(found.values())
            if step is not Step.WAIT:
                raise Waited(step, watch.document_import_id, watch.execution_ids, message).not_seen_through()
            time.sleep(watch.pause(self.poke_interval, time.time()))


@contextlib.contextmanager
def not_sent_again(document_type: str, execution_ids: Sequence[str] = ()) -> Iterator[None]:
    """Let no failure behind the upload lead to another try where that would count lines twice: it sends all again.

    :param execution_ids: What is in.
    :raises MicsUploadError: In place of an error that is for another try.
    """
    try:
        yield
    except MicsError as error:
        if document_type in REPEATABLE_DOCUMENT_TYPES or not error.retryable:
            raise
        raise MicsUploadError(
            str(error),
            execution_ids=list(execution_ids),
            retryable=False,
            hint=f"The lines were sent, and {document_type} lines count again each time: do not clear this task, but "
            "wait for the document import with a MicsExecutionSensor.",
        ) from None


def check_on_empty(on_empty: str) -> None:
    """Refuse a word that means nothing."""
    if on_empty not in {"skip", "succeed", "fail"}:
        raise MicsConfigurationError(f"on_empty must be skip, succeed or fail, not {on_empty!r}.")


def nothing_to_load(on_empty: OnEmpty) -> None:
    """Do what a task does that has not a single line to load: skip, fail, or go on."""
    nothing = "There is nothing to load: not a single line."
    if on_empty == "skip":
        raise AirflowSkipException(nothing)
    if on_empty == "fail":
        raise MicsSourceError(nothing, hint='With on_empty="skip" or "succeed" that would be no failure.')
