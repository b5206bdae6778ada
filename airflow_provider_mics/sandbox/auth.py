"""Tokens, logins and rights."""

from __future__ import annotations

import secrets
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.sandbox.clock import milliseconds
from airflow_provider_mics.sandbox.messages import FORBIDDEN_TEXT, HttpError, Request, Response, not_found, ok

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.settings import Settings

#: Prefix of long-term tokens; some places show the token with it, some without. INFERRED that both are one token.
_PREFIX: Final = "api:"
USER_ID: Final = "4711"


class Access:
    """Who may do what.

    :param tokens: long-term tokens, with or without prefix.
    :param accounts: passwords by e-mail address.
    :param datamarts: organisation ids by datamart id.
    :param forbidden: datamarts that exist, on which nobody has a right.
    """

    def __init__(
        self,
        *,
        tokens: Iterable[str],
        accounts: Mapping[str, str],
        datamarts: Mapping[str, str],
        forbidden: Iterable[str],
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._lock = threading.Lock()
        self._tokens = {token.removeprefix(_PREFIX) for token in tokens}
        self._accounts = dict(accounts)
        self.datamarts = dict(datamarts)
        self.forbidden = frozenset(forbidden)
        self._clock = clock
        self._settings = settings
        #: Temporary tokens, with the millisecond at which each ends.
        self._issued: dict[str, int] = {}
        self._refresh: set[str] = set()
        #: Long-term tokens created by the API, with the millisecond at which each ends.
        self._granted: dict[str, int] = {}

    def check(self, headers: Mapping[str, str]) -> None:
        """Let a request with a good token through; 401 otherwise. The text is UNKNOWN at the vendor."""
        value = headers.get("authorization", "")
        bare = value.removeprefix(_PREFIX)
        with self._lock:
            good = bare in self._tokens or (
                max(self._issued.get(value, 0), self._granted.get(bare, 0)) > self._clock.now()
            )
        if not good:
            raise HttpError(
                HTTPStatus.UNAUTHORIZED, "Authentication is required: the access token is missing or invalid"
            )

    def organisation_of(self, datamart_id: str) -> str:
        """Return a datamart's organisation, if the caller has a right on it; 403 or 404 otherwise (INFERRED)."""
        if datamart_id in self.forbidden:
            raise HttpError(HTTPStatus.FORBIDDEN, FORBIDDEN_TEXT)
        organisation_id = self.datamarts.get(datamart_id)
        if organisation_id is None:
            raise not_found()
        return organisation_id

    def rotate(self, old: str, new: str) -> None:
        """Replace a long-term token."""
        with self._lock:
            self._tokens.discard(old.removeprefix(_PREFIX))
            self._tokens.add(new.removeprefix(_PREFIX))

    def grant(self, token: str, until: int) -> None:
        """Accept another long-term token, until that millisecond."""
        with self._lock:
            self._granted[token.removeprefix(_PREFIX)] = until

    def withdraw(self, token: str) -> None:
        """Refuse a long-term token from now on."""
        with self._lock:
            self._granted.pop(token.removeprefix(_PREFIX), None)

    def revoke_issued(self) -> None:
        """End every token and refresh token that a login brought."""
        with self._lock:
            self._issued.clear()
            self._refresh.clear()

    async def access_tokens(self, request: Request) -> Response:
        """Trade an e-mail address and password, or a refresh token, for a token of ``expires_in`` seconds."""
        body = await request.json_object()
        refresh = body.get("refresh_token")
        if refresh is None:
            self._check_login(body)
        with self._lock:
            if refresh is not None and refresh not in self._refresh:
                raise HttpError(HTTPStatus.UNAUTHORIZED, "The refresh token is invalid")
            renewed = None
            if refresh is not None and self._settings.rotate_refresh_tokens:
                self._refresh.discard(refresh)
                renewed = self._new_refresh_token()
            token = secrets.token_urlsafe(32)
            self._issued[token] = self._clock.now() + milliseconds(self._settings.expires_in_s)
        expires_in = int(self._settings.expires_in_s)
        return ok({"access_token": token, "expires_in": expires_in, "refresh_token": renewed})

    async def refresh_tokens(self, request: Request) -> Response:
        """Trade an e-mail address and password for a refresh token."""
        self._check_login(await request.json_object())
        with self._lock:
            return ok({"refresh_token": self._new_refresh_token()})

    async def revoke_refresh_token(self, request: Request) -> Response:
        """End a refresh token. UNKNOWN what the vendor answers for one it does not know: we answer the same."""
        body = await request.json_object()
        with self._lock:
            self._refresh.discard(body.get("refresh_token", ""))
        return ok({})

    def connected_user(self) -> Response:
        """Describe the token's user. INFERRED that a long-term token may ask; the vendor's UI does with its own."""
        workspaces: dict[str, list[dict[str, Any]]] = {}
        for datamart_id, organisation_id in self.datamarts.items():
            workspaces.setdefault(organisation_id, []).append({"id": datamart_id, "name": f"Datamart {datamart_id}"})
        return ok(
            {
                "id": USER_ID,
                "first_name": "Sandbox",
                "last_name": "User",
                "email": next(iter(self._accounts), None),
                "workspaces": [
                    {
                        "organisation_id": organisation_id,
                        "organisation_name": f"Organisation {organisation_id}",
                        "datamarts": datamarts,
                    }
                    for organisation_id, datamarts in workspaces.items()
                ],
            }
        )

    def datamart(self, datamart_id: str) -> Response:
        """Describe one datamart."""
        return ok(_datamart(datamart_id, self.organisation_of(datamart_id)))

    def datamart_list(self, organisation_id: str | None) -> list[dict[str, Any]]:
        """List the datamarts of an organisation, or all the caller has a right on (INFERRED)."""
        return [_datamart(*item) for item in self.datamarts.items() if organisation_id in {None, item[1]}]

    def _check_login(self, body: Mapping[str, Any]) -> None:
        if self._settings.password_expired:
            raise HttpError(HTTPStatus.UNAUTHORIZED, "The password has expired", code="EXPIRED_PASSWORD_ERROR")
        email, password = body.get("email"), body.get("password")
        if not isinstance(email, str) or not isinstance(password, str):
            # UNKNOWN at the vendor: we answer 400.
            raise HttpError(HTTPStatus.BAD_REQUEST, "email and password are required")
        if self._accounts.get(email) != password:
            raise HttpError(HTTPStatus.UNAUTHORIZED, "Invalid email or password")

    def _new_refresh_token(self) -> str:
        token = secrets.token_urlsafe(32)
        self._refresh.add(token)
        return token


def _datamart(datamart_id: str, organisation_id: str) -> dict[str, Any]:
    return {
        "id": datamart_id,
        "name": f"Datamart {datamart_id}",
        "organisation_id": organisation_id,
        "token": f"sandbox-{datamart_id}",
        "creation_date": 1577836800000,
        "time_zone": "Europe/Paris",
        "type": "DATAMART",
        "datafarm": "DF_EU_2020_02",
        "region": "EUROPE",
        "storage_model_version": "v202205",
        "archived": False,
    }
