"""What the tasks that send parts have in common: when they are killed, what they have sent may be cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.operators._task import MicsTask

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_mics.bulk.ledger import Ledger


class SendsParts(MicsTask):
    """Base of the operators that send parts.

    :param cancel_on_kill: Whether to cancel those executions that are still PENDING, the platform cancels no others,
        when this task is killed or cleared, running or deferred. A worker that stops while a retry is left cancels
        nothing.
    """

    # What this process knows of the load, once it has begun.
    _context: Context | None = None
    _ledger: Ledger | None = None
    #: Whether an ``execution_timeout`` cancels, too.
    cancel_on_timeout = False

    def __init__(self, *, cancel_on_kill: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cancel_on_kill = cancel_on_kill

    def begin(self, context: Context) -> Ledger:
        """Open the ledger of the load, of which ``on_kill`` then knows."""
        from airflow_provider_mics.operators._ledger import open_ledger

        self._context = context
        self._ledger = open_ledger(context, self.hook)
        return self._ledger

    def on_kill(self) -> None:
        """Cancel what is PENDING, if no retry goes on with it."""
        from airflow_provider_mics.operators._killing import cancel_killed

        if self.cancel_on_kill and self._ledger and self._ledger.load.document_import_id:
            sent = [record.execution_id for record in self._ledger.parts_in_memory() if record.execution_id]
            cancel_killed(
                self._context,
                self.hook,
                self._ledger.load.document_import_id,
                sent,
                cancel_on_clear=True,
                cancel_on_timeout=self.cancel_on_timeout,
            )
