from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from airflow_provider_mics.api import repeat
from airflow_provider_mics.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


class SetConnection(Protocol):
    """Writes ``AIRFLOW_CONN_MICS_DEFAULT``: the sandbox's connection, but for the fields given."""

    def __call__(self, *, extra: dict[str, Any] | None = None, **fields: Any) -> None: ...


@pytest.fixture(autouse=True)
def _bare_environment_and_quick_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(repeat, "_FIRST_BACKOFF_S", 0.001)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def set_connection(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> SetConnection:
    def set_it(*, extra: dict[str, Any] | None = None, **fields: Any) -> None:
        connection = {
            "conn_type": "mics",
            "host": sandbox.url,
            "password": sandbox.token,
            "extra": {"datamart_id": sandbox.datamart_id} if extra is None else extra,
            **fields,
        }
        monkeypatch.setenv("AIRFLOW_CONN_MICS_DEFAULT", json.dumps(connection))

    return set_it
