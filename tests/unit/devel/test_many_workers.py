from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from devel.many_workers.account import Account, Calm, Kill, Part, Received, order, problems
from devel.many_workers.airflow import celery_settings, component_name
from devel.many_workers.big_object import LINE_BYTES, BigObject, write_object
from devel.many_workers.object_store import FileBuffer, FileContent
from devel.many_workers.report import report
from devel.many_workers.servers import install, missing

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def account(tmp_path: Path) -> Account:
    """What is as it should be: of four parts the second was on the worker that was killed."""
    return Account(
        run_state="success",
        source=BigObject(tmp_path / "profiles.ndjson", bytes=400, lines=4, sha256="right"),
        parts=[
            Part(1, "success", ("worker-1",), ("11",)),
            Part(2, "success", ("worker-1", "worker-2"), ("12",)),
            Part(3, "success", ("worker-2",), ("14",)),
            Part(4, "success", ("worker-2",), ("13",)),
        ],
        received=[Received(str(number), 100, "SUCCEEDED") for number in (11, 12, 13, 14)],
        sha256="right",
        summary={"lines": 4, "accepted": 4, "bytes": 400},
        waits={0: "success", 1: "success"},
        deferred=frozenset({0, 1}),
        worker=Kill("worker-1", (2,)),
        triggerer=Kill("triggerer-2", (1,)),
        calm=Calm(seconds=45.0, waits=2, requests={"list_executions": 3}),
        requests={"create_execution": 4, "list_executions": 7},
    )


def test_what_is_as_it_should_be_is_no_problem(account: Account) -> None:
    assert problems(account) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"run_state": "failed"}, "the run ended as failed"),
        ({"sha256": "wrong"}, "the bytes at the sandbox are not those of the object"),
        ({"summary": {"lines": 4, "accepted": 3, "bytes": 400}}, "the summary's accepted are 3, not 4"),
        ({"worker": Kill("worker-1", ())}, "worker-1 had no part in hand"),
        ({"worker": Kill("worker-2", (3,))}, "part 3 was on worker-2 when that was killed"),
        ({"triggerer": Kill("triggerer-2", ())}, "nothing waited in triggerer-2"),
        ({"waits": {0: "success", 1: "failed"}}, "waits ended otherwise than well: {'failed': 1}"),
        ({"deferred": frozenset({0})}, "1 of 2 waits were never deferred"),
        ({"requests": {"act_on_execution": 2}}, "2 requests to cancel executions"),
    ],
)
def test_what_is_not_is_said(account: Account, change: dict[str, Any], said: str) -> None:
    (problem,) = problems(replace(account, **change))

    assert problem.startswith(said)


@pytest.mark.parametrize(
    ("parts", "received", "said"),
    [
        # A part that was sent again although it was in.
        ([], [Received("15", 100, "SUCCEEDED")], "their lines came twice: 15"),
        # Two tasks that take one execution for theirs.
        ([Part(5, "success", ("worker-2",), ("14",))], [], "several parts take for theirs: 14"),
        ([Part(5, "success", ("worker-2",), ("15",))], [Received("15", 100, "CANCELED")], "only cancelled: 15"),
        ([Part(5, "failed", ("worker-2",), ())], [], "parts without one execution each: 5"),
    ],
)
def test_parts_and_executions_that_are_not_one_for_one_are_named(
    account: Account, parts: list[Part], received: list[Received], said: str
) -> None:
    parts, received = [*account.parts, *parts], [*account.received, *received]

    assert order(parts, received) is None
    assert any(said in problem for problem in problems(replace(account, parts=parts, received=received, sha256=None)))


def test_executions_are_put_in_the_order_of_the_parts(account: Account) -> None:
    received = [*account.received, Received("15", 50, "CANCELED")]

    assert order(account.parts, received) == ["11", "12", "14", "13"]


def test_the_report_counts_parts_requests_and_the_lost(account: Account) -> None:
    text = report(account)

    assert "worker-1         1, and 1 that another one had to take over" in text
    assert "worker-2         3\n" in text
    assert "create_execution             4" in text
    assert "While 2 tasks waited, in 45 s: 3 list_executions" in text
    assert "400 bytes, 4 executions, sha256 right" in text


def test_the_object_has_whole_lines_no_two_alike(tmp_path: Path) -> None:
    big = write_object(tmp_path / "profiles.ndjson", 20_001 * LINE_BYTES - 1)

    content = big.path.read_bytes()
    lines = content.splitlines(keepends=True)
    assert (big.bytes, big.lines) == (len(content), len(lines)) == (20_001 * LINE_BYTES, 20_001)
    assert {len(line) for line in lines} == {LINE_BYTES}
    assert len(set(lines)) == len(lines)
    assert big.sha256 == hashlib.sha256(content).hexdigest()


def test_a_file_looks_like_the_bytes_in_it(tmp_path: Path) -> None:
    path = tmp_path / "object"
    path.write_bytes(b"0123456789")
    buffer = FileBuffer(path)

    content = buffer.read()

    assert isinstance(content, FileContent)
    assert len(content) == 10
    assert (content[2:5], content[8:11], content[:]) == (b"234", b"89", b"0123456789")
    assert buffer.seek(4) == 4
    assert buffer.read(3) == b"456"
    buffer.close()


def test_processes_of_one_machine_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = celery_settings("postgresql+psycopg2://u:p@127.0.0.1:5432/postgres", "redis://127.0.0.1:6379/0")
    module, _, function = settings["AIRFLOW__CORE__HOSTNAME_CALLABLE"].rpartition(".")
    assert (module, function) == (component_name.__module__, component_name.__name__)

    monkeypatch.setenv("LOCAL_AIRFLOW_COMPONENT", "worker-2")
    assert component_name() == "worker-2"


def test_a_message_is_not_given_away_while_its_task_may_run() -> None:
    settings = celery_settings("postgresql://", "redis://")

    dead_after_s = int(settings["AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"])
    assert dead_after_s < int(settings["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"])


def test_missing_servers_are_named_by_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert missing()["redis-server"] == "no Redis server is installed (Debian: redis-server)"


def test_nothing_is_installed_by_others_than_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert install({"redis-server": "absent"}) == "only root can install them, on Debian"
    assert install({}) is None
