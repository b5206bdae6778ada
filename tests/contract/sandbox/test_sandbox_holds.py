"""Requests that are held at a point, so that a test can kill whoever sent them exactly there."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.sandbox.sandbox_client import GOOD, NDJSON, Client, connect, data_of, error_of, head, read_reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.sandbox import Sandbox

ACTIVITY = {"$type": "TOUCH", "$user_agent_id": "vec:1", "$unique_key": "k1"}
POSTS = """
import sys, http.client, urllib.parse
url, token, path, content_type = sys.argv[1:]
connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
body = sys.stdin.buffer.read()
connection.request("POST", path, body, {"Authorization": token, "Content-Type": content_type})
sys.exit(connection.getresponse().status != 200)
"""


@contextlib.contextmanager
def posting(sandbox: Sandbox, path: str, body: bytes, content_type: str = NDJSON) -> Iterator[subprocess.Popen[bytes]]:
    """A process that posts and waits for the answer."""
    command = [sys.executable, "-c", POSTS, sandbox.url, sandbox.token, path, content_type]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:  # noqa: S603 - ours
        assert process.stdin is not None
        process.stdin.write(body)
        process.stdin.close()
        try:
            yield process
        finally:
            process.kill()


def executions_path(client: Client) -> str:
    return f"{client.base}/{client.create_import()}/executions"


@pytest.mark.parametrize(
    ("when", "done"), [("before_body", 0), ("mid_body", 0), ("after_body", 0), ("after_commit", 1)]
)
def test_held_until_released(client: Client, sandbox: Sandbox, when: Any, done: int) -> None:
    fault = client.control("faults", {"action": "hold", "kind": "create_execution", "when": when, "after_percent": 50})
    with posting(sandbox, executions_path(client), GOOD * 4) as process:
        waited = client.control(f"faults/{fault['number']}/wait", {"held": 1})
        assert waited["held"] == waited["fired"]
        (held,) = client.control("held")
        assert held == {
            "request": waited["held"][0],
            "fault": fault["number"],
            "when": when,
            "kind": "create_execution",
        }
        assert len(sandbox.executions) == done
        expected = {"before_body": 0, "mid_body": 2 * len(GOOD)}.get(when, 4 * len(GOOD))
        assert sandbox.requests[-1].body_bytes == expected
        client.control(f"faults/{fault['number']}/release", {})
        assert process.wait(20) == 0
    assert len(sandbox.executions) == 1
    assert client.control("held") == []


@pytest.mark.parametrize("when", ["after_body", "after_commit"])
@pytest.mark.parametrize("if_gone", ["drop", "go_on", "keep"])
def test_killed_while_held(client: Client, sandbox: Sandbox, when: Any, if_gone: str) -> None:
    fault = sandbox.faults.plan("hold", kind="create_execution", when=when, if_gone=if_gone)
    with posting(sandbox, executions_path(client), GOOD) as process:
        fault.wait_held()
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    before = when == "after_body"
    client.control(f"faults/{fault.number}/wait", {"gone": 1})
    if if_gone == "keep":
        assert len(sandbox.executions) == (not before)
        assert len(fault.held) == 1
        fault.release()
    sandbox.wait_until(lambda _: not fault.held)
    committed = not before or if_gone != "drop"
    sandbox.wait_until(lambda s: len(s.executions) == committed)
    (upload,) = sandbox.uploads
    assert (upload["complete"], upload["execution_id"] is not None) == (True, committed)
    assert sandbox.requests[-1].dropped or if_gone != "drop"


@pytest.mark.parametrize(("when", "committed"), [("after_body", 0), ("after_commit", 1)])
def test_unit_calls_are_held_too(client: Client, sandbox: Sandbox, when: Any, committed: int) -> None:
    fault = sandbox.faults.plan("hold", kind="create_user_activity", when=when, times=2)
    path = "/v1/datamarts/1509/user_activities"
    threads = [threading.Thread(target=client.post, args=(path, ACTIVITY)) for _ in range(2)]
    for thread in threads:
        thread.start()
    fault.wait_held(2)
    assert len(sandbox.activities) == 2 * committed
    assert sandbox.items.received("create_user_activity") == {"k1": 2}
    fault.release()
    for thread in threads:
        thread.join(20)
    assert (
        sandbox.items.received("create_user_activity") == sandbox.items.committed("create_user_activity") == {"k1": 2}
    )


def test_a_client_that_dies_before_its_body_is_read(client: Client, sandbox: Sandbox) -> None:
    fault = sandbox.faults.plan("hold", kind="create_execution", when="before_body")
    with posting(sandbox, executions_path(client), GOOD) as process:
        fault.wait_held()
        process.send_signal(signal.SIGKILL)
    fault.wait_gone()
    sandbox.wait_until(lambda s: s.count("dropped") == 1)
    assert sandbox.executions == []


def test_hold_for_a_time(client: Client, sandbox: Sandbox) -> None:
    fault = sandbox.faults.plan("hold", when="after_body", seconds=0.01)
    assert data_of(client.get("/v1/connected_user"))["id"]
    assert (len(fault.fired), fault.held, fault.gone) == (1, [], [])


def test_held_and_then_refused(client: Client, sandbox: Sandbox) -> None:
    for kind, path in (("create_execution", executions_path(client)), ("create_document_import", client.base)):
        fault = sandbox.faults.plan("hold", kind=kind, when="after_body", seconds=0.01)
        assert error_of(client.call("POST", path, data=b"[", headers={"Content-Type": NDJSON}), 400)
        assert len(fault.fired) == 1


@pytest.mark.parametrize("action", ["stall", "hold"])
def test_stop_in_the_middle_of_a_reply(client: Client, sandbox: Sandbox, action: Any) -> None:
    fault = sandbox.faults.plan(action, when="mid_reply", keep_bytes=5)
    with connect(sandbox) as connection:
        connection.sendall(head("GET", "/v1/connected_user", f"Authorization: {sandbox.token}"))
        received = b""
        while b'{"sta' not in received:
            received += connection.recv(65536)
        assert received.endswith(b'\r\n\r\n{"sta')
        fault.release()
        while not received.endswith(b"}]}}"):
            received += connection.recv(65536)
        connection.sendall(head("GET", "/v1/connected_user", f"Authorization: {sandbox.token}"))
        assert read_reply(connection)[0] == 200


@pytest.mark.parametrize(("action", "end"), [("reset", ConnectionResetError), ("close", None)])
def test_end_in_the_middle_of_a_reply(client: Client, sandbox: Sandbox, action: Any, end: Any) -> None:
    sandbox.faults.plan(action, when="mid_reply")
    with connect(sandbox) as connection:
        connection.sendall(head("GET", "/v1/connected_user", f"Authorization: {sandbox.token}"))
        received = connection.recv(65536)
        with contextlib.nullcontext() if end is None else pytest.raises(end):
            while piece := connection.recv(65536):
                received += piece
        assert not received.endswith(b"}]}}")


def test_waits_that_end(client: Client, sandbox: Sandbox) -> None:
    fault = sandbox.faults.plan("hold")
    assert error_of(client.post(f"/_sandbox/faults/{fault.number}/wait", {"held": 1, "timeout": 0.01}), 408)
    for body in ({}, {"fired": 1, "held": 1}):
        assert error_of(client.post(f"/_sandbox/faults/{fault.number}/wait", body), 400)
    assert error_of(client.post(f"/_sandbox/faults/{fault.number}/wait", {"eaten": 1}), 404)
    assert error_of(client.post("/_sandbox/faults/9/wait", {"held": 1}), 404)
    with pytest.raises(TimeoutError, match="gone 0 times"):
        fault.wait_gone(timeout=0.01)
    for plan in ({"if_gone": "cry"}, {"when": "after_reply"}, {"after_percent": "half"}, {"query": "("}):
        assert error_of(client.post("/_sandbox/faults", {"action": "hold", **plan}), 400)
