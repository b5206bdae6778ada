"""Endpoints of document imports: ``/v1/datamarts/:datamartId/document_imports``. Source: "Bulk processing"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.api.call import Call, json_body
from airflow_provider_mics.api.constants import DEFAULT_PAGE_SIZE, MimeType, Priority
from airflow_provider_mics.api.conversation import Conversation, every_page
from airflow_provider_mics.api.envelope import nothing, one, page
from airflow_provider_mics.api.identifiers import numeric_id
from airflow_provider_mics.api.models import DocumentImport, Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def create(
    datamart_id: str,
    *,
    document_type: str,
    name: str,
    mime_type: str = MimeType.NDJSON,
    encoding: str = "utf-8",
    priority: str | None = Priority.MEDIUM,
) -> Call[DocumentImport]:
    """Create a document import. Not repeatable: a second one would be made.

    :param priority: None: not sent, which means MEDIUM.
    """
    fields = {
        "document_type": document_type,
        "mime_type": mime_type,
        "encoding": encoding,
        "name": name,
        "priority": priority,
    }
    return Call(
        what=f"create a document import in datamart {datamart_id}",
        method="POST",
        path=_path(datamart_id),
        read=one(DocumentImport),
        **json_body({key: value for key, value in fields.items() if value is not None}),
    )


def find(
    datamart_id: str,
    *,
    keywords: str | None = None,
    mime_type: str | None = None,
    document_types: Iterable[str] = (),
    label_ids: Iterable[str] = (),
    order_by: str | None = None,
    first_result: int = 0,
    max_results: int = DEFAULT_PAGE_SIZE,
) -> Call[Page[DocumentImport]]:
    """List one page of the document imports.

    :param keywords: Part of the name, case-sensitive.
    :param label_ids: Those with any of these labels.
    :param order_by: ``name``, or None for by id.
    """
    query = {
        "keywords": keywords,
        "mime_type": mime_type,
        "document_types": ",".join(document_types) or None,
        "label_ids": ",".join(numeric_id(label_id, "label id") for label_id in label_ids) or None,
        "order_by": order_by,
        "first_result": str(first_result),
        "max_results": str(max_results),
    }
    return Call(
        what=f"list the document imports of datamart {datamart_id}",
        method="GET",
        path=_path(datamart_id),
        query=tuple((name, value) for name, value in query.items() if value is not None),
        read=page(DocumentImport),
        repeatable=True,
    )


def get(datamart_id: str, document_import_id: str) -> Call[DocumentImport]:
    """Get one document import."""
    return Call(
        what=f"get document import {document_import_id} of datamart {datamart_id}",
        method="GET",
        path=_path(datamart_id, document_import_id),
        read=one(DocumentImport),
        repeatable=True,
    )


def update(datamart_id: str, document_import_id: str, fields: Mapping[str, Any]) -> Call[DocumentImport]:
    """Replace the document import's fields by those given, all of them."""
    return Call(
        what=f"update document import {document_import_id} of datamart {datamart_id}",
        method="PUT",
        path=_path(datamart_id, document_import_id),
        read=one(DocumentImport),
        repeatable=True,
        **json_body(dict(fields)),
    )


def delete(datamart_id: str, document_import_id: str) -> Call[None]:
    """Remove a document import from view. The reply's body is not documented, so it is not read."""
    return Call(
        what=f"delete document import {document_import_id} of datamart {datamart_id}",
        method="DELETE",
        path=_path(datamart_id, document_import_id),
        read=nothing,
        repeatable=True,
    )


def find_by_name(
    datamart_id: str, *, name: str, document_type: str, mime_type: str
) -> Conversation[list[DocumentImport]]:
    """Find the document imports of exactly this name, type and mime type, oldest first.

    The API's ``keywords`` matches parts of names, so equality is checked here.
    """
    found = [
        candidate
        for candidate in (
            yield from every_page(
                lambda first_result: find(
                    datamart_id,
                    keywords=name,
                    mime_type=mime_type,
                    document_types=(document_type,),
                    first_result=first_result,
                )
            )
        )
        if (candidate.name, candidate.document_type, candidate.mime_type) == (name, document_type, mime_type)
    ]
    return sorted(found, key=lambda candidate: int(candidate.id))


def _path(datamart_id: str, document_import_id: str | None = None) -> str:
    path = f"/v1/datamarts/{numeric_id(datamart_id, 'datamart id')}/document_imports"
    if document_import_id is None:
        return path
    return f"{path}/{numeric_id(document_import_id, 'document import id')}"
