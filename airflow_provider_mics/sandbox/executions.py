"""Executions: upload, list, read, cancel, and the files they leave behind."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.api.constants import CONTENT_TYPES, ExecutionStatus, MimeType
from airflow_provider_mics.sandbox import life_cycle
from airflow_provider_mics.sandbox.clock import milliseconds
from airflow_provider_mics.sandbox.lines import Job, Report, check_document
from airflow_provider_mics.sandbox.messages import HttpError, Request, Response, not_found, ok, page, window
from airflow_provider_mics.sandbox.multipart import MultipartReader, Part
from airflow_provider_mics.sandbox.state import DocumentImport, Execution, Pin, State, Visibility
from airflow_provider_mics.sandbox.upload import Spool, too_large

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.settings import Settings
    from airflow_provider_mics.sandbox.users.bulk import Bulk

_MULTIPART: Final = "multipart/form-data"
#: What multipart adds to the file's own bytes may be so much, in bytes.
_MULTIPART_MARGIN: Final = 64 * 1024


class Executions:
    """The handlers of ``.../document_imports/:importId/executions`` and of ``/v1/data_file/data``."""

    def __init__(self, state: State, settings: Settings, clock: Clock, bulk: Bulk) -> None:
        self._state = state
        self._settings = settings
        self._clock = clock
        self._bulk = bulk
        #: Where uploads are written; set before the first one.
        self.folder = Path()
        self._stopped = threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=2, thread_name_prefix="mics-sandbox-lines")

    def stop(self) -> None:
        """End the checks under way and their threads."""
        self._stopped.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def create(self, organisation_id: str, document_import: DocumentImport, request: Request) -> Response:
        """Take an upload: its file raw, as documented, or as the part ``file`` of a form, as the vendor's UI does."""
        settings = self._settings
        length = request.headers.get("content-length", "")
        multipart = _mime(request.headers.get("content-type")) == _MULTIPART
        margin = _MULTIPART_MARGIN if multipart else 0
        if length.isdigit() and int(length) > settings.max_body_bytes + margin:
            raise too_large(settings.max_body_bytes)
        if not multipart:
            _check_content_type(request.headers.get("content-type"), document_import)
        execution_id = self._state.new_execution_id()
        spool = Spool(self.folder / f"{execution_id}.body", settings.max_body_bytes)
        try:
            if multipart:
                file_name = await self._read_form(request, document_import, spool)
            else:
                file_name = self._state.raw_file_name()
                async for piece in request.body:
                    spool.write(piece)
            spool.close()
            spool.check_not_empty()
            if document_import.mime_type == MimeType.NDJSON:
                spool.check_ndjson_head(document_import.encoding)
            await request.before_commit()
        except BaseException:
            spool.discard()
            raise
        execution = self._accept(execution_id, organisation_id, document_import, file_name, spool)
        request.record.execution_id = execution_id
        return ok(await self.resource(execution), settings.created_status)

    async def _read_form(self, request: Request, document_import: DocumentImport, spool: Spool) -> str:
        def on_file(part: Part) -> Callable[[bytes], None]:
            _check_content_type(part.content_type, document_import)
            return spool.write

        reader = MultipartReader(request.headers["content-type"], on_file)
        async for piece in request.body:
            reader.feed(piece)
        reader.finish()
        name = reader.file.file_name if reader.file is not None else None
        # INFERRED that the client's name is kept. Its last part only: it becomes part of a URI.
        return (name or "").replace("\\", "/").rpartition("/")[2] or self._state.raw_file_name()

    def _accept(
        self, execution_id: str, organisation_id: str, document_import: DocumentImport, file_name: str, spool: Spool
    ) -> Execution:
        settings, created = self._settings, self._clock.now()
        errors = self.folder / f"{execution_id}.errors.csv"
        job = Job(
            path=spool.path,
            errors=errors,
            execution_id=execution_id,
            document_type=document_import.document_type,
            mime_type=document_import.mime_type,
            encoding=document_import.encoding,
            saved=settings.saved_errors,
            check=settings.check_lines,
            reject_if=_rejection(settings),
            compartments=None if settings.compartments is None else frozenset(map(str, settings.compartments)),
            carry_out=self._bulk.action(document_import.datamart_id, document_import.document_type)
            if settings.imports_change_users
            else None,
            stopped=self._stopped.is_set,
        )
        execution = Execution(
            id=execution_id,
            organisation_id=organisation_id,
            document_import=document_import,
            input_file_name=file_name,
            path=spool.path,
            error_path=errors,
            bytes=spool.bytes,
            sha256=spool.sha256,
            lines=spool.lines,
            created=created,
            created_progress=self._clock.progress(),
            life_cycle=life_cycle.planned_path(settings),
            stem=self._state.uri_stem(organisation_id, document_import, file_name, created),
            report=self._pool.submit(check_document, job),
            visibility=Visibility(created, settings.list_lag_calls),
        )
        self._state.put_execution(execution)
        return execution

    async def resource(self, execution: Execution) -> dict[str, Any]:
        """Render an execution, waiting for the check of its lines if it is to be shown."""
        report: Report | None = None
        if life_cycle.needs_report(execution, self._settings, self._clock.progress()):
            # Shielded: a client that goes away must not cancel the check.
            report = await asyncio.shield(asyncio.wrap_future(execution.report))
        return life_cycle.resource(execution, self._settings, self._clock, report)

    async def list(self, document_import: DocumentImport, query: Mapping[str, str]) -> Response:
        """List an import's executions, newest first."""
        settings = self._settings
        latest = self._clock.now() - milliseconds(settings.list_lag_s)
        found = [item for item in self._state.executions(document_import) if item.visibility.shows(latest)]
        found.reverse()
        asked = window(query, settings.default_page_size, settings.max_page_size)
        return page([await self.resource(item) for item in asked.of(found)], len(found), asked)

    def find(self, document_import: DocumentImport, execution_id: str) -> Execution:
        """Find an execution of an import, or answer 404."""
        found = self._state.get_execution(execution_id)
        if found is None or found.document_import.id != document_import.id:
            raise not_found()
        return found

    async def act(self, execution: Execution, request: Request) -> Response:
        """Cancel an execution that is PENDING; other actions are answered with 400 (UNKNOWN at the vendor)."""
        body = await request.json_object()
        if body.get("action") != "CANCEL":
            raise HttpError(HTTPStatus.BAD_REQUEST, "action must be CANCEL")
        with self._state.lock:
            progress = self._clock.progress()
            status = life_cycle.phase(execution, progress).status
            pending = status == ExecutionStatus.PENDING
            if pending:
                execution.pin = Pin(ExecutionStatus.CANCELED, progress, cancelled=True)
        value = await self.resource(execution)
        if pending:
            return ok(life_cycle.cancelled_resource(value, execution.organisation_id))
        # The docs only say that cancelling works while PENDING. UNKNOWN what it answers otherwise: a setting decides.
        if self._settings.cancel_refusal == "unchanged":
            return ok(value)
        raise HttpError(HTTPStatus.BAD_REQUEST, f"Execution {execution.id} is {status} and cannot be canceled")

    async def data_file(self, uri: str, may_read: Callable[[str], object]) -> Response:
        """Serve an input file or an error file by its mics:// URI.

        :param may_read: raises for a datamart on which the caller has no right.
        """
        execution = self._state.execution_of_file(uri)
        if execution is None:
            raise not_found()
        may_read(execution.document_import.datamart_id)
        path = execution.path
        if uri == execution.file_uri and not self._settings.input_files_available:
            # UNKNOWN for how long the vendor keeps them.
            raise not_found()
        if uri == execution.error_file_uri:
            await asyncio.shield(asyncio.wrap_future(execution.report))
            path = execution.error_path
        return Response(HTTPStatus.OK, path, content_type="application/octet-stream")


def _mime(content_type: str | None) -> str:
    """Return a content type without its parameters, such as the charset."""
    return (content_type or "").partition(";")[0].strip().lower()


def _check_content_type(content_type: str | None, document_import: DocumentImport) -> None:
    """Refuse a file of another kind than the import's. That it must match is documented; UNKNOWN how it is refused."""
    expected = CONTENT_TYPES[MimeType(document_import.mime_type)]
    if _mime(content_type) != expected:
        raise HttpError(
            HTTPStatus.BAD_REQUEST,
            f"Content-Type must be {expected}, the document import is {document_import.mime_type}",
        )


def _rejection(settings: Settings) -> Callable[[bytes], bool] | None:
    marker = settings.reject_marker
    if marker is None:
        return settings.reject_if
    wanted, other = marker.encode(), settings.reject_if
    return lambda line: wanted in line or (other is not None and other(line))
