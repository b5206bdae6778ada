"""Hook for the mediarithmics API."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.api import data_files, directory, document_imports, executions
from airflow_provider_mics.api.constants import DEFAULT_PAGE_SIZE, MimeType, Priority
from airflow_provider_mics.api.identifiers import numeric_id
from airflow_provider_mics.exceptions import (
    MicsAuthenticationError,
    MicsConfigurationError,
    MicsError,
    MicsNotFoundError,
    MicsPermissionError,
    MicsReplyError,
    MicsTransportError,
)
from airflow_provider_mics.hooks._base import APIHook
from airflow_provider_mics.hooks.connection import MicsConnection, read_connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_mics.api.call import OpenBody
    from airflow_provider_mics.api.models import ConnectedUser, Datamart, DocumentImport, Execution, Page


class MicsHook(APIHook[MicsConnection]):
    """Talks to mediarithmics: authentication, HTTP, and one method per endpoint.

    Nothing is resolved or sent before the first method that needs it. Every method raises a subclass of
    :class:`~airflow_provider_mics.exceptions.MicsCallError` if its call does not succeed, and
    :class:`~airflow_provider_mics.exceptions.MicsConfigurationError` if the connection or an id cannot be right.
    Calls that may be repeated are, on connection errors, HTTP 429 and 5xx.

    :param mics_conn_id: The :ref:`Airflow connection <connection>`, of type ``mics``.
    :param datamart_id: The datamart to work in; None: the connection's.
    """

    conn_name_attr = "mics_conn_id"
    default_conn_name = "mics_default"
    conn_type = "mics"
    hook_name = "mediarithmics"

    def __init__(self, mics_conn_id: str = default_conn_name, datamart_id: str | None = None) -> None:
        super().__init__(mics_conn_id)
        self.mics_conn_id = mics_conn_id
        self._datamart_id = datamart_id

    def read(self, found: Any, extra: Mapping[str, Any], on_new_secret: Callable[[str], None]) -> MicsConnection:
        """Read an Airflow connection."""
        return read_connection(
            host=found.host,
            port=found.port,
            schema=found.schema,
            login=found.login,
            password=found.password,
            extra=extra,
            on_new_secret=on_new_secret,
        )

    @property
    def datamart_id(self) -> str:
        """The datamart to work in, from the argument or else the connection.

        :raises MicsConfigurationError: Neither names one.
        """
        if self._datamart_id:
            return numeric_id(self._datamart_id, "datamart id")
        if not self.connection.datamart_id:
            raise MicsConfigurationError(
                f"No datamart is named, neither by the task nor by connection {self.mics_conn_id}.",
                hint="Set datamart_id in one of them; Navigator shows it under Settings > Datamart > Datamarts.",
            )
        return self.connection.datamart_id

    def create_document_import(
        self,
        *,
        document_type: str,
        name: str,
        mime_type: str = MimeType.NDJSON,
        encoding: str = "utf-8",
        priority: str = Priority.MEDIUM,
    ) -> DocumentImport:
        """Create a document import; a second one if there is one of the same name."""
        return self.send(
            document_imports.create(
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
        order_by: str | None = None,
        first_result: int = 0,
        max_results: int = DEFAULT_PAGE_SIZE,
    ) -> Page[DocumentImport]:
        """List one page of the document imports.

        :param keywords: Part of the name, case-sensitive.
        :param order_by: ``name``, or None for by id.
        """
        return self.send(
            document_imports.find(
                self.datamart_id,
                keywords=keywords,
                mime_type=mime_type,
                document_types=document_types,
                order_by=order_by,
                first_result=first_result,
                max_results=max_results,
            )
        )

    def get_document_import(self, document_import_id: str) -> DocumentImport:
        """Get a document import."""
        return self.send(document_imports.get(self.datamart_id, document_import_id))

    def update_document_import(self, document_import_id: str, fields: Mapping[str, Any]) -> DocumentImport:
        """Replace a document import's fields by those given, all of them."""
        return self.send(document_imports.update(self.datamart_id, document_import_id, fields))

    def delete_document_import(self, document_import_id: str) -> None:
        """Remove a document import from view."""
        self.send(document_imports.delete(self.datamart_id, document_import_id))

    def create_execution(self, document_import_id: str, *, mime_type: str, open_body: OpenBody) -> Execution:
        """Upload a file, which creates an execution. It is never repeated once a byte of it may have arrived.

        :param mime_type: The document import's.
        :param open_body: Opens the bytes to send, at most 100 MB of them, for each attempt anew.
        """
        return self.send(
            executions.upload(self.datamart_id, document_import_id, mime_type=mime_type, open_body=open_body)
        )

    def list_executions(
        self, document_import_id: str, *, first_result: int = 0, max_results: int = DEFAULT_PAGE_SIZE
    ) -> Page[Execution]:
        """List one page of an import's executions, newest first."""
        return self.send(
            executions.find(self.datamart_id, document_import_id, first_result=first_result, max_results=max_results)
        )

    def get_execution(self, document_import_id: str, execution_id: str) -> Execution:
        """Get an execution."""
        return self.send(executions.get(self.datamart_id, document_import_id, execution_id))

    def cancel_execution(self, document_import_id: str, execution_id: str) -> Execution:
        """Cancel an execution, which works only while it is PENDING."""
        return self.send(executions.cancel(self.datamart_id, document_import_id, execution_id))

    def download_data_file(self, uri: str) -> bytes:
        """Download a file of the platform, such as an execution's error file, of at most 64 MiB.

        :param uri: ``mics://data_file/...``, as executions carry it.
        """
        return self.send(data_files.download(uri))

    def get_datamart(self) -> Datamart:
        """Get the datamart."""
        return self.send(directory.datamart(self.datamart_id))

    def get_connected_user(self) -> ConnectedUser:
        """Get the user whose token is used."""
        return self.send(directory.connected_user())

    @cached_property
    def organisation_id(self) -> str | None:
        """The organisation, from the connection or else the datamart."""
        return self.connection.organisation_id or _text(self.get_datamart().organisation_id)

    def document_import_url(self, document_import_id: str) -> str:
        """Return the address of a document import's page in Navigator, which also shows its executions.

        :raises MicsConfigurationError: The organisation is not known.
        """
        if not self.organisation_id:
            raise MicsConfigurationError(
                f"The datamart names no organisation, and connection {self.mics_conn_id} neither.",
                hint="Set organisation_id in the connection to have links.",
            )
        return (
            f"{self.connection.navigator_url}/#/v2/o/{self.organisation_id}"
            f"/datastudio/datamart/{self.datamart_id}/imports/{document_import_id}"
        )

    def test_connection(self) -> tuple[bool, str]:
        """Tell whether the connection works and, if not, what is wrong. Nothing secret is in the answer."""
        try:
            if not (self._datamart_id or self.connection.datamart_id):
                self.get_connected_user()
                return True, "Connected. Set datamart_id in the connection to test the right on a datamart too."
            datamart = self.get_datamart()
        except MicsError as error:
            return False, _diagnosis(error)
        return True, f"Connected to datamart {datamart.id}{f' ({datamart.name})' if datamart.name else ''}."


def _diagnosis(error: MicsError) -> str:
    """Say what is wrong with a connection whose test ended in ``error``."""
    match error:
        case MicsAuthenticationError():
            found = "The API does not accept the token or password."
        case MicsReplyError() | MicsPermissionError(has_envelope=False) | MicsNotFoundError(has_envelope=False):
            found = "Something answers at this host, but it is not the mediarithmics API."
        case MicsPermissionError():
            found = "The token works, but its user has no right to this."
        case MicsNotFoundError():
            found = "There is no such datamart, or the token's user may not see it."
        case MicsTransportError():
            found = "The API cannot be reached."
        case _:
            return str(error)
    return f"{found} {error}"


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)
