"""Hook for the mediarithmics API."""

from __future__ import annotations

from airflow_provider_mics.api.identifiers import numeric_id
from airflow_provider_mics.exceptions import (
    MicsAuthenticationError,
    MicsError,
    MicsNotFoundError,
    MicsPermissionError,
    MicsReplyError,
    MicsTransportError,
)
from airflow_provider_mics.hooks._directory import DirectoryMethods
from airflow_provider_mics.hooks._document_imports import DocumentImportMethods
from airflow_provider_mics.hooks._users import UserMethods


class MicsHook(DocumentImportMethods, UserMethods, DirectoryMethods):
    """Talks to mediarithmics: authentication, HTTP, and one method per endpoint.

    Nothing is resolved or sent before the first method that needs it. Every method raises a subclass of
    :class:`~airflow_provider_mics.exceptions.MicsCallError` if its call does not succeed, and
    :class:`~airflow_provider_mics.exceptions.MicsConfigurationError` if the connection or an id cannot be right.
    Calls that may be repeated are, on connection errors, HTTP 429 and 5xx.

    The methods are written by subject in ``_document_imports``, ``_users`` and ``_directory``, all on ``_mics_base``.

    :param mics_conn_id: The :ref:`Airflow connection <connection>`, of type ``mics``.
    :param datamart_id: The datamart to work in; None: the connection's.
    """

    def document_import_url(self, document_import_id: str) -> str:
        """Return the address of a document import's page in Navigator, which also shows its executions.

        :raises MicsConfigurationError: The organisation is not known, or the id is none.
        """
        return (
            f"{self.connection.navigator_url}/#/v2/o/{self._organisation()}"
            f"/datastudio/datamart/{self.datamart_id}/imports/{numeric_id(document_import_id, 'document import id')}"
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
