"""Tokens of MetaX: one that stays, and those that client credentials bring."""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.sandbox.clock import milliseconds
from airflow_provider_mics.sandbox.messages import HttpError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.settings import Settings

NO_TOKEN: Final = "No Authorization Token"  # noqa: S105 - a text of the vendor's
_BEARER: Final = "Bearer "
_BASIC: Final = "Basic "


class MetaxAccess:
    """Who may send histories.

    :param token: accepted until it is replaced.
    :param clients: secrets by client id.
    """

    def __init__(self, token: str, clients: Mapping[str, str], clock: Clock, settings: Settings) -> None:
        self._lock = threading.Lock()
        self.token = token
        self.clients = dict(clients)
        self._clock = clock
        self._settings = settings
        #: Tokens issued, with the millisecond at which each ends.
        self._issued: dict[str, int] = {}

    def check(self, headers: Mapping[str, str]) -> None:
        """Let a request with a good token through. UNKNOWN what the vendor's reason is for one that is not good."""
        value = headers.get("authorization", "")
        if not value.startswith(_BEARER):
            raise HttpError(HTTPStatus.UNAUTHORIZED, NO_TOKEN)
        token = value.removeprefix(_BEARER)
        with self._lock:
            good = token == self.token or self._issued.get(token, 0) > self._clock.now()
        if not good:
            raise HttpError(HTTPStatus.UNAUTHORIZED, "Invalid Authorization Token")

    def issue(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """Trade client credentials for a token of ``expires_in`` seconds."""
        client_id, client_secret = _credentials(headers.get("authorization", ""))
        if not client_id or self.clients.get(client_id) != client_secret:
            raise HttpError(HTTPStatus.UNAUTHORIZED, "Invalid client credentials")
        token = secrets.token_urlsafe(32)
        seconds = self._settings.metax_expires_in_s
        with self._lock:
            self._issued[token] = self._clock.now() + milliseconds(seconds)
        return {"version": "1.1", "client_id": client_id, "access_token": token, "expires_in": int(seconds)}

    def rotate(self, token: str | None = None) -> str:
        """Replace the token that stays; the old one is refused from now on."""
        with self._lock:
            self.token = token or secrets.token_urlsafe(16)
            return self.token

    def revoke_issued(self) -> None:
        """End every token that client credentials brought."""
        with self._lock:
            self._issued.clear()


def _credentials(value: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(value.removeprefix(_BASIC), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    client_id, _, secret = text.partition(":")
    return (client_id, secret) if value.startswith(_BASIC) else ("", "")
