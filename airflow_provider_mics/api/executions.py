"""Endpoints of executions: ``/v1/datamarts/:datamartId/document_imports/:importId/executions``.

Source: "Bulk processing". An upload creates an execution; there is no idempotency key, so an upload is not repeatable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_mics.api.call import Call, OpenBody, json_body
from airflow_provider_mics.api.constants import CONTENT_TYPES, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, MimeType
from airflow_provider_mics.api.conversation import Conversation, every_page
from airflow_provider_mics.api.envelope import one, page
from airflow_provider_mics.api.identifiers import numeric_id
from airflow_provider_mics.api.models import Execution, Page
from airflow_provider_mics.exceptions import MicsConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: Up to this many executions are asked for one by one: a page of the list costs about as much as three such calls.
_SINGLE_CALLS = 3


def upload(datamart_id: str, document_import_id: str, *, mime_type: str, open_body: OpenBody) -> Call[Execution]:
    """Upload a file, which creates an execution.

    :param mime_type: The document import's; the Content-Type must match it.
    :param open_body: Opens the bytes to send, at most 100 MB of them; called once for each attempt.
    """
    return Call(
        what=f"upload a file to document import {document_import_id} of datamart {datamart_id}",
        method="POST",
        path=_path(datamart_id, document_import_id),
        read=one(Execution),
        open_body=open_body,
        content_type=content_type_of(mime_type),
    )


def find(
    datamart_id: str, document_import_id: str, *, first_result: int = 0, max_results: int = DEFAULT_PAGE_SIZE
) -> Call[Page[Execution]]:
    """List one page of the import's executions, newest first."""
    return Call(
        what=f"list the executions of document import {document_import_id} of datamart {datamart_id}",
        method="GET",
        path=_path(datamart_id, document_import_id),
        query=(("first_result", str(first_result)), ("max_results", str(max_results))),
        read=page(Execution),
        repeatable=True,
    )


def get(datamart_id: str, document_import_id: str, execution_id: str) -> Call[Execution]:
    """Get one execution."""
    return Call(
        what=f"get execution {execution_id} of document import {document_import_id}",
        method="GET",
        path=_path(datamart_id, document_import_id, execution_id),
        read=one(Execution),
        repeatable=True,
    )


def cancel(datamart_id: str, document_import_id: str, execution_id: str) -> Call[Execution]:
    """Cancel an execution, which works only while it is PENDING. Doing it twice does no harm."""
    return Call(
        what=f"cancel execution {execution_id} of document import {document_import_id}",
        method="POST",
        path=f"{_path(datamart_id, document_import_id, execution_id)}/action",
        read=one(Execution),
        repeatable=True,
        **json_body({"action": "CANCEL"}),
    )


def content_type_of(mime_type: str) -> str:
    """Return the Content-Type header that an upload under an import of this mime type needs.

    :raises MicsConfigurationError: The mime type is not one that files are known to be uploaded in.
    """
    try:
        return CONTENT_TYPES[MimeType(mime_type)]
    except ValueError:
        raise MicsConfigurationError(
            f"The document import's mime type is {mime_type!r}; files can be uploaded as "
            f"{' or '.join(str(known) for known in MimeType)}."
        ) from None


def read_all(datamart_id: str, document_import_id: str) -> Conversation[dict[str, Execution]]:
    """Read all executions of an import, by id, newest first."""
    found = yield from every_page(
        lambda first_result: find(datamart_id, document_import_id, first_result=first_result, max_results=MAX_PAGE_SIZE)
    )
    return {execution.execution_id: execution for execution in found}


def read_some(
    datamart_id: str, document_import_id: str, execution_ids: Collection[str]
) -> Conversation[Mapping[str, Execution]]:
    """Read the executions with these ids, in as few calls as it takes.

    :raises MicsNotFoundError: One of them does not exist.
    """
    wanted = set(execution_ids)
    found: dict[str, Execution] = {}
    if len(wanted) > _SINGLE_CALLS:
        size = min(max(len(wanted), DEFAULT_PAGE_SIZE), MAX_PAGE_SIZE)
        listed = yield from every_page(
            lambda first_result: find(datamart_id, document_import_id, first_result=first_result, max_results=size),
            enough=lambda items: wanted <= {item.execution_id for item in items},
        )
        found = {item.execution_id: item for item in listed if item.execution_id in wanted}
    # Those that a list lacks, which may lag behind, are asked for by id.
    for execution_id in wanted - found.keys():
        found[execution_id] = yield get(datamart_id, document_import_id, execution_id)
    return {execution_id: found[execution_id] for execution_id in execution_ids}


def _path(datamart_id: str, document_import_id: str, execution_id: str | None = None) -> str:
    path = (
        f"/v1/datamarts/{numeric_id(datamart_id, 'datamart id')}"
        f"/document_imports/{numeric_id(document_import_id, 'document import id')}/executions"
    )
    if execution_id is None:
        return path
    return f"{path}/{numeric_id(execution_id, 'execution id')}"
