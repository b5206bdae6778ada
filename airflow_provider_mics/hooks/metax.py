"""Hook for MetaX, JunctionTV's metadata exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics import api
from airflow_provider_mics.exceptions import (
    MicsAuthenticationError,
    MicsError,
    MicsNotFoundError,
    MicsReplyError,
    MicsTransportError,
)
from airflow_provider_mics.hooks._base import APIHook
from airflow_provider_mics.hooks.metax_connection import MetaxConnection, read_metax_connection

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Whose favourites the test of a connection asks for: somebody who does not exist, as nobody's are its business.
_NOBODY = "airflow-connection-test"


class MetaxHook(APIHook[MetaxConnection]):
    """Talks to MetaX: authentication, HTTP, and one method per endpoint.

    Nothing is resolved or sent before the first method that needs it. Every method raises a subclass of
    :class:`~airflow_provider_mics.exceptions.MicsCallError` if its call does not succeed, and
    :class:`~airflow_provider_mics.exceptions.MicsConfigurationError` if the connection or an id cannot be right.
    Calls that may be repeated are, on connection errors, HTTP 429 and 5xx.

    :param metax_conn_id: The :ref:`Airflow connection <connection>`, of type ``metax``.
    """

    conn_name_attr = "metax_conn_id"
    default_conn_name = "metax_default"
    conn_type = "metax"
    hook_name = "JunctionTV MetaX"
    read_fields = staticmethod(read_metax_connection)

    def __init__(self, metax_conn_id: str = default_conn_name) -> None:
        super().__init__(metax_conn_id)
        self.metax_conn_id = metax_conn_id

    def put_user_stats(self, subscriber_id: str, stats: Mapping[str, Any], *, is_delta: bool = True) -> None:
        """Add to what is known of a subscriber, or replace it.

        A delta with ``play_count`` or ``view_time`` is not repeated once it may have arrived, as a sum that is sent
        again may count again. Nothing is checked here: see ``MetaxPutUserStatsOperator``.

        :param stats: ``favorites`` and ``view_data``, in the vendor's form. With ``is_delta``, a field that is absent
            keeps what is there; ``favorites`` replaces the list, and ``[]`` erases it; an asset of ``view_data`` keeps
            its fields that are not named.
        :param is_delta: False: what is sent takes the place of the subscriber's whole history.
        """
        self.send(api.metax.put_user_stats(subscriber_id, stats, is_delta=is_delta))

    def list_favorites(self, subscriber_id: str, *, size: str | None = None) -> Any:
        """Get a subscriber's favourite items.

        :param size: How much is told of each, ``min`` or ``max``; None: MetaX's default, ``min``.
        """
        return self.send(api.metax.list_favorites(subscriber_id, size=size))

    def add_favorite(self, subscriber_id: str, asset_id: str) -> None:
        """Add an asset to a subscriber's favourites."""
        self.send(api.metax.add_favorite(subscriber_id, asset_id))

    def delete_favorite(self, subscriber_id: str, asset_id: str) -> None:
        """Take an asset from a subscriber's favourites."""
        self.send(api.metax.delete_favorite(subscriber_id, asset_id))

    def test_connection(self) -> tuple[bool, str]:
        """Tell whether the connection works and, if not, what is wrong. Nothing secret is in the answer."""
        try:
            self.list_favorites(_NOBODY)
        except MicsError as error:
            return False, _diagnosis(error)
        return True, "Connected: MetaX accepts the token."


def _diagnosis(error: MicsError) -> str:
    """Say what is wrong with a connection whose test ended in ``error``."""
    match error:
        case MicsAuthenticationError():
            found = "The token, or the client id and secret, are not accepted."
        case MicsReplyError():
            found = "Something answers there, but it is not MetaX."
        case MicsNotFoundError():
            found = "A server answers, but not to this address."
        case MicsTransportError():
            found = "MetaX, or the address that gives its tokens, cannot be reached."
        case _:
            return str(error)
    return f"{found} {error}"
