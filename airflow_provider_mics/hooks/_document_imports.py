"""The hook's methods for document imports, their executions and the platform's files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics import api
from airflow_provider_mics.api.constants import DEFAULT_PAGE_SIZE, MimeType, Priority
from airflow_provider_mics.hooks._mics_base import MicsBaseHook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_mics.api.call import OpenBody
    from airflow_provider_mics.api.models import DocumentImport, Execution, Page


class DocumentImportMethods(MicsBaseHook):
    """One method for each endpoint of document imports and executions."""

    def create_document_import(
        self,
        *,
        document_type: str,
        name: str,
        mime_type: str = MimeType.NDJSON,
        encoding: str = "utf-8",
        priority: str | None = Priority.MEDIUM,
    ) -> DocumentImport:
        """Create a document import; a second one if there is one of the same name.

        :param priority: None: not sent, which means MEDIUM.
        """
        return self.send(
            api.document_imports.create(
                self.datamart_id,
                document_type=document_type,
                name=name,
                mime_type=mime_type,
                encoding=encoding,
                priority=priority,
            )
        )

    def list_document_imports(
        self,
        *,
        keywords: str | None = None,
        mime_type: str | None = None,
        document_types: Iterable[str] = (),
        label_ids: Iterable[str] = (),
        order_by: str | None = None,
        first_result: int = 0,
        max_results: int = DEFAULT_PAGE_SIZE,
    ) -> Page[DocumentImport]:
        """List one page of the document imports.

        :param keywords: Part of the name, case-sensitive.
        :param label_ids: Those with any of these labels.
        :param order_by: ``name``, or None for by id.
        """
        return self.send(
            api.document_imports.find(
                self.datamart_id,
                keywords=keywords,
                mime_type=mime_type,
                document_types=document_types,
                label_ids=label_ids,
                order_by=order_by,
                first_result=first_result,
                max_results=max_results,
            )
        )

    def get_document_import(self, document_import_id: str) -> DocumentImport:
        """Get a document import."""
        return self.send(api.document_imports.get(self.datamart_id, document_import_id))

    def update_document_import(self, document_import_id: str, fields: Mapping[str, Any]) -> DocumentImport:
        """Replace a document import's fields by those given, all of them."""
        return self.send(api.document_imports.update(self.datamart_id, document_import_id, fields))

    def delete_document_import(self, document_import_id: str) -> None:
        """Remove a document import from view."""
        self.send(api.document_imports.delete(self.datamart_id, document_import_id))

    def create_execution(self, document_import_id: str, *, mime_type: str, open_body: OpenBody) -> Execution:
        """Upload a file, which creates an execution. It is never repeated once a byte of it may have arrived.

        :param mime_type: The document import's.
        :param open_body: Opens the bytes to send, at most 100 MB of them, for each attempt anew.
        """
        return self.send(
            api.executions.upload(self.datamart_id, document_import_id, mime_type=mime_type, open_body=open_body)
        )

    def list_executions(
        self, document_import_id: str, *, first_result: int = 0, max_results: int = DEFAULT_PAGE_SIZE
    ) -> Page[Execution]:
        """List one page of an import's executions, newest first."""
        return self.send(
            api.executions.find(
                self.datamart_id, document_import_id, first_result=first_result, max_results=max_results
            )
        )

    def get_execution(self, document_import_id: str, execution_id: str) -> Execution:
        """Get an execution."""
        return self.send(api.executions.get(self.datamart_id, document_import_id, execution_id))

    def cancel_execution(self, document_import_id: str, execution_id: str) -> Execution:
        """Cancel an execution, which works only while it is PENDING."""
        return self.send(api.executions.cancel(self.datamart_id, document_import_id, execution_id))

    def download_data_file(self, uri: str) -> bytes:
        """Download a file of the platform, such as an execution's error file, of at most 64 MiB.

        :param uri: ``mics://data_file/...``, as executions carry it.
        """
        return self.send(api.data_files.download(uri))
