"""Reading an Airflow connection of type ``mics``, in whichever form it was written down.

The form writes every field, empty ones as null; a URI makes every extra a string; JSON keeps types. All mean the same.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_provider_mics import api
from airflow_provider_mics.api.constants import DEFAULT_BASE_URL, DEFAULT_LIST_LAG_S, DEFAULT_NAVIGATOR_URL
from airflow_provider_mics.api.identifiers import numeric_id
from airflow_provider_mics.exceptions import MicsConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_mics.api.credentials import Credentials
    from airflow_provider_mics.api.settings import APISettings

_TRUE = {"true", "yes", "1", "on"}
_FALSE = {"false", "no", "0", "off"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MicsConnection:
    """What an Airflow connection says.

    :param list_lag_s: How long after an upload the lists of the platform may not show it yet, in s.
    """

    settings: APISettings
    credentials: Credentials = dataclasses.field(repr=False)
    datamart_id: str | None
    organisation_id: str | None
    navigator_url: str
    list_lag_s: float = DEFAULT_LIST_LAG_S


def read_connection(
    *,
    host: str | None,
    port: int | None,
    schema: str | None,
    login: str | None,
    password: str | None,
    extra: Mapping[str, Any],
    on_new_secret: Callable[[str], None] = lambda _: None,
) -> MicsConnection:
    """Read a connection's fields.

    :param on_new_secret: Called with each token that a login gets, so that it can be masked in logs.
    :raises MicsConfigurationError: Something in it cannot be right; the message names the field and shows no secret.
    """
    given = given_in(extra)
    datamart_id = given.get("datamart_id")
    organisation_id = given.get("organisation_id")
    return MicsConnection(
        settings=settings_of(given, host, port, schema),
        credentials=_credentials(login, password, on_new_secret),
        datamart_id=None if datamart_id is None else numeric_id(datamart_id, "datamart id of the connection"),
        organisation_id=(
            None if organisation_id is None else numeric_id(organisation_id, "organisation id of the connection")
        ),
        navigator_url=str(given.get("navigator_url", DEFAULT_NAVIGATOR_URL)).rstrip("/"),
        list_lag_s=max(0.0, _number(given, "list_lag", DEFAULT_LIST_LAG_S)),
    )


def given_in(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extra fields that say something."""
    return {name: value for name, value in extra.items() if value is not None and value != ""}


def settings_of(given: Mapping[str, Any], host: str | None, port: int | None, schema: str | None) -> APISettings:
    """Read what connections of every type have.

    :param given: The extra fields that say something.
    :raises MicsConfigurationError: Something in it cannot be right.
    """
    return api.settings.APISettings(
        base_url=_base_url(host, port, schema),
        timeout_s=_number(given, "timeout", api.settings.DEFAULT_TIMEOUT_S),
        verify=_verify(given.get("verify", True)),
        proxy=_text(given.get("proxy")),
        rate_limit=_number(given, "rate_limit", None),
    )


def _base_url(host: str | None, port: int | None, schema: str | None) -> str:
    if not host:
        return DEFAULT_BASE_URL
    if host.count(":") > 1 and "://" not in host and not host.startswith("["):
        # An IPv6 address, which Airflow's reading of a URI strips of its brackets.
        host = f"[{host}]"
    url = host if "://" in host else f"{schema or 'https'}://{host}"
    try:
        has_port = urlsplit(url).port is not None
    except ValueError:
        raise MicsConfigurationError("The host of the connection is not an address.") from None
    if port and not has_port:
        parts = urlsplit(url)
        url = parts._replace(netloc=f"{parts.netloc}:{port}").geturl()
    return url


def _credentials(login: str | None, password: str | None, on_new_secret: Callable[[str], None]) -> Credentials:
    secret = (password or "").strip()
    if not secret:
        raise MicsConfigurationError(
            "The connection has no password.", hint="Put the API token there, or a login (e-mail) and its password."
        )
    if email := (login or "").strip():
        # An account's password may begin or end with a space; no token does.
        return api.credentials.LoginCredentials(email, password or "", on_new_secret)
    if secret != password:
        # Airflow masks the password as it is written in the connection.
        on_new_secret(secret)
    return api.credentials.TokenCredentials(
        checked_token(
            secret,
            "API token",
            bearer_hint="Put only the API token there; mediarithmics takes it as it is.",
            hint="If it is the password of an e-mail login, put the e-mail into login.",
        )
    )


def checked_token(secret: str, kind: str, *, bearer_hint: str, hint: str) -> str:
    """Return a password that can be a token.

    :param kind: What such a token is called.
    :param bearer_hint: What to do if it begins like a header.
    :param hint: What to do if it is something else.
    :raises MicsConfigurationError: It cannot be one.
    """
    if secret.lower().startswith("bearer "):
        raise MicsConfigurationError("The connection's password begins with 'Bearer'.", hint=bearer_hint)
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise MicsConfigurationError(
            f"The connection's password is no {kind}: it contains spaces or characters that no token has.", hint=hint
        )
    return secret


def _number(given: Mapping[str, Any], name: str, default: Any) -> Any:
    if name not in given:
        return default
    value = given[name]
    try:
        # float() takes a bool for 0 or 1.
        return float(str(value) if isinstance(value, bool) else value)
    except (TypeError, ValueError, OverflowError):
        raise MicsConfigurationError(f"{name} in the connection's extra must be a number.") from None


def _verify(value: Any) -> bool | str:
    if isinstance(value, bool):
        return value
    text = str(value).strip()
    if text.lower() in _TRUE:
        return True
    return False if text.lower() in _FALSE else text


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
