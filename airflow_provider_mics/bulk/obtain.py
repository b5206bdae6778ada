"""Getting the document import of a night: the one that is there, or a new one."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Literal

from airflow_provider_mics.api import document_imports
from airflow_provider_mics.bulk.planning import check_document_import
from airflow_provider_mics.exceptions import MicsConfigurationError

if TYPE_CHECKING:
    from airflow_provider_mics.api.conversation import Conversation
    from airflow_provider_mics.api.models import DocumentImport

log = logging.getLogger(__name__)

IfExists = Literal["reuse", "create", "fail"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImportDefinition:
    """What a document import shall be; fields as the API has them."""

    document_type: str
    name: str
    mime_type: str
    encoding: str
    priority: str


def obtain(datamart_id: str, wanted: ImportDefinition, if_exists: IfExists) -> Conversation[DocumentImport]:
    """Find or create a document import.

    :param if_exists: What to do if there is one of exactly this name, type and mime type: take it, create another all
        the same, or fail.
    :raises MicsConfigurationError: The definition cannot be right, or there is one and ``if_exists`` is ``fail``.
    """
    check_document_import(wanted.document_type, wanted.mime_type)
    if if_exists not in {"reuse", "create", "fail"}:
        raise MicsConfigurationError(f"if_exists must be reuse, create or fail, not {if_exists!r}.")
    if not wanted.name.strip():
        raise MicsConfigurationError("The document import needs a name.")
    if if_exists != "create":
        found = yield from document_imports.find_by_name(
            datamart_id, name=wanted.name, document_type=wanted.document_type, mime_type=wanted.mime_type
        )
        if found and if_exists == "fail":
            raise MicsConfigurationError(
                f"There already is a document import {wanted.name!r}: {found[0].id}.",
                hint='With if_exists="reuse" it would be used, with "create" a second one made.',
            )
        if found:
            if len(found) > 1:
                log.warning("%d document imports are named %r; the oldest is used.", len(found), wanted.name)
            log.info("Using document import %s, %r, which is there already.", found[0].id, wanted.name)
            return found[0]
    created: DocumentImport = yield document_imports.create(datamart_id, **dataclasses.asdict(wanted))
    log.info("Created document import %s, %r.", created.id, wanted.name)
    return created
