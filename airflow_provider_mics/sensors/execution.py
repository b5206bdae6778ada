"""Sensor that waits for executions and judges the load."""

from __future__ import annotations

import dataclasses
import math
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSensorTimeout, BaseSensorOperator, PokeReturnValue, conf

from airflow_provider_mics.exceptions import MicsError
from airflow_provider_mics.operators._task import MicsTask, flat_ids, handed_over, put_aside, report_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context, XComArg

    from airflow_provider_mics.api.models import Execution
    from airflow_provider_mics.bulk.watch import Watch


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
    :param timeout: Time after which waiting ends, in s. Executions go on at the platform.
    :param mics_conn_id: The Airflow connection.
    :param datamart_id: The datamart; None: the connection's.
    :raises MicsRejectedLinesError: More lines were rejected than allowed; the message says how many and why.
    :raises MicsExecutionFailedError: An execution did not run to its end.
    :raises MicsCountMismatchError: Some lines are neither accepted nor rejected.
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

    def __init__(
        self,
        *,
        document_import_id: str | XComArg,
        execution_ids: str | Sequence[str] | XComArg | None = None,
        max_rejected: int | str | None = 0,
        max_rejected_ratio: float | str | None = None,
        report_path: str | None = None,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.document_import_id: Any = document_import_id
        self.execution_ids: Any = execution_ids
        self.max_rejected = max_rejected
        self.max_rejected_ratio = max_rejected_ratio
        self.report_path = report_path
        self.deferrable = deferrable

    def execute(self, context: Context) -> dict[str, Any] | None:
        """Look once; then wait in the triggerer, or here."""
        self.link_to(context, self.document_import_id)
        if not self.deferrable:
            summary: dict[str, Any] | None = super().execute(context)
            return summary
        from airflow_provider_mics.operators._waiting import deferral

        watch = dataclasses.replace(self._watch, deadline=time.time() + self.timeout)
        if first := self.poke(context):
            return first.xcom_value
        self.defer(**deferral(watch, self.hook, self.poke_interval))
        return None

    def poke(self, context: Context) -> PokeReturnValue:
        """Look at the executions, and judge them if they have ended."""
        from airflow_provider_mics.bulk.watch import Step
        from airflow_provider_mics.operators._waiting import Waited

        try:
            found = self.hook.run(self._watch.look(self.hook.datamart_id))
        except MicsError as error:
            step = self._watch.failed(error, time.time())
            if step is Step.GIVE_UP:
                raise Waited(step, self.document_import_id, None, str(error)).not_seen_through() from None
            return PokeReturnValue(is_done=False)
        if self._watch.saw(found.values(), time.time()) is not Step.ENDED:
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=True, xcom_value=self._conclude(context, found))

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Judge the load, on a worker, when the trigger has seen its end."""
        from airflow_provider_mics.bulk.watch import Step
        from airflow_provider_mics.operators._waiting import Waited

        self.link_to(context, self.document_import_id)
        waited = Waited.read(event)
        if waited.step is Step.TIMEOUT:
            raise AirflowSensorTimeout(str(waited.not_seen_through()))
        if waited.step is not Step.ENDED:
            raise waited.not_seen_through()
        return self._conclude(context, self.hook.run(self._watch.look(self.hook.datamart_id)))

    @cached_property
    def _watch(self) -> Watch:
        from airflow_provider_mics.bulk.watch import MAX_REFUSALS, Watch

        # The base class keeps the time itself. In reschedule mode every look is a new process, which cannot count.
        return Watch(
            document_import_id=str(self.document_import_id),
            execution_ids=flat_ids(self.execution_ids),
            deadline=math.inf,
            max_refusals=1 if self.reschedule else MAX_REFUSALS,
        )

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
