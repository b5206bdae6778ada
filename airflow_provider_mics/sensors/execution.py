"""Sensor that waits for executions and judges the load."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowSensorTimeout, BaseSensorOperator, PokeReturnValue, conf

from airflow_provider_mics.operators._task import MicsTask, flat_ids, handed_over, put_aside, report_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context, XComArg

    from airflow_provider_mics.api.models import Execution
    from airflow_provider_mics.bulk.watch import Watch
    from airflow_provider_mics.operators._waiting import LastingWait, Waited


class MicsExecutionSensor(MicsTask, BaseSensorOperator):
    """Waits until executions have ended, and succeeds only if the load is good.

    Good means that every line that was sent is accounted for, over all executions together, and no more of them are
    rejected than allowed; by default none may be. The platform calls an execution SUCCEEDED even if it rejected every
    line of it.

    Where a :class:`~airflow_provider_mics.operators.upload.MicsUploadFileOperator` is directly upstream, the lines it
    sent are what has to be accounted for; else those that the platform says it received.

    Returns the load summary, a dict. On ``timeout`` it raises Airflow's ``AirflowSensorTimeout`` in every mode, as
    sensors do.

    :param document_import_id: The document import, usually ``create.output``.
    :param execution_ids: The executions, usually ``upload.output``; lists in lists are flattened. None: all of the
        import, of which there must be one at least. An empty list is a load of nothing, and good.
    :param max_rejected: Most rejected lines that are tolerated; None: only the ratio counts.
    :param max_rejected_ratio: Most rejected lines that are tolerated, as a share of all, 0 to 1; None: only the number
        counts. Where both are given, exceeding either fails.
    :param report_path: Where a load with rejected lines, good or not, writes its report: JSON, a readable text beside
        it, and the platform's error files in a folder. A path or object-storage URI; what is there is replaced. It may
        hold personal data, and is readable by this user only where the file system can. None: no report.
    :param deferrable: Whether to wait in the triggerer, where it costs no worker slot.
    :param poke_interval: Time between two looks, in s.
    :param timeout: Time after which waiting ends, in s. With Airflow 3.3 and later a retry has what is left of it, in
        every mode; a clear begins anew.
    :param cancel_on_kill: Whether to cancel those of ``execution_ids`` that are still PENDING, the platform cancels no
        others, when this task is killed, running or deferred: marked failed, or its run. A clear, or a worker that
        stops while a retry is left, cancels nothing, as they are waited for again; marked success neither. With
        ``execution_ids=None`` nothing is cancelled: what else is in the import may be anybody's.
    :param cancel_on_timeout: Whether to cancel them at ``timeout`` and at ``execution_timeout``; else they go on at the
        platform.
    :param mics_conn_id: The Airflow connection.
    :param datamart_id: The datamart; None: the connection's.
    :raises MicsRejectedLinesError: More lines were rejected than allowed; the message says how many and why.
    :raises MicsExecutionFailedError: An execution did not run to its end.
    :raises MicsCountMismatchError: Some lines are neither accepted nor rejected.
    :raises MicsExecutionLostError: The platform has lost sight of an execution, and it has not come back.
    :raises MicsWaitError: The executions cannot be looked at, such as with a token that is no longer accepted.
    """

    template_fields: Sequence[str] = (
        "mics_conn_id",
        "datamart_id",
        "document_import_id",
        "execution_ids",
        "max_rejected",
        "max_rejected_ratio",
        "report_path",
    )
    ui_color = MicsTask.ui_color

    # What this process knows of the wait, once it has begun.
    _context: Context | None = None
    _watch: Watch | None = None
    _lasting: LastingWait | None = None

    def __init__(
        self,
        *,
        document_import_id: str | XComArg,
        execution_ids: str | Sequence[str] | XComArg | None = None,
        max_rejected: int | str | None = 0,
        max_rejected_ratio: float | str | None = None,
        report_path: str | None = None,
        cancel_on_kill: bool = True,
        cancel_on_timeout: bool = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.document_import_id: Any = document_import_id
        self.execution_ids: Any = execution_ids
        self.max_rejected = max_rejected
        self.max_rejected_ratio = max_rejected_ratio
        self.report_path = report_path
        self.cancel_on_kill = cancel_on_kill
        self.cancel_on_timeout = cancel_on_timeout
        self.deferrable = deferrable

    def execute(self, context: Context) -> dict[str, Any] | None:
        """Look once; then wait in the triggerer, or here."""
        self.link_to(context, self.document_import_id)
        watch = self._begin(context)
        if not self.deferrable:
            # The base class counts from the beginning of this try; the watch from that of the first.
            self.timeout = math.inf
            summary: dict[str, Any] | None = super().execute(context)
            return summary
        if first := self.poke(context):
            return first.xcom_value
        self._defer(watch)
        return None

    def poke(self, context: Context) -> PokeReturnValue:
        """Look at the executions, and judge them if they have ended."""
        from airflow_provider_mics.bulk.watch import Step
        from airflow_provider_mics.operators._waiting import look

        watch = self._begin(context)
        waited, found = look(self.hook, watch)
        if self.reschedule and self._lasting:
            self._lasting.remember(watch)
        if waited.step is Step.ENDED:
            return PokeReturnValue(is_done=True, xcom_value=self._conclude(context, found))
        if waited.step is not Step.WAIT:
            self._fail(waited)
        return PokeReturnValue(is_done=False)

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Judge the load, on a worker, when the trigger has seen its end."""
        from airflow_provider_mics.bulk.watch import Step
        from airflow_provider_mics.operators._waiting import Waited, look

        self._context = context
        self.link_to(context, self.document_import_id)
        waited = Waited.read(event)
        found: Mapping[str, Execution] = {}
        if waited.step is not Step.GIVE_UP:
            waited, found = look(self.hook, waited.watch)
        if waited.step is Step.WAIT:
            # Another server of the platform's may not know of the end yet, or could not be reached.
            self._defer(waited.watch)
        if waited.step is not Step.ENDED:
            self._fail(waited)
        return self._conclude(context, found)

    def on_kill(self) -> None:
        """Cancel what is PENDING, if nobody waits for it any more."""
        from airflow_provider_mics.operators._killing import cancel_killed

        if self.cancel_on_kill:
            cancel_killed(
                self._context,
                self.hook,
                str(self.document_import_id),
                flat_ids(self.execution_ids),
                cancel_on_clear=False,
                cancel_on_timeout=self.cancel_on_timeout,
            )

    def _begin(self, context: Context) -> Watch:
        """Return what is waited for and until when, as earlier tries have left it."""
        if self._watch:
            return self._watch
        from airflow_provider_mics.bulk.watch import MAX_REFUSALS, Watch
        from airflow_provider_mics.operators._waiting import LastingWait

        self._context = context
        began_at = context["ti"].get_first_reschedule_date(context) if self.reschedule else None
        self._lasting = LastingWait(context, self.timeout, began_at=began_at)
        self._watch = Watch(
            document_import_id=str(self.document_import_id),
            execution_ids=flat_ids(self.execution_ids),
            deadline=self._lasting.deadline,
            # In reschedule mode every look is a new process, which cannot count if nothing lasts.
            max_refusals=1 if self.reschedule and not self._lasting.lasts else MAX_REFUSALS,
        )
        if self.reschedule:
            self._lasting.recall(self._watch)
        return self._watch

    def _defer(self, watch: Watch) -> NoReturn:
        from airflow_provider_mics.operators._waiting import deferral

        self.defer(**deferral(watch, self.hook, self.poke_interval, cancel_on_kill=self.cancel_on_kill))

    def _fail(self, waited: Waited) -> NoReturn:
        from airflow_provider_mics.bulk.watch import Step
        from airflow_provider_mics.operators._killing import cancel_now

        if waited.step is not Step.TIMEOUT:
            raise waited.not_seen_through()
        if self.cancel_on_timeout:
            cancel_now(self.hook, waited.document_import_id, waited.execution_ids)
        raise AirflowSensorTimeout(str(waited.not_seen_through()))

    def _conclude(self, context: Context, found: Mapping[str, Execution]) -> dict[str, Any]:
        from airflow_provider_mics.bulk.outcome import conclude
        from airflow_provider_mics.bulk.verdict import Limits

        return conclude(
            self.hook.get_document_import(self.document_import_id),
            list(found.values()),
            parts=handed_over(context, self.upstream_task_ids, found),
            limits=Limits.of(self.max_rejected, self.max_rejected_ratio),
            dead_letter=put_aside(context, self.upstream_task_ids),
            report=report_to(self.report_path, self.hook),
        )
