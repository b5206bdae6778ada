from __future__ import annotations

import contextlib
import dataclasses
import socket
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from airflow_provider_mics.api import repeat
from airflow_provider_mics.api.credentials import Credentials, TokenCredentials
from airflow_provider_mics.api.settings import APISettings
from airflow_provider_mics.sandbox import Sandbox
from tests.contract.api.recorder import Recorder
from tests.contract.api.talkers import KINDS, Talker

if TYPE_CHECKING:
    from collections.abc import Iterator


class Connect(Protocol):
    """Makes clients of the kind under test, closed at the end."""

    def __call__(self, url: str, credentials: Credentials | None = None, /, **settings: Any) -> Talker: ...


@pytest.fixture(autouse=True)
def _bare_environment_and_quick_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    # How long it waits is a matter of the unit tests.
    monkeypatch.setattr(repeat, "_FIRST_BACKOFF_S", 0.001)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as running:
        yield running


@pytest.fixture(params=sorted(KINDS))
def connect(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Connect]:
    with contextlib.ExitStack() as stack:

        def make(url: str, credentials: Credentials | None = None, /, **settings: Any) -> Talker:
            chosen = APISettings(**{"base_url": url, "timeout_s": 20, **settings})
            talker = KINDS[request.param](chosen, credentials or TokenCredentials(sandbox.token))
            stack.callback(talker.close)
            return talker

        yield make


@pytest.fixture
def talker(connect: Connect, sandbox: Sandbox) -> Talker:
    """A client of the sandbox."""
    return connect(sandbox.url)


@dataclasses.dataclass
class ClosedPort:
    """A port that refuses connections, kept from others while it is wanted."""

    number: int
    url: str
    free: Any


@pytest.fixture
def closed_port() -> Iterator[ClosedPort]:
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        number = kept.getsockname()[1]
        yield ClosedPort(number, f"http://127.0.0.1:{number}", kept.close)
