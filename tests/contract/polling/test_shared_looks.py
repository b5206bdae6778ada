"""Waits of one event loop that share their looks."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.bulk import telling
from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.triggers import _sharing
from tests.contract.polling.conftest import new_import, until, uploaded, wait_for

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox


def looks(sandbox: Sandbox, kind: str = "list_executions") -> int:
    return sandbox.count(kind)


def ended(events: list[dict[str, Any]]) -> bool:
    return {event["status"] for event in events} == {"ended"}


def test_a_hundred_waits_share_one_list_call_an_interval_and_one_connection(sandbox: Sandbox) -> None:
    document_import_id = new_import(sandbox)
    ids = uploaded(sandbox, document_import_id, 100)
    connections = sandbox.count("connections")

    async def main() -> list[dict[str, Any]]:
        waits = [wait_for(sandbox, document_import_id, [item], poke_interval=0.2) for item in ids]
        started = time.monotonic()
        await until(sandbox, list_executions=6)
        # Six looks are five intervals, of 0.2 s at least: none has been shorter.
        assert time.monotonic() - started >= 5 * 0.2
        sandbox.release()
        return await asyncio.gather(*waits)

    assert ended(asyncio.run(main()))
    assert sandbox.count("get_execution") == 0
    # A page holds all that are waited for.
    assert {item.query["first_result"] for item in sandbox.requests if item.kind == "list_executions"} == {"0"}
    assert sandbox.count("connections") - connections == 1


def test_imports_of_one_connection_share_a_client_and_others_do_not(sandbox: Sandbox) -> None:
    imports = {
        document_import_id: uploaded(sandbox, document_import_id, 5)
        for document_import_id in [new_import(sandbox) for _ in range(3)]
    }
    sandbox.release()
    opened = []
    original = MicsHook.async_client

    def counted(hook: MicsHook) -> Any:
        opened.append(hook.mics_conn_id)
        return original(hook)

    async def main() -> list[dict[str, Any]]:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(MicsHook, "async_client", counted)
            return await asyncio.gather(
                *[
                    wait_for(sandbox, document_import_id, ids, mics_conn_id=conn_id)
                    for document_import_id, ids in imports.items()
                    for conn_id in ("mics_default", "other")
                ]
            )

    assert ended(asyncio.run(main()))
    assert sorted(opened) == ["mics_default", "other"]


def test_waits_come_and_go_without_disturbing_others(sandbox: Sandbox) -> None:
    document_import_id = new_import(sandbox)
    ids = uploaded(sandbox, document_import_id, 20)

    async def main() -> list[dict[str, Any]]:
        waits = [wait_for(sandbox, document_import_id, [item]) for item in ids[:15]]
        await until(sandbox, list_executions=2)
        for wait in waits[:5]:
            wait.cancel()
        waits += [wait_for(sandbox, document_import_id, [item]) for item in ids[15:]]
        await until(sandbox, list_executions=looks(sandbox) + 2)
        sandbox.release()
        found = await asyncio.gather(*waits, return_exceptions=True)
        assert all(isinstance(item, asyncio.CancelledError) for item in found[:5])
        return [item for item in found[5:] if isinstance(item, dict)]

    events = asyncio.run(main())

    assert ended(events)
    assert [event["execution_ids"] for event in events] == [[item] for item in ids[5:]]


def test_the_one_that_opened_the_client_may_leave_at_once(sandbox: Sandbox) -> None:
    document_import_id = new_import(sandbox)
    ids = uploaded(sandbox, document_import_id, 5)

    async def main() -> dict[str, Any]:
        first = wait_for(sandbox, document_import_id, ids[:1])
        second = wait_for(sandbox, document_import_id, ids[1:])
        await asyncio.sleep(0)
        first.cancel()
        sandbox.release()
        return await second

    assert asyncio.run(main())["status"] == "ended"


def test_the_last_that_leaves_closes_all(sandbox: Sandbox) -> None:
    document_import_id = new_import(sandbox)
    ids = uploaded(sandbox, document_import_id, 5)

    async def main() -> None:
        before = asyncio.all_tasks()
        waits = [wait_for(sandbox, document_import_id, [item]) for item in ids]
        await until(sandbox, list_executions=1)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        assert asyncio.all_tasks() == before
        assert not _sharing._shares[asyncio.get_running_loop()]

    asyncio.run(main())


def test_one_that_joins_hurries_a_poller_that_has_time(sandbox: Sandbox) -> None:
    document_import_id = new_import(sandbox)
    ids = uploaded(sandbox, document_import_id, 5)

    async def main() -> list[dict[str, Any]]:
        patient = wait_for(sandbox, document_import_id, ids[:4], poke_interval=3000)
        hasty = wait_for(sandbox, document_import_id, ids, poke_interval=0.05)
        await until(sandbox, list_executions=3)
        sandbox.release()
        # What the one sees ends the other, too.
        return list(await asyncio.gather(patient, hasty))

    assert ended(asyncio.run(main()))


def test_event_loops_share_nothing(sandbox: Sandbox) -> None:
    document_import_id = new_import(sandbox)
    ids = uploaded(sandbox, document_import_id, 5)
    connections = sandbox.count("connections")
    results: list[Any] = []

    async def main() -> None:
        results.append(await wait_for(sandbox, document_import_id, ids))

    threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(3)]
    for thread in threads:
        thread.start()
    sandbox.wait_until(lambda it: it.count("connections") - connections >= 3, 60)
    sandbox.release()
    for thread in threads:
        thread.join()

    assert len(results) == 3
    assert ended(results)


def test_a_failed_look_is_told_to_each_and_ends_none(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    document_import_id = new_import(sandbox)
    ids = uploaded(sandbox, document_import_id, 8)
    sandbox.faults.plan("html", kind="list_executions", times=10)

    async def main() -> list[dict[str, Any]]:
        waits = [wait_for(sandbox, document_import_id, [item]) for item in ids]
        # Each look is tried five times.
        await until(sandbox, list_executions=11)
        sandbox.release()
        return await asyncio.gather(*waits)

    assert ended(asyncio.run(main()))
    assert caplog.text.count("Look 1 in a row failed") == len(ids)
    assert caplog.text.count("Look 2 in a row failed") == len(ids)


def test_what_many_learn_at_once_does_not_hold_up_the_event_loop(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    document_import_id = new_import(sandbox)
    ids = uploaded(sandbox, document_import_id, 100)
    turns = 0
    said: collections.Counter[int] = collections.Counter()

    class Counting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "PENDING" in record.getMessage():
                said[turns] += 1

    async def main() -> list[dict[str, Any]]:
        nonlocal turns
        waits = [wait_for(sandbox, document_import_id, [item]) for item in ids]
        while said.total() < len(ids):
            turns += 1
            await asyncio.sleep(0)
        sandbox.release()
        return await asyncio.gather(*waits)

    counting = Counting()
    logging.getLogger().addHandler(counting)
    try:
        assert ended(asyncio.run(main()))
    finally:
        logging.getLogger().removeHandler(counting)
    assert said.total() == len(ids)
    assert max(said.values()) <= telling.AT_ONCE


def test_refusals_end_all(sandbox: Sandbox) -> None:
    document_import_id = new_import(sandbox)
    ids = uploaded(sandbox, document_import_id, 8)
    sandbox.faults.plan("status", status=403, kind="list_executions", times=None)

    async def main() -> list[dict[str, Any]]:
        return await asyncio.gather(*[wait_for(sandbox, document_import_id, [item]) for item in ids])

    events = asyncio.run(main())

    assert {event["status"] for event in events} == {"give up"}
    assert all("HTTP 403" in event["message"] for event in events)
    assert looks(sandbox) == 3


def test_one_that_does_not_exist_is_the_trouble_of_those_who_wait_for_it(sandbox: Sandbox) -> None:
    document_import_id = new_import(sandbox)
    ids = uploaded(sandbox, document_import_id, 8)

    async def main() -> list[dict[str, Any]]:
        waits = [wait_for(sandbox, document_import_id, [item]) for item in [*ids, "999999"]]
        lost = await waits[-1]
        sandbox.release()
        return [lost, *await asyncio.gather(*waits[:-1])]

    lost, *others = asyncio.run(main())

    assert (lost["status"], "HTTP 404" in lost["message"]) == ("give up", True)
    assert ended(others)


def test_each_has_its_own_deadline_kept_while_a_look_hangs(sandbox: Sandbox) -> None:
    document_import_id = new_import(sandbox)
    ids = uploaded(sandbox, document_import_id, 8)
    fault = sandbox.faults.plan("delay", kind="list_executions")

    async def main() -> list[dict[str, Any]]:
        waits = [
            wait_for(sandbox, document_import_id, [item], deadline=time.time() + (0.3 if item in ids[:4] else 3600))
            for item in ids
        ]
        first = await asyncio.gather(*waits[:4])
        fault.release()
        sandbox.release()
        return [*first, *await asyncio.gather(*waits[4:])]

    events = asyncio.run(main())

    assert [event["status"] for event in events] == ["timeout"] * 4 + ["ended"] * 4


def test_retry_after_is_obeyed_by_all_together(sandbox: Sandbox) -> None:
    document_import_id = new_import(sandbox)
    ids = uploaded(sandbox, document_import_id, 8)
    # Five attempts are one look.
    sandbox.faults.plan("status", status=429, kind="list_executions", times=5, retry_after=0)
    sandbox.faults.plan("status", status=429, kind="list_executions", times=1, retry_after=1)
    sandbox.release()

    async def main() -> list[dict[str, Any]]:
        return await asyncio.gather(*[wait_for(sandbox, document_import_id, [item]) for item in ids])

    assert ended(asyncio.run(main()))
    times = [item.time_ms for item in sandbox.requests if item.kind == "list_executions"]
    assert looks(sandbox) == 7
    assert times[6] - times[5] >= 1000


def test_waits_for_all_of_an_import_and_for_some_share_too(sandbox: Sandbox) -> None:
    document_import_id = new_import(sandbox)
    ids = uploaded(sandbox, document_import_id, 60)
    sandbox.settings.max_page_size = 25

    async def main() -> list[dict[str, Any]]:
        sandbox.release()
        waits = [wait_for(sandbox, document_import_id, wanted) for wanted in (None, ids[:2])]
        return await asyncio.gather(*waits)

    assert ended(asyncio.run(main()))
    assert sandbox.count("get_execution") == 0
    assert looks(sandbox) % 3 == 0


def test_a_fault_of_our_own_ends_the_waits_and_hinders_no_later_one(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    document_import_id = new_import(sandbox)
    ids = uploaded(sandbox, document_import_id, 5)
    sandbox.release()

    async def main() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(MicsHook, "async_client", lambda _: contextlib.nullcontext(None))
            failed = await asyncio.gather(
                *[wait_for(sandbox, document_import_id, [item]) for item in ids], return_exceptions=True
            )
        assert all(isinstance(item, AttributeError) for item in failed)
        assert (await wait_for(sandbox, document_import_id, ids))["status"] == "ended"

    asyncio.run(main())


def test_a_connection_that_cannot_be_right_ends_waits_after_some_looks(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    document_import_id = new_import(sandbox)
    monkeypatch.setenv("AIRFLOW_CONN_MICS_DEFAULT", '{"conn_type": "mics"}')

    async def main() -> dict[str, Any]:
        return await wait_for(sandbox, document_import_id, ["1"])

    event = asyncio.run(main())

    assert event["status"] == "give up"
    assert "has no password" in event["message"]
