"""Trigger that waits for executions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_mics.bulk.watch import Watch
from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.triggers._killing import cancel_killed, undisturbed
from airflow_provider_mics.triggers._sharing import poller_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


#: Time before the first look, in s, if it is not longer anyway. The worker has looked just before it deferred; and a
#: task that is resumed before the scheduler has heard of its deferral is taken for failed, of which Airflow 3.3.2's
#: LocalExecutor tells it up to 5 s late.
FIRST_WAIT_S = 10.0


class MicsExecutionTrigger(BaseTrigger):
    """Waits until executions have ended. It only reads, and may run twice; killing it is another matter.

    Its one event says what it waited for and how that ended, with a ``status`` of
    :class:`~airflow_provider_mics.bulk.watch.Step`; what became of the lines is for the worker to read.

    :param mics_conn_id: The Airflow connection.
    :param datamart_id: The datamart.
    :param document_import_id: The document import.
    :param execution_ids: The executions; None: all of the import.
    :param poke_interval: Longest time between two looks, in s; a tenth more, so that not all look at once.
    :param deadline: When to stop, in s since the epoch.
    :param cancel_on_kill: Whether to cancel the executions when the deferred task is killed: marked failed, or its run.
        Only those named in ``execution_ids``.
    :param cancel_on_clear: Whether to cancel them when it is cleared, too: as it makes others.
    """

    def __init__(
        self,
        *,
        mics_conn_id: str,
        datamart_id: str,
        document_import_id: str,
        execution_ids: list[str] | None,
        poke_interval: float,
        deadline: float,
        cancel_on_kill: bool = False,
        cancel_on_clear: bool = False,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's has no annotations
        self.mics_conn_id = mics_conn_id
        self.datamart_id = datamart_id
        self.document_import_id = document_import_id
        self.execution_ids = execution_ids
        self.poke_interval = poke_interval
        self.deadline = deadline
        self.cancel_on_kill = cancel_on_kill
        self.cancel_on_clear = cancel_on_clear

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments, all plain JSON."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "mics_conn_id": self.mics_conn_id,
                "datamart_id": self.datamart_id,
                "document_import_id": self.document_import_id,
                "execution_ids": self.execution_ids,
                "poke_interval": self.poke_interval,
                "deadline": self.deadline,
                "cancel_on_kill": self.cancel_on_kill,
                "cancel_on_clear": self.cancel_on_clear,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait until there is something to say; the looks are shared with all that wait for the same import."""
        watch = Watch(
            document_import_id=self.document_import_id,
            execution_ids=self.execution_ids,
            deadline=self.deadline,
            lines=[],
        )
        poller = poller_of(self.mics_conn_id, self.datamart_id, self.document_import_id)
        step, message = await poller.wait(watch, interval_s=self.poke_interval, first_wait_s=FIRST_WAIT_S)
        yield TriggerEvent(
            {
                "status": step.value,
                "message": message,
                "document_import_id": self.document_import_id,
                "execution_ids": self.execution_ids,
                "deadline": self.deadline,
            }
        )

    async def on_kill(self) -> None:
        """Cancel what is PENDING, if the task is really killed and nobody waits for it any more."""
        # After the deadline the wait has ended, and what a timeout cancels is for the worker.
        if not self.cancel_on_kill or not self.execution_ids or time.time() >= self.deadline:
            return
        await undisturbed(
            cancel_killed(
                MicsHook(self.mics_conn_id, self.datamart_id),
                self.datamart_id,
                self.document_import_id,
                self.execution_ids,
                task_instance=self.task_instance,
                cancel_on_clear=self.cancel_on_clear,
            )
        )
