"""Document imports: create, list, read, change, delete."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.api.constants import DocumentType, MimeType, Priority
from airflow_provider_mics.sandbox.clock import milliseconds
from airflow_provider_mics.sandbox.messages import HttpError, Request, Response, not_found, ok, page, window
from airflow_provider_mics.sandbox.state import DocumentImport, State, Visibility

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.settings import Settings

_MIME_TYPES: Final = frozenset(MimeType)
_PRIORITIES: Final = frozenset(Priority)


class Imports:
    """The handlers of ``/v1/datamarts/:datamartId/document_imports``."""

    def __init__(self, state: State, settings: Settings, clock: Clock, labels_of: Callable[[str], set[str]]) -> None:
        self._state = state
        self._clock = clock
        self._settings = settings
        self._labels_of = labels_of

    async def create(self, datamart_id: str, request: Request) -> Response:
        """Create an import. Nothing keeps two from having the same name."""
        fields = _checked(await request.json_object())
        visibility = Visibility(self._clock.now(), self._settings.import_list_lag_calls)
        created = DocumentImport(self._state.new_import_id(), datamart_id, **fields, visibility=visibility)
        self._state.put_import(created)
        return ok(created.resource(), self._settings.created_status)

    def list(self, datamart_id: str, query: Mapping[str, str]) -> Response:
        """List a datamart's imports.

        ``keywords`` is part of the name, upper and lower case being different. UNKNOWN at the vendor: the direction of
        ``order_by`` (we go upwards), what an unknown order does (we order by id), and whether several ``label_ids`` are
        "and" or "or" (we take "or").
        """
        found = self._state.imports(datamart_id)
        keywords = query.get("keywords", "")
        types = {item for item in query.get("document_types", "").split(",") if item}
        mime_type = query.get("mime_type", "")
        labels = {item for item in query.get("label_ids", "").split(",") if item}
        found = [
            item
            for item in found
            if keywords in item.name
            and (not types or item.document_type in types)
            and mime_type in {"", item.mime_type}
            and (not labels or labels & self._labels_of(item.id))
        ]
        latest = self._clock.now() - milliseconds(self._settings.import_list_lag_s)
        found = [item for item in found if item.visibility.shows(latest)]
        if query.get("order_by") == "name":
            found.sort(key=lambda item: (item.name, int(item.id)))
        else:
            found.sort(key=lambda item: int(item.id))
        settings = self._settings
        asked = window(query, settings.default_page_size, settings.max_page_size)
        return page([item.resource() for item in asked.of(found)], len(found), asked)

    def get(self, datamart_id: str, import_id: str) -> DocumentImport:
        """Find an import, or answer 404."""
        found = self._state.get_import(datamart_id, import_id)
        if found is None:
            raise not_found()
        return found

    async def update(self, datamart_id: str, import_id: str, request: Request) -> Response:
        """Replace an import's fields.

        UNKNOWN whether the vendor replaces or merges: fields left out keep their value here, ids sent are ignored.
        """
        present = self.get(datamart_id, import_id)
        body = await request.json_object()
        fields = _checked({**present.resource(), **body})
        changed = DocumentImport(present.id, datamart_id, **fields, visibility=present.visibility)
        self._state.put_import(changed)
        return ok(changed.resource())

    def delete(self, datamart_id: str, import_id: str) -> Response:
        """Take an import out of view. UNKNOWN what the vendor answers: its UI types it as the import, so do we."""
        deleted = self._state.delete_import(datamart_id, import_id)
        if deleted is None:
            raise not_found()
        return ok(deleted.resource())


def _checked(body: Mapping[str, Any]) -> dict[str, str]:
    """Check and complete the fields of an import.

    UNKNOWN at the vendor: we answer 400. The document type is open: any word passes.
    """
    fields: dict[str, str] = {}
    for name, default in (
        ("document_type", None),
        ("mime_type", None),
        ("name", None),
        ("encoding", "utf-8"),
        ("priority", Priority.MEDIUM.value),
    ):
        value = body.get(name)
        if value is None or value == "":
            value = default
        if not isinstance(value, str):
            raise HttpError(HTTPStatus.BAD_REQUEST, f"{name} is missing or is not a string")
        fields[name] = value
    if fields["mime_type"] not in _MIME_TYPES:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"mime_type must be {' or '.join(sorted(_MIME_TYPES))}")
    if fields["mime_type"] == MimeType.CSV and fields["document_type"] != DocumentType.USER_SEGMENT:
        raise HttpError(HTTPStatus.BAD_REQUEST, "TEXT_CSV is for USER_SEGMENT only")
    if fields["priority"] not in _PRIORITIES:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"priority must be {', '.join(sorted(_PRIORITIES))}")
    try:
        "".encode(fields["encoding"])
    except LookupError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, "encoding is not known") from error
    return fields
