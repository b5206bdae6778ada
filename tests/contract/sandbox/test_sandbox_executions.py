"""Uploads, their life and what they leave."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_mics.sandbox import Sandbox, Settings
from tests.contract.sandbox.sandbox_client import BAD, GOOD, NDJSON, Client, data_of, error_of

#: Keys of the vendor's samples, in their order.
CREATED_KEYS = re.findall(
    r"\w+",
    "parameters result error id status creation_date start_date duration organisation_id user_id cancel_status debug"
    " is_retryable permalink_uri num_tasks completed_tasks erroneous_tasks retry_count job_type import_mode"
    " import_type",
)
PARAMETERS_KEYS = re.findall(
    r"\w+",
    "datamart_id document_import_id mime_type document_type input_file_name file_uri number_of_lines segment_id",
)
RESULT_KEYS = re.findall(
    r"\w+",
    "total_success total_failure input_file_name input_file_uri error_file_uri possible_issue_on_identifiers"
    " top_identifiers",
)
URI = (
    r"mics://data_file/tenants/1426/datamarts/1509/document_imports/{}/requestBody\d{{18,20}}asRaw"
    r"-2020-12-31_10\.22\.23-[A-Za-z0-9]{{10}}"
)


def test_created_execution_looks_like_the_sample(client: Client, sandbox: Sandbox) -> None:
    created = data_of(client.upload(client.create_import()))
    assert list(created) == CREATED_KEYS
    assert created == {
        **dict.fromkeys(CREATED_KEYS),
        "id": created["id"],
        "status": "PENDING",
        "creation_date": 1609410143659,
        "organisation_id": sandbox.organisation_id,
        "is_retryable": False,
        "permalink_uri": created["permalink_uri"],
        "retry_count": 0,
        "job_type": "DOCUMENT_IMPORT",
        "import_mode": "MANUAL_FILE",
    }
    assert isinstance(created["id"], str)


def test_life(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    execution_id = client.uploaded(import_id, GOOD * 3)
    sandbox.advance(0.1)
    assert client.execution(import_id, execution_id)["status"] == "PENDING"
    sandbox.advance(0.15)
    running = client.execution(import_id, execution_id)
    assert list(running) == CREATED_KEYS
    assert (running["status"], running["start_date"], running["result"]) == ("RUNNING", 1609410143859, None)
    assert list(running["parameters"]) == PARAMETERS_KEYS
    sandbox.advance(0.3)
    done = client.execution(import_id, execution_id)
    assert list(done) == [*CREATED_KEYS, "end_date"]
    assert (done["status"], done["duration"], done["end_date"], done["error"]) == (
        "SUCCEEDED",
        300,
        1609410144159,
        None,
    )
    assert (done["num_tasks"], done["completed_tasks"], done["erroneous_tasks"]) == (3, 3, 0)
    assert list(done["result"]) == RESULT_KEYS
    stem = URI.format(import_id)
    assert re.fullmatch(stem + r"\.json", done["result"]["input_file_uri"])
    assert re.fullmatch(stem + r"_errors\.csv", done["result"]["error_file_uri"])
    assert done["parameters"] == {
        "datamart_id": 1509,
        "document_import_id": int(import_id),
        "mime_type": "APPLICATION_X_NDJSON",
        "document_type": "USER_PROFILE",
        "input_file_name": done["result"]["input_file_name"],
        "file_uri": done["result"]["input_file_uri"],
        "number_of_lines": 3,
        "segment_id": None,
    }
    assert (done["result"]["total_success"], done["result"]["total_failure"]) == (3, 0)
    assert done["result"]["possible_issue_on_identifiers"] is False
    assert done["result"]["top_identifiers"] == {}
    assert client.executions(import_id) == [done] == [sandbox.execution(execution_id)]


def test_succeeded_with_failed_lines(client: Client) -> None:
    done = client.checked("USER_PROFILE", BAD + GOOD + BAD)
    assert done["status"] == "SUCCEEDED"
    assert (done["result"]["total_success"], done["result"]["total_failure"]) == (1, 2)
    text = r"No profile id found while upserting a user profile Error id = [0-9a-f-]{36}\.\n"
    assert re.fullmatch(r"1 success, 2 failures\nSaved errors:\n" + text * 2, done["error"]["message"])
    served = client.get("/v1/data_file/data", uri=done["result"]["error_file_uri"])
    assert served.headers["Content-Type"] == "application/octet-stream"
    rows = list(csv.reader(served.text.splitlines()))
    assert rows[0] == ["line_number", "error_id", "message"]
    assert [row[0] for row in rows[1:]] == ["1", "3"]
    assert [row[1] for row in rows[1:]] == re.findall(r"Error id = ([0-9a-f-]{36})", done["error"]["message"])


def test_saved_errors_are_capped(client: Client, sandbox: Sandbox) -> None:
    sandbox.settings.saved_errors = 2
    done = client.checked("USER_PROFILE", BAD * 5)
    assert done["error"]["message"].startswith("0 success, 5 failures\nSaved errors:\n")
    assert done["error"]["message"].count("Error id") == 2
    rows = client.get("/v1/data_file/data", uri=done["result"]["error_file_uri"]).text.splitlines()
    assert len(rows) == 6


def test_files_come_back_exactly(client: Client, sandbox: Sandbox) -> None:
    body = GOOD + b"\r\n \t\n" + '{"operation":"DELETE","email_hash":"é"}'.encode()
    done = client.checked("USER_PROFILE", body)
    assert client.get("/v1/data_file/data", uri=done["result"]["input_file_uri"]).content == body
    assert sandbox.received(done["id"]).read_bytes() == body
    (execution,) = sandbox.executions
    assert (execution.bytes, execution.lines) == (len(body), 2)
    assert execution.sha256 == hashlib.sha256(body).hexdigest() == sandbox.requests[1].body_sha256
    assert done["parameters"]["number_of_lines"] == 2
    for uri in ("", "mics://data_file/x", done["result"]["input_file_uri"] + "x"):
        assert error_of(client.get("/v1/data_file/data", uri=uri), 404) == "Resource Not Found"
    client.session.headers["Authorization"] = "x"
    assert error_of(client.get("/v1/data_file/data", uri=done["result"]["input_file_uri"]), 401)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (GOOD, "text/csv"),
        (GOOD, "application/json"),
        (GOOD, ""),
        (b"", NDJSON),
        (b"\n \r\n", NDJSON),
        (b'[\n{"a":1}\n]', NDJSON),
        (b'{"a":', NDJSON),
        (b'"text"\n', NDJSON),
        (b'{"a":1} x\n', NDJSON),
        (b"\xef\xbb\xbf" + GOOD, NDJSON),
        (b'{\n"a": 1\n}\n', NDJSON),
    ],
)
def test_refused_uploads(client: Client, sandbox: Sandbox, body: bytes, content_type: str) -> None:
    import_id = client.create_import()
    assert error_of(client.upload(import_id, body, content_type), 400)
    assert sandbox.executions == []


def test_accepted_forms(client: Client) -> None:
    import_id = client.create_import()
    client.uploaded(import_id, GOOD, "application/x-ndjson; charset=utf-8")
    client.uploaded(import_id, GOOD, "Application/X-NDJSON")
    client.uploaded(import_id, iter([GOOD[:10], GOOD[10:]]))
    path = f"{client.base}/{import_id}/executions/"
    assert client.call("POST", path, data=GOOD, headers={"Content-Type": NDJSON}).status_code == 200
    first_line_long = b'{"operation":"DELETE","email_hash":"' + b"x" * 2_000_000 + b'"}\n'
    client.uploaded(import_id, first_line_long)


def test_too_large(client: Client, sandbox: Sandbox) -> None:
    sandbox.settings.max_body_bytes = 1_000_000
    import_id = client.create_import()
    line = b'{"operation":"DELETE","email_hash":"' + b"x" * 99_000 + b'"}\n'
    client.uploaded(import_id, line[:-3] * 0 + line * 10)
    assert error_of(client.upload(import_id, line * 50), 413)
    assert error_of(client.upload(import_id, iter([line] * 50)), 413)
    assert len(sandbox.executions) == 1
    assert len(list(sandbox.received(sandbox.executions[0].id).parent.glob("*.body"))) == 1


def test_form_upload_keeps_the_name(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    path = f"{client.base}/{import_id}/executions"
    content = GOOD + b"\r\n--not-a-boundary\r\n" + GOOD
    files = {"type": (None, NDJSON), "file": ("profiles of a night.ndjson", content, NDJSON)}
    created = data_of(client.call("POST", path, files=files))
    assert sandbox.received(created["id"]).read_bytes() == content
    sandbox.advance(1)
    done = client.execution(import_id, created["id"])
    assert done["result"]["input_file_name"] == "profiles of a night.ndjson"
    assert "/profiles of a night.ndjson-2020" in done["result"]["input_file_uri"]
    bad_type = {"file": ("x.csv", GOOD, "text/csv")}
    assert error_of(client.call("POST", path, files=bad_type), 400)
    assert error_of(client.call("POST", path, files={"other": ("x", GOOD, NDJSON)}), 400)
    for body, kind in ((b"x", "multipart/form-data"), (b"--b\r\n", "multipart/form-data; boundary=b")):
        assert error_of(client.upload(import_id, body, kind), 400)


def test_cancel(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    execution_id = client.uploaded(import_id)
    cancelled = data_of(client.cancel(import_id, execution_id))
    assert set(cancelled) == {*CREATED_KEYS, "community_id"}
    expected = {"status": "CANCELED", "cancel_status": "REQUESTED", "community_id": "1426", "permalink_uri": None}
    assert expected.items() <= cancelled.items()
    assert cancelled["result"] is cancelled["parameters"] is cancelled["start_date"] is None
    sandbox.advance(10)
    after = client.execution(import_id, execution_id)
    assert (after["status"], after["result"], "end_date" in after) == ("CANCELED", None, False)


def test_cancel_too_late(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    execution_id = client.uploaded(import_id)
    sandbox.advance(0.3)
    assert "RUNNING" in error_of(client.cancel(import_id, execution_id), 400)
    sandbox.settings.cancel_refusal = "unchanged"
    assert data_of(client.cancel(import_id, execution_id))["status"] == "RUNNING"
    sandbox.advance(10)
    assert data_of(client.cancel(import_id, execution_id))["status"] == "SUCCEEDED"
    path = f"{client.base}/{import_id}/executions/{execution_id}/action"
    assert error_of(client.post(path, {"action": "PAUSE"}), 400)
    assert error_of(client.post(f"{client.base}/{import_id}/executions/1/action", {"action": "CANCEL"}), 404)


def test_list_is_newest_first_and_paged(client: Client) -> None:
    import_id, other = client.create_import(), client.create_import()
    ids = [client.uploaded(import_id) for _ in range(3)]
    client.uploaded(other)
    assert [item["id"] for item in client.executions(import_id)] == ids[::-1]
    envelope = client.get(f"{client.base}/{import_id}/executions", first_result=1, max_results=1).json()
    assert (envelope["data"][0]["id"], envelope["count"], envelope["total"]) == (ids[1], 1, 3)
    assert error_of(client.get(f"{client.base}/{other}/executions/{ids[0]}"), 404)


def test_list_lag(client: Client, sandbox: Sandbox) -> None:
    sandbox.settings.list_lag_s = 5
    import_id = client.create_import()
    execution_id = client.uploaded(import_id)
    assert client.executions(import_id) == []
    assert client.execution(import_id, execution_id)["id"] == execution_id
    sandbox.advance(5)
    assert len(client.executions(import_id)) == 1


@pytest.mark.parametrize(("lag", "at_once", "later"), [(None, False, False), (0, True, True), (0.1, False, True)])
def test_parameters_lag(client: Client, sandbox: Sandbox, lag: float | None, at_once: bool, later: bool) -> None:
    sandbox.settings.parameters_lag_s = lag
    import_id = client.create_import()
    created = data_of(client.upload(import_id))
    assert (created["parameters"] is not None) is at_once
    sandbox.advance(0.1)
    assert (client.execution(import_id, created["id"])["parameters"] is not None) is later


def test_held_executions_stand_still(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    first = client.uploaded(import_id)
    sandbox.advance(0.1)
    sandbox.hold()
    sandbox.advance(100)
    second = client.uploaded(import_id)
    sandbox.advance(100)
    assert {item["status"] for item in client.executions(import_id)} == {"PENDING"}
    sandbox.release()
    sandbox.advance(0.1)
    moved = client.execution(import_id, first)
    assert (moved["status"], moved["start_date"] - moved["creation_date"]) == ("RUNNING", 200_200)
    assert client.execution(import_id, second)["status"] == "PENDING"
    sandbox.advance(0.4)
    assert {item["status"] for item in client.executions(import_id)} == {"SUCCEEDED"}


def test_real_clock() -> None:
    with Sandbox(settings=Settings(pending_s=0.01, running_s=0.01)) as sandbox, Client(sandbox) as client:
        import_id = client.create_import()
        execution_id = client.uploaded(import_id)
        sandbox.wait_until(lambda s: s.execution(execution_id)["status"] == "SUCCEEDED")
        assert client.execution(import_id, execution_id)["duration"] == 10


@pytest.mark.parametrize("status", ["FAILED", "LOST", "EXECUTOR_NOT_RESPONDING", "CANCELED", "SOMETHING_NEW"])
def test_set_status(client: Client, sandbox: Sandbox, status: str) -> None:
    import_id = client.create_import()
    execution_id = client.uploaded(import_id)
    sandbox.set_status(execution_id, status, "The executor is gone")
    sandbox.advance(10)
    value = client.execution(import_id, execution_id)
    assert (value["status"], value["result"], value["error"]) == (status, None, {"message": "The executor is gone"})
    assert ("end_date" in value) is (status != "SOMETHING_NEW")
    sandbox.set_status(execution_id, None)
    assert client.execution(import_id, execution_id)["status"] == "SUCCEEDED"
    with pytest.raises(KeyError):
        sandbox.set_status("1", "LOST")


def test_back_to_pending(client: Client, sandbox: Sandbox) -> None:
    sandbox.settings.life_cycle = [("SCHEDULED", 1), ("RUNNING", 1), ("PENDING", 1), ("RUNNING", 1), ("SUCCESS", 0)]
    import_id = client.create_import()
    execution_id = client.uploaded(import_id)
    seen = []
    for _ in range(5):
        seen.append(client.execution(import_id, execution_id)["status"])
        sandbox.advance(1)
    assert seen == ["SCHEDULED", "RUNNING", "PENDING", "RUNNING", "SUCCESS"]
    assert client.execution(import_id, execution_id)["result"]["total_success"] == 1


def test_quirks(client: Client, sandbox: Sandbox) -> None:
    sandbox.settings.result_while_pending = True
    sandbox.settings.counts_as_strings = True
    import_id = client.create_import()
    execution_id = client.uploaded(import_id)
    value = client.execution(import_id, execution_id)
    assert (value["status"], value["result"]["total_success"]) == ("PENDING", "1")
    assert value["parameters"]["number_of_lines"] == "1"
    assert value["end_date"] == value["start_date"] + value["duration"]


def test_overrides(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    execution_id = client.uploaded(import_id)
    sandbox.settings.execution_override = {"result": {"total_failure": 7}}
    sandbox.override(execution_id, result={"total_success": 5}, user_id="8")
    assert client.execution(import_id, execution_id)["result"] is None
    sandbox.advance(10)
    value = client.execution(import_id, execution_id)
    assert (value["result"]["total_success"], value["result"]["total_failure"], value["user_id"]) == (5, 7, "8")
    assert len(value["result"]) == len(RESULT_KEYS)
    sandbox.override(execution_id, result=None)
    assert client.execution(import_id, execution_id)["result"] is None
    assert sandbox.settings.execution_override == {"result": {"total_failure": 7}}


def test_rejection_by_the_test(client: Client, sandbox: Sandbox) -> None:
    sandbox.settings.reject_if = lambda line: b"crm-1" in line
    sandbox.settings.reject_marker = "crm-2"
    lines = b"".join(GOOD.replace(b"crm-1", b"crm-%d" % number) for number in range(4))
    done = client.checked("USER_PROFILE", lines)
    assert (done["result"]["total_success"], done["result"]["total_failure"]) == (2, 2)
    sandbox.settings.check_lines = False
    done = client.checked("USER_PROFILE", BAD + lines)
    assert (done["result"]["total_success"], done["result"]["total_failure"]) == (3, 2)


def test_uploads_at_once(client: Client, sandbox: Sandbox) -> None:
    import_id = client.create_import()
    together = threading.Barrier(8)

    def upload(number: int) -> tuple[str, bytes]:
        body = GOOD.replace(b"crm-1", b"crm-%d" % number) * 5000
        with Client(sandbox) as own:
            together.wait(10)
            return own.uploaded(import_id, body), body

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(upload, range(8)))
    assert len({execution_id for execution_id, _ in done}) == 8
    for execution_id, body in done:
        assert sandbox.received(execution_id).read_bytes() == body
    assert sandbox.count("create_execution") == 8
    assert json.loads(json.dumps(sandbox.counts)) == sandbox.counts
