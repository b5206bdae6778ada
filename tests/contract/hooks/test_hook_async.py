"""The hook in the triggerer: on an event loop that others share."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics import api
from airflow_provider_mics.api import async_client, directory, executions
from airflow_provider_mics.api.async_client import AsyncMicsClient
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsNotFoundError
from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.sandbox.defaults import DEFAULT_EMAIL, DEFAULT_PASSWORD
from tests.contract.api.bodies import LINES, Opener

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Fault, Sandbox
    from tests.contract.hooks.conftest import SetConnection


def test_it_reads_executions(set_connection: SetConnection, sandbox: Sandbox) -> None:
    set_connection()
    hook = MicsHook()
    import_id = str(hook.create_document_import(document_type="USER_PROFILE", name="x").id)
    ids = [
        hook.create_execution(import_id, mime_type="APPLICATION_X_NDJSON", open_body=Opener(LINES)).execution_id
        for _ in range(5)
    ]

    async def main() -> list[str]:
        async with MicsHook().async_client() as client:
            found = await client.run(executions.read_some(sandbox.datamart_id, import_id, ids))
            one = await client.send(executions.get(sandbox.datamart_id, import_id, ids[0]))
            return [*found, one.execution_id]

    assert asyncio.run(main()) == [*ids, ids[0]]
    assert sandbox.count("list_executions") == 1


def test_the_loop_goes_on_while_an_answer_is_awaited(set_connection: SetConnection, sandbox: Sandbox) -> None:
    """The answer comes only after the loop has done other things, so that a loop that is blocked never gets it."""
    set_connection(extra={"datamart_id": sandbox.datamart_id, "timeout": 20})
    fault = sandbox.faults.plan("delay", kind="get_datamart")
    beats = 0

    async def beat(held_up: Fault) -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.001)
            if held_up.fired:
                beats += 1
                if beats == 50:
                    held_up.release()

    async def main() -> str:
        heart = asyncio.ensure_future(beat(fault))
        async with MicsHook().async_client() as client:
            found = await client.send(directory.datamart(sandbox.datamart_id))
        heart.cancel()
        return str(found.id)

    assert asyncio.run(main()) == sandbox.datamart_id
    assert beats >= 50
    assert sandbox.count("get_datamart") == 1


class Witness:
    """Finds no module, and notes which thread asks for one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.threads: list[threading.Thread] = []

    def find_spec(self, name: str, *_: object) -> None:
        if name == self._name:
            self.threads.append(threading.current_thread())


def test_the_loop_goes_on_while_its_libraries_are_imported(
    set_connection: SetConnection, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_connection()
    witness = Witness(async_client.__name__)
    # What it is imported to again goes with the test.
    monkeypatch.setattr(api, "async_client", async_client)
    monkeypatch.delitem(sys.modules, async_client.__name__)
    monkeypatch.setattr(sys, "meta_path", [witness, *sys.meta_path])

    async def main() -> None:
        async with MicsHook().async_client() as client:
            await client.send(directory.datamart(sandbox.datamart_id))

    asyncio.run(main())

    assert len(witness.threads) == 1
    assert witness.threads[0] is not threading.main_thread()


def test_its_tokens_are_masked_even_if_the_task_fails(
    set_connection: SetConnection, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    masked: list[Any] = []
    closed = asyncio.Event()
    close = AsyncMicsClient.__aexit__

    async def mask(secret: Any) -> None:
        # Airflow's own calls come before; ours takes longer than all that the failing task does.
        if isinstance(secret, str) and secret != DEFAULT_PASSWORD:
            await closed.wait()
            for _ in range(20):
                await asyncio.sleep(0)
        masked.append(secret)

    async def tell_closed(client: AsyncMicsClient, *error: object) -> None:
        await close(client, *error)
        closed.set()

    monkeypatch.setattr("airflow.sdk.log.amask_secret", mask)
    monkeypatch.setattr(AsyncMicsClient, "__aexit__", tell_closed)
    set_connection(login=DEFAULT_EMAIL, password=DEFAULT_PASSWORD)

    async def main() -> None:
        async with MicsHook().async_client() as client:
            await client.send(directory.datamart("999"))

    with pytest.raises(MicsNotFoundError):
        asyncio.run(main())
    assert sandbox.count("create_access_token") == 1
    # Airflow masks what is in the connection.
    assert len([item for item in masked if isinstance(item, str) and item != DEFAULT_PASSWORD]) == 1


def test_a_connection_that_cannot_be_right_is_an_error_on_entering(set_connection: SetConnection) -> None:
    set_connection(password="Bearer s3cret")

    async def main() -> None:
        async with MicsHook().async_client():
            pytest.fail("entered")

    with pytest.raises(MicsConfigurationError, match="Bearer"):
        asyncio.run(main())


def test_it_leaves_nothing_open(set_connection: SetConnection, sandbox: Sandbox) -> None:
    set_connection()

    async def main() -> int:
        before = asyncio.all_tasks()
        for _ in range(3):
            async with MicsHook().async_client() as client:
                await client.send(directory.connected_user())
        return len(asyncio.all_tasks() - before)

    assert asyncio.run(main()) == 0
    assert sandbox.count("connections") == 3
