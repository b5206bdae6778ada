"""What the tasks that send parts have in common: when they are killed, what they have sent may be cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.operators._task import MicsTask

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.bulk.early_verdict import EarlyVerdict
    from airflow_provider_mics.bulk.ledger import Ledger
    from airflow_provider_mics.bulk.upload import Uploader
    from airflow_provider_mics.operators._ledger import Sending


class SendsParts(MicsTask):
    """Base of the operators that send parts.

    :param cancel_on_kill: Whether to cancel those executions that are still PENDING, the platform cancels no others,
        when this task is killed or cleared, running or deferred. A worker that stops while a retry is left cancels
        nothing.
    """

    # What this process knows of the load, once it has begun.
    _context: Context | None = None
    _ledger: Ledger | None = None
    _is_killed = False
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
        # Read now: to ask Airflow while it kills this task may be to ask it in the middle of another question.
        self._ledger.read()
        return self._ledger

    def carry_out(
        self,
        document_import: DocumentImport,
        ledger: Ledger,
        send: Callable[[Uploader], Sending],
        early_verdict: EarlyVerdict | None = None,
    ) -> Sending:
        """Send the load; see :func:`~airflow_provider_mics.operators._ledger.send_load`."""
        from airflow_provider_mics.operators._ledger import send_load

        try:
            return send_load(self.hook, document_import, ledger, send, early_verdict)
        finally:
            if self._is_killed:
                # Parts that were on their way then have come in since.
                self.on_kill()

    def on_kill(self) -> None:
        """Send nothing more, and cancel what is PENDING, if no retry goes on with it.

        Airflow lets the task go on after this, for some seconds.
        """
        from airflow_provider_mics.operators._killing import cancel_killed

        if not self._ledger:
            return
        self._is_killed = True
        self._ledger.close()
        if self.cancel_on_kill and self._ledger.load.document_import_id:
            sent = [record.execution_id for record in self._ledger.parts_in_memory() if record.execution_id]
            cancel_killed(
                self._context,
                self.hook,
                self._ledger.load.document_import_id,
                sent,
                cancel_on_clear=True,
                cancel_on_timeout=self.cancel_on_timeout,
            )
