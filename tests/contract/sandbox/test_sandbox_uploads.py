"""What a checker that trusts nobody can learn of uploads; lists that lag behind; input files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.contract.sandbox.sandbox_client import BAD, GOOD, NDJSON, Client, data_of, error_of

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox

DROPPED = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def test_every_upload_is_told(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    plan = sandbox.faults.plan
    first = client.uploaded(import_id, GOOD)
    plan("reset", kind="create_execution", when="mid_body", after_percent=50)
    plan("close", kind="create_execution", when="after_body")
    plan("reset", kind="create_execution", when="after_commit")
    for _ in range(3):
        with pytest.raises(DROPPED):
            client.upload(import_id, GOOD + b"\n" + GOOD)
    assert error_of(client.upload(import_id, b"no json"), 400)
    plan("status", kind="create_execution", when="before_body", status=413)
    assert error_of(client.upload(import_id, GOOD), 413)
    form = {"file": ("night.ndjson", GOOD * 3, NDJSON)}
    second = data_of(client.call("POST", f"{client.base}/{import_id}/executions", files=form))["id"]
    uploads = client.control("uploads")
    assert uploads == sandbox.uploads
    assert [item["order"] for item in uploads] == [1, 2, 3, 4, 5, 6, 7]
    assert {item["document_import_id"] for item in uploads} == {import_id}
    assert [item["status"] for item in uploads] == [200, None, None, None, 400, 413, 200]
    assert [item["dropped"] for item in uploads] == [False, True, True, True, False, False, False]
    assert [item["complete"] for item in uploads] == [True, False, True, True, True, True, True]
    assert [item["lines"] for item in uploads] == [1, None, 2, 2, 1, 1, 3]
    third = sandbox.executions[1].id
    assert [item["execution_id"] for item in uploads] == [first, None, None, third, None, None, second]
    assert [item["fault"] for item in uploads] == [None, 1, 2, 3, None, 4, None]
    assert uploads[1]["bytes"] == (2 * len(GOOD) + 1) // 2
    hashes = [hashlib.sha256(body).hexdigest() for body in (GOOD, GOOD + b"\n" + GOOD, GOOD * 3)]
    assert [uploads[index]["sha256"] for index in (0, 1, 3, 6)] == [hashes[0], None, hashes[1], hashes[2]]
    assert sandbox.requests[uploads[3]["request"] - 1].execution_id == third
    assert client.control("counts")["create_execution"] == 7
    client.control("reset", {})
    assert client.control("uploads") == []


def test_more_uploads_than_requests_kept() -> None:
    from airflow_provider_mics.sandbox import Sandbox

    with Sandbox(keep_requests=1) as sandbox, Client(sandbox) as client:
        import_id = client.create_import()
        made = [client.uploaded(import_id) for _ in range(3)]
        assert [item["execution_id"] for item in sandbox.uploads] == made


def test_executions_are_listed_after_some_calls(client: Client, sandbox: Sandbox) -> None:
    client.control("settings", {"list_lag_calls": 2})
    import_id, other = client.create_import(), client.create_import()
    first = client.uploaded(import_id)
    client.control("settings", {"list_lag_calls": 0})
    second = client.uploaded(import_id)
    assert client.executions(other) == []
    seen = [[item["id"] for item in client.executions(import_id)] for _ in range(3)]
    assert seen == [[second], [second], [second, first]]
    assert client.execution(import_id, first)["id"] == first


def test_imports_are_listed_after_some_calls(client: Client, sandbox: Sandbox) -> None:
    client.control("settings", {"import_list_lag_calls": 1})
    created = client.create_import(name="new")
    found = [[item["id"] for item in data_of(client.get(client.base, keywords=name))] for name in ("x", "new", "new")]
    assert found == [[], [], [created]]
    assert data_of(client.call("PUT", f"{client.base}/{created}", json={"name": "newer"}))["name"] == "newer"
    assert len(data_of(client.get(client.base))) == 1
    sandbox.settings.import_list_lag_calls = 0
    sandbox.settings.import_list_lag_s = 5
    sandbox.advance(5)
    client.create_import()
    assert len(data_of(client.get(client.base))) == 1
    sandbox.advance(5)
    assert len(data_of(client.get(client.base))) == 2


def test_published_by_hand(client: Client, sandbox: Sandbox) -> None:
    client.control("settings", {"list_lag_calls": None, "import_list_lag_calls": None})
    import_id = client.create_import()
    execution_id = client.uploaded(import_id)
    for _ in range(3):
        assert client.executions(import_id) == data_of(client.get(client.base)) == []
    assert client.control("publish", {}) == {"imports": 1, "executions": 1}
    assert [item["id"] for item in client.executions(import_id)] == [execution_id]
    assert [item["id"] for item in data_of(client.get(client.base))] == [import_id]
    client.uploaded(import_id)
    assert len(client.executions(import_id)) == 1
    assert sandbox.publish() == {"imports": 0, "executions": 1}
    assert len(client.executions(import_id)) == 2


@pytest.mark.parametrize("way", ["setting", "fault"])
def test_input_files(client: Client, sandbox: Sandbox, way: str) -> None:
    import_id = client.create_import()
    body = GOOD + b"\r\n" + BAD + b"\xff\n" + GOOD.rstrip()
    client.uploaded(import_id, body)
    sandbox.advance(1)
    result: dict[str, Any] = client.executions(import_id)[0]["result"]
    path = "/v1/data_file/data"
    assert client.get(path, uri=result["input_file_uri"]).content == body
    if way == "setting":
        client.control("settings", {"input_files_available": False})
    else:
        sandbox.faults.plan("status", kind="get_data_file", query=r"\.json$", status=404, times=None)
    assert error_of(client.get(path, uri=result["input_file_uri"]), 404)
    assert b"line_number" in client.get(path, uri=result["error_file_uri"]).content
