"""Sockets, records, start and stop."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
import trustme

from airflow_provider_mics.sandbox import RequestRecord, Sandbox
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
    from collections.abc import Iterator


def test_connections_are_kept_and_told_apart(client: Client, sandbox: Sandbox) -> None:
    for _ in range(5):
        client.get("/v1/connected_user")
    assert {record.connection_id for record in sandbox.requests} == {1}
    requests.get(f"{sandbox.url}/v1/nowhere", timeout=9).close()
    assert [record.connection_id for record in sandbox.requests][-2:] == [1, 2]
    assert sandbox.count("connections") == 2


def test_connection_is_kept_after_refusing_a_body(client: Client, sandbox: Sandbox) -> None:
    for body in (b"x" * 3_000_000, b"y"):
        assert error_of(client.call("POST", "/v1/datamarts/1/document_imports", data=body), 404)
    assert sandbox.count("connections") == 1
    assert sandbox.requests[0].body_bytes == 3_000_000


def test_requests_in_a_row_without_waiting(sandbox: Sandbox) -> None:
    request = head("GET", "/v1/connected_user", f"Authorization: {sandbox.token}")
    last = head("GET", "/v1/connected_user", "Connection: close")
    with connect(sandbox) as connection:
        connection.sendall(request + request + last)
        received = read_all(connection)
    assert (received.count(b"HTTP/1.1 200 OK"), received.count(b"HTTP/1.1 401 Unauthorized")) == (2, 1)


def test_expect_continue(client: Client, sandbox: Sandbox) -> None:
    path = f"{client.base}/{client.create_import()}/executions"
    expect = ("Expect: 100-continue", f"Content-Length: {len(GOOD)}", f"Content-Type: {NDJSON}")
    with connect(sandbox) as connection:
        connection.sendall(head("POST", path, f"Authorization: {sandbox.token}", *expect))
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(GOOD)
        assert read_reply(connection)[0] == 200
    with connect(sandbox) as connection:
        connection.sendall(head("POST", path, *expect))
        assert read_all(connection).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n"])
def test_garbage_is_answered_and_dropped(client: Client, sandbox: Sandbox, garbage: bytes) -> None:
    with connect(sandbox) as connection:
        connection.sendall(garbage)
        assert read_all(connection).startswith(b"HTTP/1.1 400")
    assert client.get("/v1/connected_user").status_code == 200


def test_client_that_leaves_in_the_middle(client: Client, sandbox: Sandbox) -> None:
    path = f"{client.base}/{client.create_import()}/executions"
    top = head("POST", path, f"Authorization: {sandbox.token}", "Content-Length: 1000", f"Content-Type: {NDJSON}")
    with connect(sandbox) as connection:
        connection.sendall(top + GOOD)
    sandbox.wait_until(lambda s: s.count("dropped") == 1)
    assert sandbox.executions == []
    assert sandbox.requests[-1].body_bytes == len(GOOD)


def test_record(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    client.upload(import_id, GOOD)
    client.get(client.base, keywords="a b", access_token="secret")
    created, uploaded, listed = sandbox.requests
    assert (created.kind, created.method, created.status) == ("create_document_import", "POST", 200)
    assert created.path == client.base
    assert (uploaded.number, uploaded.body_bytes, uploaded.time_ms) == (2, len(GOOD), 1609410143659)
    assert uploaded.headers["authorization"] == "***"
    assert uploaded.headers["content-type"] == NDJSON
    assert listed.query == {"keywords": "a b", "access_token": "***"}
    assert sandbox.token not in str([record.as_json() for record in sandbox.requests])
    assert sandbox.counts == {
        "connections": 1,
        "total": 3,
        "create_document_import": 1,
        "create_execution": 1,
        "list_document_imports": 1,
        "status_200": 3,
    }


def test_record_is_bounded() -> None:
    with Sandbox(keep_requests=10) as sandbox, Client(sandbox) as client:
        for _ in range(25):
            client.get("/v1/connected_user")
        assert [record.number for record in sandbox.requests] == list(range(16, 26))
        assert sandbox.count("total") == 25


def test_log() -> None:
    seen: list[RequestRecord] = []
    with Sandbox(log=seen.append) as sandbox, Client(sandbox) as client:
        client.get("/v1/connected_user")
        sandbox.wait_until(lambda _: len(seen) == 1)
    assert seen[0].status == 200


def test_failure_of_a_test_s_own_function_is_told(client: Client, sandbox: Sandbox) -> None:
    def broken(line: bytes) -> bool:
        raise ZeroDivisionError(line)

    sandbox.settings.reject_if = broken
    import_id = client.create_import()
    execution_id = client.uploaded(import_id)
    sandbox.advance(1)
    response = client.get(f"{client.base}/{import_id}/executions/{execution_id}")
    assert "ZeroDivisionError" in error_of(response, 500)


def test_settings_are_checked(sandbox: Sandbox) -> None:
    wrong: list[dict[str, Any]] = [
        {"pending": 1},
        {"pending_s": "1"},
        {"check_lines": 1},
        {"life_cycle": "PENDING"},
        {"life_cycle": [["PENDING"]]},
        {"life_cycle": []},
        {"reject_if": "x"},
        {"cancel_refusal": "maybe"},
        {"success_status": 1},
        {"max_page_size": "9"},
        {"execution_override": []},
    ]
    for values in wrong:
        with pytest.raises(ValueError, match=r"\w"):
            sandbox.settings.update({"running_s": 5, **values})
        assert sandbox.settings.running_s == 0.3
    sandbox.settings.update({"parameters_lag_s": None, "life_cycle": [["PENDING", 1], ["LOST", 0]], "running_s": 5})
    assert sandbox.settings.running_s == 5


def test_reset(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    path = sandbox.received(client.uploaded(import_id))
    sandbox.faults.plan("reset")
    sandbox.reset()
    assert (sandbox.imports, sandbox.executions, sandbox.requests, sandbox.counts) == ([], [], [], {})
    assert not path.exists()
    assert client.create_import() != import_id


def test_remote_addresses_are_refused() -> None:
    for host in ("0.0.0.0", "192.0.2.1", "::", "example.com"):  # noqa: S104 - refused, which is the point
        with pytest.raises(ValueError, match="allow_remote"):
            Sandbox(host=host)
    with Sandbox(host="localhost") as sandbox, Client(sandbox) as client:
        assert client.get("/v1/connected_user").status_code == 200


def test_port_in_use(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="in use"):
        Sandbox(port=sandbox.port, folder=tmp_path).start()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    threads, files = set(threading.enumerate()), len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with Sandbox(folder=tmp_path) as sandbox, Client(sandbox) as client:
            client.uploaded(client.create_import(), GOOD * 1000)
            folder = sandbox.received(sandbox.executions[0].id).parent
            assert (folder.parent, folder.stat().st_mode & 0o777) == (tmp_path, 0o700)
        sandbox.stop()
    assert set(threading.enumerate()) == threads
    assert len(list(Path("/proc/self/fd").iterdir())) <= files
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Sandbox, str]]:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with Sandbox(ssl_context=context) as sandbox:
        yield sandbox, str(tmp_path / "ca.pem")


def test_tls(secure: tuple[Sandbox, str]) -> None:
    sandbox, authority = secure
    assert sandbox.url.startswith("https://127.0.0.1:")
    with Client(sandbox) as client:
        with pytest.raises(requests.exceptions.SSLError):
            client.get("/v1/connected_user")
        client.session.verify = authority
        execution_id = client.uploaded(client.create_import(), GOOD * 20_000)
        assert sandbox.received(execution_id).stat().st_size == 20_000 * len(GOOD)
        for action in ("reset", "close"):
            sandbox.faults.plan(action)
            with pytest.raises(requests.ConnectionError):
                client.get("/v1/connected_user")
        assert data_of(client.get("/v1/connected_user"))
