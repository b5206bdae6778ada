"""The faults that a careful client must stand, each as docs/sandbox.md plans it, over each kind of call."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
import requests

from airflow_provider_mics.sandbox.control import _ACTIONS
from airflow_provider_mics.sandbox.faults import Action, When
from tests.contract.sandbox.sandbox_client import GOOD, NDJSON, Client, connect, data_of, error_of, head

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox

DOCS = Path(__file__).parents[3] / "docs" / "sandbox.md"
DROPPED = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
POINT = "/v1/datamarts/1509/user_points/email_hash=3f2a"
ACTIVITY = {"$type": "TOUCH", "$user_agent_id": "vec:1"}
CHOICE = {"$choice_ts": 1, "$choice_acceptance_value": True}
LOGIN = {"email": "technical.user@example.com", "password": "sandbox-password"}
Call = tuple[str, str, dict[str, Any]]


def calls(client: Client) -> dict[str, Call]:
    """One good call of each kind."""
    import_id = client.create_import()
    execution_id = client.uploaded(import_id)
    executions = f"{client.base}/{import_id}/executions"
    uri = client.sandbox.executions[0].file_uri
    new = {"document_type": "USER_PROFILE", "mime_type": "APPLICATION_X_NDJSON", "name": "x"}
    return {
        "create_execution": ("POST", executions, {"data": GOOD, "headers": {"Content-Type": NDJSON}}),
        "create_document_import": ("POST", client.base, {"json": new}),
        "list_document_imports": ("GET", client.base, {}),
        "list_executions": ("GET", executions, {}),
        "get_execution": ("GET", f"{executions}/{execution_id}", {}),
        "act_on_execution": ("POST", f"{executions}/{execution_id}/action", {"json": {"action": "CANCEL"}}),
        "create_access_token": ("POST", "/v1/authentication/access_tokens", {"json": LOGIN}),
        "get_data_file": ("GET", "/v1/data_file/data", {"params": {"uri": uri}}),
        "create_user_activity": ("POST", "/v1/datamarts/1509/user_activities", {"json": ACTIVITY}),
        "put_user_profile": ("PUT", f"{POINT}/user_profiles/compartment_id=1000", {"json": {}}),
        "put_user_choice": ("PUT", f"{POINT}/user_choices/processing_id=450", {"json": CHOICE}),
        "put_user_stats": (
            "PUT",
            "/metax/3.0/ui/user/stat/1",
            {"json": {}, "headers": {"Authorization": "Bearer metax-sandbox-token"}},
        ),
    }


KINDS = (
    "create_execution", "create_document_import", "list_document_imports", "list_executions", "get_execution",
    "act_on_execution", "create_access_token", "get_data_file", "create_user_activity", "put_user_profile",
    "put_user_choice", "put_user_stats",
)  # fmt: skip


def written(sandbox: Sandbox) -> tuple[object, ...]:
    """Everything that a write changes."""
    cancelled = [item for item in sandbox.executions if item.pin is not None]
    return (
        len(sandbox.imports),
        len(sandbox.executions),
        len(cancelled),
        {kind: sandbox.items.committed(kind) for kind in KINDS},
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("plan", "status", "done"),
    [
        ({"action": "reset", "when": "before_body"}, None, False),
        ({"action": "reset", "when": "after_body"}, None, False),
        ({"action": "reset", "when": "after_commit"}, None, True),
        ({"action": "close", "when": "mid_reply"}, None, True),
        ({"action": "cut"}, None, True),
        ({"action": "status", "status": 429, "retry_after": 2}, 429, False),
        ({"action": "status", "status": 503, "when": "after_body"}, 503, False),
        ({"action": "status", "status": 504, "when": "after_commit"}, 504, True),
        ({"action": "html", "status": 200, "when": "after_commit"}, 200, True),
        ({"action": "envelope_error", "when": "after_commit"}, 200, True),
        ({"action": "envelope_error"}, 200, False),
        ({"action": "not_json", "body": "{"}, 200, True),
        ({"action": "empty"}, 201, True),
        ({"action": "redirect", "status": 308, "location": "/elsewhere"}, 308, False),
        ({"action": "status", "status": 401}, 401, False),
    ],
)
def test_each_fault_on_each_kind(
    client: Client, sandbox: Sandbox, kind: str, plan: dict[str, Any], status: int | None, done: bool
) -> None:
    method, path, options = calls(client)[kind]
    options["allow_redirects"] = False
    before = written(sandbox)
    fault = client.control("faults", {**plan, "kind": kind})
    if status is None:
        with pytest.raises(DROPPED):
            client.call(method, path, **options)
    else:
        assert client.call(method, path, **options).status_code == status
    reads = method == "GET" or kind == "create_access_token"
    sandbox.wait_until(lambda s: s.requests[-1].dropped or s.requests[-1].status is not None)
    assert (written(sandbox) != before) == (done and not reads)
    (planned,) = client.control("faults")
    assert (planned["number"], len(planned["fired"])) == (fault["number"], 1)
    # It struck once: the next one is answered.
    assert client.call(method, path, **options).status_code in {200, 400}


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({"retry_after": 7}, r"7"),
        ({"retry_after": 1e9}, r"1000000000"),
        ({"retry_after": 30, "retry_after_as_date": True}, r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"),
        ({"headers": {"Retry-After": "soon"}}, "soon"),
        ({"headers": {"Retry-After": "-5"}}, "-5"),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(client: Client, sandbox: Sandbox, status: int, plan: dict[str, Any], expected: str | None) -> None:
    client.control("faults", {"action": "status", "status": status, "times": 3, **plan})
    for _ in range(3):
        value = client.get("/v1/connected_user").headers.get("Retry-After")
        assert (value is None) if expected is None else re.fullmatch(expected, value or "")
    assert client.get("/v1/connected_user").status_code == 200


@pytest.mark.parametrize("when", ["before_body", "after_body"])
def test_too_large(client: Client, sandbox: Sandbox, when: Any) -> None:
    import_id = client.create_import()
    plan = {"action": "status", "status": 413, "when": when, "headers": {"Connection": "close"}}
    client.control("faults", plan | {"kind": "create_execution", "min_length": 1000})
    assert client.upload(import_id, GOOD).status_code == 200
    assert error_of(client.upload(import_id, GOOD * 1000), 413)
    assert client.upload(import_id, GOOD * 1000).status_code == 200
    assert sandbox.count("connections") == 2


def test_too_large_and_the_rest_is_not_read(client: Client, sandbox: Sandbox) -> None:
    path = f"{client.base}/{client.create_import()}/executions"
    plan = {"action": "status", "status": 413, "kind": "create_execution", "then_reset": True}
    client.control("faults", plan)
    top = ("Content-Length: 100000000", f"Content-Type: {NDJSON}", f"Authorization: {sandbox.token}")
    with connect(sandbox) as connection:
        connection.sendall(head("POST", path, *top) + GOOD)
        sandbox.wait_until(lambda s: s.count("dropped") == 1)
        with pytest.raises(OSError, match=r"reset|pipe"):
            connection.sendall(GOOD * 100_000)
    (upload,) = sandbox.uploads
    assert (upload["status"], upload["complete"], upload["bytes"]) == (413, False, 0)


@pytest.mark.parametrize("status", [403, 404])
def test_an_execution_that_one_may_not_see(client: Client, sandbox: Sandbox, status: int) -> None:
    method, path, _ = calls(client)["get_execution"]
    client.control("faults", {"action": "status", "status": status, "kind": "get_execution", "times": None})
    for _ in range(3):
        assert error_of(client.call(method, path), status)


def test_body_of_ones_own(client: Client, sandbox: Sandbox) -> None:
    sandbox.faults.plan("status", status=500, body='{"result":"error"}')
    response = client.get("/v1/connected_user")
    assert (response.status_code, response.json()) == (500, {"result": "error"})


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"success_status": "SUCCESS"}, {"status": "SUCCESS"}),
        ({"life_cycle": [["LOST", 0]]}, {"status": "LOST", "result": None}),
        ({"life_cycle": [["EXECUTOR_NOT_RESPONDING", 0]]}, {"status": "EXECUTOR_NOT_RESPONDING", "result": None}),
        ({"life_cycle": [["SOMETHING_NEW", 0]]}, {"status": "SOMETHING_NEW"}),
        ({"execution_override": {"result": None}}, {"status": "SUCCEEDED", "result": None}),
        ({"execution_override": {"new_field": {"a": 1}}}, {"new_field": {"a": 1}}),
    ],
)
def test_odd_executions(client: Client, settings: dict[str, Any], expected: dict[str, Any]) -> None:
    client.control("settings", settings)
    import_id = client.create_import()
    execution_id = client.uploaded(import_id)
    client.control("advance", {"seconds": 5})
    assert expected.items() <= client.execution(import_id, execution_id).items()
    assert expected.items() <= client.executions(import_id)[0].items()


@pytest.mark.parametrize(
    ("settings", "success", "failure", "lines"),
    [
        ({"counts_as_strings": True}, "2", "0", "2"),
        ({"execution_override": {"result": {"total_success": 1}}}, 1, 0, 2),
        ({"execution_override": {"result": {"total_failure": 5}}}, 2, 5, 2),
        ({"execution_override": {"parameters": {"number_of_lines": 3}}}, 2, 0, 3),
    ],
)
def test_odd_counts(client: Client, settings: dict[str, Any], success: object, failure: object, lines: object) -> None:
    client.control("settings", settings)
    import_id = client.create_import()
    execution_id = client.uploaded(import_id, GOOD * 2)
    client.control("advance", {"seconds": 5})
    value = client.execution(import_id, execution_id)
    assert (value["result"]["total_success"], value["result"]["total_failure"]) == (success, failure)
    assert value["parameters"]["number_of_lines"] == lines


def test_back_from_running_to_pending(client: Client) -> None:
    steps = [["PENDING", 1], ["RUNNING", 1], ["PENDING", 1], ["RUNNING", 1], ["SUCCEEDED", 0]]
    client.control("settings", {"life_cycle": steps})
    import_id = client.create_import()
    execution_id = client.uploaded(import_id)
    seen = []
    for _ in steps:
        seen.append(client.execution(import_id, execution_id)["status"])
        client.control("advance", {"seconds": 1})
    assert seen == [status for status, _ in steps]


@pytest.mark.parametrize("refusal", ["error", "unchanged"])
def test_cancel_comes_too_late(client: Client, refusal: str) -> None:
    client.control("settings", {"life_cycle": [["RUNNING", 9], ["SUCCEEDED", 0]], "cancel_refusal": refusal})
    method, path, options = calls(client)["act_on_execution"]
    response = client.call(method, path, **options)
    if refusal == "error":
        assert "RUNNING" in error_of(response, 400)
    else:
        assert data_of(response)["status"] == "RUNNING"


@pytest.mark.parametrize(("when", "status"), [("before_body", "PENDING"), ("after_commit", "CANCELED")])
def test_cancel_fails(client: Client, sandbox: Sandbox, when: str, status: str) -> None:
    method, path, options = calls(client)["act_on_execution"]
    client.control("faults", {"action": "status", "status": 500, "kind": "act_on_execution", "when": when})
    assert error_of(client.call(method, path, **options), 500)
    assert sandbox.execution(sandbox.executions[0].id)["status"] == status


def test_token_is_replaced(client: Client, sandbox: Sandbox) -> None:
    assert client.get("/v1/connected_user").status_code == 200
    new = client.control("tokens/rotate", {})["token"]
    assert error_of(client.get("/v1/connected_user"), 401)
    assert client.call("GET", "/v1/connected_user", headers={"Authorization": new}).status_code == 200


@pytest.mark.parametrize("line", [line for line in DOCS.read_text().splitlines() if line.startswith('{"action"')])
def test_plans_of_the_documentation(client: Client, line: str) -> None:
    client.control("faults", json.loads(line))


@pytest.mark.parametrize("line", [line for line in DOCS.read_text().splitlines() if line.startswith('{"setting')])
def test_settings_of_the_documentation(client: Client, line: str) -> None:
    client.control("settings", json.loads(line)["settings"])


def test_nothing_is_left_out_of_the_documentation(sandbox: Sandbox) -> None:
    text = DOCS.read_text()
    words = [*get_args(Action), *get_args(When), *("/".join(pattern) for _, pattern, _ in _ACTIONS)]
    assert [word for word in words if word.split("/*")[0] not in text] == []
    pattern = r"(list|get|create|update|delete)_(audience_segments?|processings?|labels?|api_tokens?)"
    kinds = {kind for kind in sandbox.faults.kinds if not re.fullmatch(pattern, kind)}
    assert {kind for kind in kinds if f"`{kind}`" not in text} == {"unknown"}
