"""Endpoints of labels, and their links to document imports. Source: the vendor's web UI."""

from __future__ import annotations

from airflow_provider_mics.api.call import Call, json_body
from airflow_provider_mics.api.constants import DEFAULT_PAGE_SIZE
from airflow_provider_mics.api.envelope import nothing, one, page
from airflow_provider_mics.api.identifiers import numeric_id
from airflow_provider_mics.api.models import Label, Page


def find(organisation_id: str, *, first_result: int = 0, max_results: int = DEFAULT_PAGE_SIZE) -> Call[Page[Label]]:
    """List one page of an organisation's labels."""
    return Call(
        what=f"list the labels of organisation {organisation_id}",
        method="GET",
        path="/v1/labels",
        query=(
            ("organisation_id", numeric_id(organisation_id, "organisation id")),
            ("first_result", str(first_result)),
            ("max_results", str(max_results)),
        ),
        read=page(Label),
        repeatable=True,
    )


def create(organisation_id: str, name: str) -> Call[Label]:
    """Create a label. Not repeatable: a second one would be made."""
    return Call(
        what=f"create a label in organisation {organisation_id}",
        method="POST",
        path="/v1/labels",
        read=one(Label),
        **json_body({"name": name, "organisation_id": numeric_id(organisation_id, "organisation id")}),
    )


def attach(label_id: str, document_import_id: str) -> Call[None]:
    """Put a label on a document import."""
    return Call(
        what=f"put label {label_id} on document import {document_import_id}",
        method="POST",
        path=_link_path(label_id, document_import_id),
        read=nothing,
        repeatable=True,
        **json_body({}),
    )


def detach(label_id: str, document_import_id: str) -> Call[None]:
    """Take a label off a document import."""
    return Call(
        what=f"take label {label_id} off document import {document_import_id}",
        method="DELETE",
        path=_link_path(label_id, document_import_id),
        read=nothing,
        repeatable=True,
    )


def _link_path(label_id: str, document_import_id: str) -> str:
    import_id = numeric_id(document_import_id, "document import id")
    return f"/v1/labels/{numeric_id(label_id, 'label id')}/links/IMPORT/{import_id}"
