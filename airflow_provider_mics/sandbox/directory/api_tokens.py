"""Long-term API tokens of the user: created, listed, renamed, revoked."""

from __future__ import annotations

import itertools
import secrets
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.sandbox.auth import USER_ID
from airflow_provider_mics.sandbox.messages import HttpError, not_found, ok, page, window

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox.auth import Access
    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.messages import Request, Response
    from airflow_provider_mics.sandbox.routing import Arguments, Router
    from airflow_provider_mics.sandbox.settings import Settings

#: A year, in milliseconds; the vendor's tokens usually live 12 to 24 months.
_LIFE_MS: Final = 365 * 24 * 3600 * 1000


class ApiTokens:
    """The handlers of ``/v1/users/:userId/api_tokens``. A token created is accepted until it is revoked or ends."""

    def __init__(self, access: Access, clock: Clock, settings: Settings) -> None:
        self._access = access
        self._clock = clock
        self._settings = settings
        self._lock = threading.Lock()
        self._ids = itertools.count(7001)
        self._tokens: dict[str, dict[str, Any]] = {}

    def add_routes(self, router: Router) -> None:
        """Add the paths."""
        path = "/v1/users/:user/api_tokens"
        router.add("create_api_token", "POST", path, self.create)
        router.add("list_api_tokens", "GET", path, self.list)
        router.add("get_api_token", "GET", f"{path}/:token", self.get)
        router.add("update_api_token", "PUT", f"{path}/:token", self.update)
        router.add("delete_api_token", "DELETE", f"{path}/:token", self.delete)

    async def create(self, request: Request, arguments: Arguments) -> Response:
        """Create a token; this answer is the only one that holds its value."""
        _check_user(arguments)
        name = _name(await request.json_object())
        now = self._clock.now()
        with self._lock:
            token: dict[str, Any] = {
                "id": str(next(self._ids)),
                "name": name,
                "creation_date": now,
                "expiration_date": now + _LIFE_MS,
                "value": f"api:{secrets.token_urlsafe(24)}",
            }
            self._tokens[token["id"]] = token
        self._access.grant(token["value"], token["expiration_date"])
        return ok(token, self._settings.created_status)

    async def list(self, request: Request, arguments: Arguments) -> Response:
        """List the tokens that were created here."""
        _check_user(arguments)
        with self._lock:
            found = [_without_value(token) for token in self._tokens.values()]
        asked = window(request.query, self._settings.default_page_size, self._settings.max_page_size)
        return page(asked.of(found), len(found), asked)

    async def get(self, _: Request, arguments: Arguments) -> Response:
        """Read one token, without its value."""
        return ok(_without_value(self._find(arguments)))

    async def update(self, request: Request, arguments: Arguments) -> Response:
        """Rename a token."""
        token = self._find(arguments)
        name = _name(await request.json_object())
        with self._lock:
            token["name"] = name
        return ok(_without_value(token))

    async def delete(self, _: Request, arguments: Arguments) -> Response:
        """Revoke a token: it is refused from now on. UNKNOWN what the vendor answers: we answer the token."""
        token = self._find(arguments)
        with self._lock:
            self._tokens.pop(token["id"], None)
        self._access.withdraw(token["value"])
        return ok(_without_value(token))

    def clear(self) -> None:
        """Revoke every token created here."""
        with self._lock:
            tokens = list(self._tokens.values())
            self._tokens.clear()
        for token in tokens:
            self._access.withdraw(token["value"])

    def _find(self, arguments: Arguments) -> dict[str, Any]:
        _check_user(arguments)
        with self._lock:
            token = self._tokens.get(arguments["token"])
        if token is None:
            raise not_found()
        return token


def _check_user(arguments: Arguments) -> None:
    """Let only the token's own user through. UNKNOWN how the vendor refuses another's: we answer 404."""
    if arguments["user"] != USER_ID:
        raise not_found()


def _name(body: dict[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise HttpError(HTTPStatus.BAD_REQUEST, "name is missing")
    return name


def _without_value(token: dict[str, Any]) -> dict[str, Any]:
    """Hide the value: the vendor says it cannot be read. UNKNOWN whether it leaves the field out, or masks it."""
    return {name: value for name, value in token.items() if name != "value"}
