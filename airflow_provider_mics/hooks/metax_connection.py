"""Reading an Airflow connection of type ``metax``, in whichever form it was written down."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from airflow_provider_mics import api
from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.hooks.connection import checked_token, given_in, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_mics.api.credentials import Credentials
    from airflow_provider_mics.api.settings import APISettings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MetaxConnection:
    """What an Airflow connection says."""

    settings: APISettings
    credentials: Credentials = dataclasses.field(repr=False)


def read_metax_connection(
    *,
    host: str | None,
    port: int | None,
    schema: str | None,
    login: str | None,
    password: str | None,
    extra: Mapping[str, Any],
    on_new_secret: Callable[[str], None] = lambda _: None,
) -> MetaxConnection:
    """Read a connection's fields.

    :param on_new_secret: Called with each token that client credentials get, so that it can be masked in logs.
    :raises MicsConfigurationError: Something in it cannot be right; the message names the field and shows no secret.
    """
    if not (host or "").strip():
        raise MicsConfigurationError(
            "The connection has no host.", hint="Put the address of your MetaX there, which JunctionTV gave you."
        )
    given = given_in(extra)
    oauth_url = str(given.get("oauth_url", api.metax_credentials.DEFAULT_OAUTH_URL))
    return MetaxConnection(
        settings=settings_of(given, host, port, schema),
        credentials=_credentials(login, password, oauth_url, on_new_secret),
    )


def _credentials(
    login: str | None, password: str | None, oauth_url: str, on_new_secret: Callable[[str], None]
) -> Credentials:
    secret = (password or "").strip()
    if not secret:
        raise MicsConfigurationError(
            "The connection has no password.",
            hint="Put an access token there, or the client secret and, into login, the client id.",
        )
    if secret != password:
        # Airflow masks the password as it is written in the connection.
        on_new_secret(secret)
    if client_id := (login or "").strip():
        if ":" in client_id:
            raise MicsConfigurationError("The connection's login must be a client id, which has no colon.")
        return api.metax_credentials.ClientCredentials(
            client_id, secret, oauth_url=oauth_url, on_new_secret=on_new_secret
        )
    return api.metax_credentials.bearer(
        checked_token(
            secret,
            "access token",
            bearer_hint="Put only the access token there; 'Bearer' is put before it.",
            hint="If it is a client secret, put the client id into login.",
        )
    )
