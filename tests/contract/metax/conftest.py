from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from airflow_provider_mics.api import repeat
from tests.contract.api.recorder import Received, Recorder, http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class SetConnection(Protocol):
    """Writes ``AIRFLOW_CONN_METAX_DEFAULT``: the given server's, but for the fields given."""

    def __call__(self, url: str, /, *, extra: dict[str, Any] | None = None, **fields: Any) -> None: ...


#: What MetaX answers to anybody it does not know, by its public pages.
UNAUTHORIZED = http(
    b'{"result": "error", "message": "UNAUTHORIZED", "reason": "No Authorization Token"}', status="401 Unauthorized"
)


class Metax:
    """A server that gives tokens, takes only the newest, and answers what it is told."""

    def __init__(self) -> None:
        self.tokens = 0
        self.answer: Callable[[Received], bytes] = lambda _: http(b"[]")
        self.recorder = Recorder(self._reply)

    @property
    def calls(self) -> list[Received]:
        """What was asked, but for tokens."""
        return [received for received in self.recorder.requests if "/oauth/" not in received.line]

    def revoke(self) -> None:
        """Let the newest token end."""
        self.tokens += 1

    def _reply(self, received: Received) -> bytes:
        if received.line == "POST /ums/2.0/oauth/ HTTP/1.1":
            # base64 of client:s3cret
            if received.headers["authorization"] != "Basic Y2xpZW50OnMzY3JldA==":
                return UNAUTHORIZED
            self.tokens += 1
            token = {"version": "1.1", "client_id": "client", "access_token": f"T{self.tokens}", "expires_in": 3600}
            return http(json.dumps(token).encode())
        if received.headers.get("authorization") != f"Bearer T{self.tokens}":
            return UNAUTHORIZED
        return self.answer(received)


@pytest.fixture(autouse=True)
def _bare_environment_and_quick_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(repeat, "_FIRST_BACKOFF_S", 0.001)


@pytest.fixture
def metax() -> Iterator[Metax]:
    server = Metax()
    with server.recorder:
        yield server


@pytest.fixture
def set_connection(monkeypatch: pytest.MonkeyPatch) -> SetConnection:
    def set_it(url: str, /, *, extra: dict[str, Any] | None = None, **fields: Any) -> None:
        connection = {
            "conn_type": "metax",
            "host": url,
            "login": "client",
            "password": "s3cret",
            "extra": {"oauth_url": f"{url}/ums/2.0/oauth/", **(extra or {})},
            **fields,
        }
        monkeypatch.setenv("AIRFLOW_CONN_METAX_DEFAULT", json.dumps(connection))

    return set_it
