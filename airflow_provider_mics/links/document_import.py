"""Link from a task to its document import in Navigator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator, TaskInstanceKey


class MicsDocumentImportLink(BaseOperatorLink):
    """Opens the document import, with its executions; executions have no page of their own."""

    name = "Document import in mediarithmics"
    xcom_key = "mics_document_import_url"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """Return what the operator has found out; Airflow asks on the worker and stores the answer."""
        return getattr(operator, "navigator_url", None) or ""
