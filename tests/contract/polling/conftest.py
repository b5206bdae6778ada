"""Many triggers on one event loop, against the sandbox."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api import repeat
from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.sandbox import Sandbox
from airflow_provider_mics.triggers import execution as execution_trigger
from airflow_provider_mics.triggers.execution import MicsExecutionTrigger
from tests.contract.api.bodies import LINES, Opener

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR_S = 3600.0


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_trigger, "FIRST_WAIT_S", 0.0)
    monkeypatch.setattr(repeat, "_FIRST_BACKOFF_S", 0.001)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.hold()
        connection = {"conn_type": "mics", "host": running.url, "password": running.token}
        for name in ("MICS_DEFAULT", "OTHER"):
            monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(connection))
        yield running


def new_import(sandbox: Sandbox) -> str:
    hook = MicsHook(datamart_id=sandbox.datamart_id)
    return str(hook.create_document_import(document_type="USER_PROFILE", name="x").id)


def uploaded(sandbox: Sandbox, document_import_id: str, count: int) -> list[str]:
    """Upload files, and return their executions, oldest first."""
    hook = MicsHook(datamart_id=sandbox.datamart_id)
    return [
        hook.create_execution(
            document_import_id, mime_type="APPLICATION_X_NDJSON", open_body=Opener(LINES)
        ).execution_id
        for _ in range(count)
    ]


def wait_for(
    sandbox: Sandbox, document_import_id: str, execution_ids: list[str] | None, **arguments: Any
) -> asyncio.Task[dict[str, Any]]:
    """Wait in a trigger of its own, as the triggerer runs it, for its one event."""
    arguments = {"mics_conn_id": "mics_default", "poke_interval": 0.05, "deadline": time.time() + HOUR_S, **arguments}
    trigger = MicsExecutionTrigger(
        datamart_id=sandbox.datamart_id,
        document_import_id=document_import_id,
        execution_ids=execution_ids,
        **arguments,
    )

    async def first() -> dict[str, Any]:
        events = [event.payload async for event in trigger.run()]
        assert len(events) == 1
        payload: dict[str, Any] = events[0]
        return payload

    return asyncio.ensure_future(first())


async def until(sandbox: Sandbox, **counts: int) -> None:
    """Return as soon as the sandbox has counted so much of each."""
    await asyncio.to_thread(
        sandbox.wait_until, lambda it: all(it.count(name) >= count for name, count in counts.items()), 60
    )
