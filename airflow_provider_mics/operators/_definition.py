"""What the operators that create a document import have in common: its definition, and finding or creating it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.api.constants import MimeType, Priority
from airflow_provider_mics.operators._task import MicsTask, name_for_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.bulk.ledger import Ledger
    from airflow_provider_mics.bulk.obtain import IfExists, ImportDefinition


class DefinesDocumentImport(MicsTask):
    """Base of the operators that create a document import; arguments as for ``MicsCreateDocumentImportOperator``."""

    template_fields: Sequence[str] = (
        "mics_conn_id",
        "datamart_id",
        "document_type",
        "name",
        "mime_type",
        "encoding",
        "priority",
    )

    def __init__(
        self,
        *,
        document_type: str,
        name: str,
        mime_type: str = MimeType.NDJSON.value,
        encoding: str = "utf-8",
        priority: str = Priority.MEDIUM.value,
        append_night: bool = True,
        if_exists: IfExists = "reuse",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.document_type = document_type
        self.name = name
        self.mime_type = mime_type
        self.encoding = encoding
        self.priority = priority
        self.append_night = append_night
        self.if_exists: IfExists = if_exists

    def definition(self, context: Context) -> ImportDefinition:
        """Return what the document import shall be.

        :raises MicsConfigurationError: It cannot be right.
        """
        from airflow_provider_mics.bulk.obtain import ImportDefinition, check_definition

        wanted = ImportDefinition(
            document_type=self.document_type,
            name=name_for_run(self.name, context) if self.append_night else self.name,
            mime_type=self.mime_type,
            encoding=self.encoding,
            priority=self.priority,
        )
        check_definition(wanted, self.if_exists)
        return wanted

    def obtain_document_import(self, context: Context, wanted: ImportDefinition, ledger: Ledger) -> DocumentImport:
        """Find or create it, and link the task to it."""
        from airflow_provider_mics.bulk.obtain import obtain
        from airflow_provider_mics.operators._ledger import settle_earlier_loads

        document_import = self.hook.run(
            obtain(
                self.hook.datamart_id,
                wanted,
                self.if_exists,
                ledger=ledger,
                list_lag_s=self.hook.connection.list_lag_s,
                now=time.time,
            )
        )
        # With another definition than that of the earlier tries it is a new load.
        settle_earlier_loads(ledger, self.hook)
        self.link_to(context, str(document_import.id))
        return document_import
