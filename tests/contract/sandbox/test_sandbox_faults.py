"""Every fault, as a client sees it."""

from __future__ import annotations

import email.utils
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.contract.sandbox.sandbox_client import (
    GOOD,
    NDJSON,
    Client,
    connect,
    data_of,
    error_of,
    head,
    read_all,
    read_reply,
)

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox

DROPPED = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def upload_bytes(sandbox: Sandbox, import_id: str, body: bytes, *headers: str) -> bytes:
    path = f"/v1/datamarts/{sandbox.datamart_id}/document_imports/{import_id}/executions"
    length = f"Content-Length: {len(body)}"
    return head("POST", path, f"Authorization: {sandbox.token}", f"Content-Type: {NDJSON}", length, *headers) + body


def test_status(client: Client, sandbox: Sandbox) -> None:
    fault = sandbox.faults.plan("status", kind="get_connected_user", status=429, text="Slow down", retry_after=3)
    response = client.get("/v1/connected_user")
    assert error_of(response, 429) == "Slow down"
    assert response.headers["Retry-After"] == "3"
    assert client.get("/v1/connected_user").status_code == 200
    assert fault.fired == [1]
    assert len(fault.fired_at_ms) == 1
    assert (sandbox.requests[0].fault, sandbox.requests[1].fault) == (fault.number, None)
    assert sandbox.count("fault_status") == 1


def test_status_with_headers_code_and_date(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.plan("status", code="BUSY", headers={"X-Why": "test"}, retry_after=60, retry_after_as_date=True)
    response = client.get("/v1/connected_user")
    assert error_of(response, 503)
    assert (response.json()["error_code"], response.headers["X-Why"]) == ("BUSY", "test")
    until = email.utils.parsedate_to_datetime(response.headers["Retry-After"]).timestamp()
    assert 50 < until - time.time() <= 60


def test_other_answers(client: Client, sandbox: Sandbox) -> None:
    path = f"{client.base}"
    sandbox.faults.plan("html", status=502)
    response = client.get(path)
    assert (response.status_code, response.headers["Content-Type"]) == (502, "text/html")
    assert response.text.startswith("<html>")
    sandbox.faults.plan("envelope_error", text="No")
    assert error_of(client.get(path), 200) == "No"
    sandbox.faults.plan("not_json")
    response = client.get(path)
    assert (response.status_code, "not JSON" in response.text) == (200, True)
    sandbox.faults.plan("empty", method="POST")
    response = client.post(path, {"document_type": "X", "mime_type": "APPLICATION_X_NDJSON", "name": "there"})
    assert (response.status_code, response.content) == (201, b"")
    assert [item.name for item in sandbox.imports] == ["there"]
    sandbox.faults.plan("status", status=204)
    assert client.get(path).content == b""


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect(client: Client, sandbox: Sandbox, status: int) -> None:
    sandbox.faults.plan("redirect", status=status, location="http://127.0.0.1:9/elsewhere")
    response = client.call("GET", "/v1/connected_user", allow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (status, "http://127.0.0.1:9/elsewhere")


@pytest.mark.parametrize("action", ["reset", "close"])
@pytest.mark.parametrize("when", ["before_body", "mid_body", "after_body"])
def test_dropped_before_anything_is_done(client: Client, sandbox: Sandbox, action: Any, when: Any) -> None:
    import_id = client.create_import()
    fault = sandbox.faults.plan(action, when=when, kind="create_execution", after_bytes=300_000)
    with pytest.raises(DROPPED):
        client.upload(import_id, GOOD * 10_000)
    sandbox.wait_until(lambda s: s.count("dropped") == 1)
    record = sandbox.requests[-1]
    assert (sandbox.executions, record.status, fault.fired) == ([], None, [record.number])
    if when == "mid_body":
        assert 300_000 <= record.body_bytes < 10_000 * len(GOOD)
    elif when == "after_body":
        assert record.body_bytes == 10_000 * len(GOOD)
    assert client.upload(import_id, GOOD).status_code == 200


@pytest.mark.parametrize("action", ["reset", "close", "status", "html", "not_json", "empty"])
def test_done_but_not_told(client: Client, sandbox: Sandbox, action: Any) -> None:
    import_id = client.create_import()
    sandbox.faults.plan(action, when="after_commit", kind="create_execution")
    if action in {"reset", "close"}:
        with pytest.raises(DROPPED):
            client.upload(import_id)
    else:
        expected = {"empty": 201, "not_json": 200}.get(action, 503)
        assert client.upload(import_id).status_code == expected
    assert [item["id"] for item in client.executions(import_id)] == [sandbox.executions[0].id]


@pytest.mark.parametrize(("action", "end"), [("reset", ConnectionResetError), ("close", None)])
def test_resets_are_resets_and_closes_are_closes(
    client: Client, sandbox: Sandbox, action: Any, end: type[Exception] | None
) -> None:
    import_id = client.create_import()
    sandbox.faults.plan(action, when="mid_body", kind="create_execution")
    with connect(sandbox) as connection:
        connection.sendall(upload_bytes(sandbox, import_id, b"x" * 100_000))
        if end is None:
            assert read_all(connection) == b""
        else:
            with pytest.raises(end):
                read_all(connection)


def test_dropped_after_the_answer(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.plan("close", when="after_reply")
    with connect(sandbox) as connection:
        connection.sendall(head("GET", "/v1/connected_user", f"Authorization: {sandbox.token}"))
        assert read_reply(connection)[0] == 200
        assert connection.recv(1) == b""
    assert client.get("/v1/connected_user").status_code == 200


def test_cut_reply(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    sandbox.faults.plan("cut", kind="create_execution")
    with pytest.raises(DROPPED):
        client.upload(import_id)
    assert len(sandbox.executions) == 1
    sandbox.faults.plan("cut", keep_bytes=5)
    with connect(sandbox) as connection:
        connection.sendall(head("GET", "/v1/connected_user", f"Authorization: {sandbox.token}"))
        top, _, body = read_all(connection).partition(b"\r\n\r\n")
        assert body == b'{"sta'
        assert b"Content-Length: 5\r\n" not in top


def test_drip(client: Client, sandbox: Sandbox) -> None:
    fault = sandbox.faults.plan("drip", piece_bytes=10, seconds=None)
    with connect(sandbox) as connection:
        connection.sendall(head("GET", "/v1/connected_user", f"Authorization: {sandbox.token}"))
        received = b""
        while b'{"status"' not in received:
            received += connection.recv(65536)
        assert not received.endswith(b"}}")
        fault.release()
        while not received.endswith(b"}]}}") and (piece := connection.recv(65536)):
            received += piece
    sandbox.faults.plan("drip", piece_bytes=50, seconds=0.001)
    assert data_of(client.get("/v1/connected_user"))["id"]


@pytest.mark.parametrize("when", ["before_body", "after_commit"])
def test_delay(client: Client, sandbox: Sandbox, when: Any) -> None:
    import_id = client.create_import()
    fault = sandbox.faults.plan("delay", when=when, kind="create_execution")
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(client.upload(import_id).status_code))
    thread.start()
    fault.wait_fired()
    if when == "after_commit":
        sandbox.wait_until(lambda s: len(s.executions) == 1)
    assert answers == []
    assert len(sandbox.executions) == (when == "after_commit")
    fault.release()
    thread.join(10)
    assert (answers, len(sandbox.executions)) == ([200], 1)


def test_client_that_gives_up_waiting(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    fault = sandbox.faults.plan("delay", when="after_commit", kind="create_execution", seconds=60)
    with pytest.raises(requests.ReadTimeout):
        client.session.post(
            f"{sandbox.url}{client.base}/{import_id}/executions", GOOD, headers={"Content-Type": NDJSON}, timeout=0.2
        )
    assert fault.fired == [2]
    assert len(client.executions(import_id)) == 1


def test_stall(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    fault = sandbox.faults.plan("stall", kind="create_execution", after_bytes=1)
    body = GOOD * 300_000
    with connect(sandbox) as connection:
        connection.settimeout(0.3)
        # Far more than the buffers of both sides hold: sending stops because nobody reads.
        with pytest.raises(TimeoutError):
            connection.sendall(upload_bytes(sandbox, import_id, body))
        assert fault.fired
    fault.release()
    sandbox.wait_until(lambda s: s.count("dropped") == 1)
    assert sandbox.executions == []


def test_rewrite(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    execution_id = client.uploaded(import_id)
    sandbox.advance(1)
    wrong = {"result": {"total_success": 99}, "status": "ODD"}
    sandbox.faults.plan("rewrite", method="GET", times=2, data=wrong)
    value = client.execution(import_id, execution_id)
    assert (value["status"], value["result"]["total_success"], value["result"]["total_failure"]) == ("ODD", 99, 0)
    assert client.executions(import_id)[0]["result"]["total_success"] == 99
    assert client.execution(import_id, execution_id)["result"]["total_success"] == 1


def test_which_request_is_hit(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    plan = sandbox.faults.plan
    third = plan("status", method="post", path=r".*/executions$", after=2)
    big = plan("status", status=507, min_length=1000, times=None)
    small = plan("status", status=508, max_length=10, method="PUT")
    path = f"{client.base}/{import_id}/executions/"
    headers = {"Content-Type": NDJSON}
    seen = [client.call("POST", path, data=GOOD, headers=headers).status_code for _ in range(4)]
    assert seen == [200, 200, 503, 200]
    assert client.upload(import_id, GOOD * 100).status_code == 507
    assert client.upload(import_id, iter([GOOD] * 100)).status_code == 200
    assert client.upload(import_id, GOOD * 100).status_code == 507
    assert client.call("PUT", f"{client.base}/{import_id}", data=b"{}").status_code == 508
    assert [len(fault.fired) for fault in (third, big, small)] == [1, 2, 1]
    assert third.matched == 7
    assert sandbox.faults.all() == [third, big, small]
    sandbox.faults.clear()
    assert sandbox.faults.all() == []
    assert client.upload(import_id, GOOD * 100).status_code == 200


def test_first_planned_strikes_first(client: Client, sandbox: Sandbox) -> None:
    for status in (500, 502):
        sandbox.faults.plan("status", status=status)
    assert [client.get("/v1/connected_user").status_code for _ in range(3)] == [500, 502, 200]


@pytest.mark.parametrize(
    "plan",
    [
        {"action": "explode"},
        {"action": "status", "when": "sometime"},
        {"action": "status", "when": "mid_body"},
        {"action": "status", "status": 99},
        {"action": "status", "stauts": 500},
        {"action": "status", "fired": []},
        {"action": "cut", "when": "before_body"},
        {"action": "delay", "when": "after_body"},
        {"action": "redirect"},
        {"action": "status", "kind": "create_executions"},
        {"action": "drip", "piece_bytes": 0},
        {"action": "reset", "times": "twice"},
        {"action": "reset", "path": "("},
        {"action": "status", "headers": []},
    ],
)
def test_plans_that_make_no_sense(client: Client, sandbox: Sandbox, plan: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        sandbox.faults.plan(**plan)
    assert error_of(client.post("/_sandbox/faults", plan), 400)
    assert sandbox.faults.all() == []


def test_waiting_for_a_fault_that_does_not_come(sandbox: Sandbox) -> None:
    with pytest.raises(TimeoutError, match="fired 0 times"):
        sandbox.faults.plan("reset").wait_fired(timeout=0.01)
    with pytest.raises(TimeoutError):
        sandbox.wait_until(lambda s: s.count("dropped") > 0, timeout=0.05)


def test_stop_ends_what_faults_keep_waiting(client: Client, sandbox: Sandbox) -> None:
    fault = sandbox.faults.plan("delay", kind="get_connected_user")
    with connect(sandbox) as connection:
        connection.sendall(head("GET", "/v1/connected_user", f"Authorization: {sandbox.token}"))
        fault.wait_fired()
        started = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - started < 5
        with pytest.raises(OSError, match=r"refused|reset"):
            socket.create_connection(connection.getpeername(), timeout=5).close()
    client.session.close()
