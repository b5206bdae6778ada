"""Operators for executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.operators._task import MicsTask, flat_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context, XComArg


class MicsCancelExecutionOperator(MicsTask):
    """Cancels executions, as far as the platform lets it: only those that are PENDING.

    One that has started, or ended, goes on as it is; that is reported, and no error.

    Returns ``{"cancelled": [...], "already_started": [...]}``, ids of executions, all of those given.

    :param document_import_id: The document import, usually ``create.output``.
    :param execution_ids: The executions, usually ``upload.output``; lists in lists are flattened.
    :param mics_conn_id: The Airflow connection.
    :param datamart_id: The datamart; None: the connection's.
    :raises MicsCallError: One that has not started was not cancelled, or does not exist. The others were tried.
    """

    template_fields: Sequence[str] = ("mics_conn_id", "datamart_id", "document_import_id", "execution_ids")

    def __init__(
        self, *, document_import_id: str | XComArg, execution_ids: str | Sequence[str] | XComArg, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.document_import_id: Any = document_import_id
        self.execution_ids: Any = execution_ids

    def execute(self, context: Context) -> dict[str, list[str]]:
        """Cancel them."""
        from airflow_provider_mics.bulk.cancel import cancel

        execution_ids = flat_ids(self.execution_ids)
        if execution_ids is None:
            raise MicsConfigurationError("execution_ids is None: no execution is named.")
        self.link_to(context, self.document_import_id)
        found = self.hook.run(cancel(self.hook.datamart_id, self.document_import_id, execution_ids))
        cancelled = [execution_id for execution_id, execution in found.items() if execution.is_canceled]
        already_started = [execution_id for execution_id in found if execution_id not in cancelled]
        if already_started:
            self.log.warning(
                "Too late to cancel: %s", ", ".join(f"{item} is {found[item].status}" for item in already_started)
            )
        return {"cancelled": cancelled, "already_started": already_started}
