"""What is sent for each item, and what the task returns."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api.selectors import UserPointSelector
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError
from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.operators.tracking import (
    MicsSendUserActivitiesOperator,
    MicsSetUserChoicesOperator,
    MicsUpsertUserProfilesOperator,
)
from tests.contract.tracking.conftest import activity, choice, profile

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.tracking.conftest import Task


def counts(result: dict[str, Any]) -> tuple[int, ...]:
    return tuple(result[name] for name in ("items", "accepted", "rejected", "unknown", "invalid"))


def test_activities_arrive_as_they_are(sandbox: Sandbox, task: Task) -> None:
    sent = [activity(0, note="café"), activity(1, **{"$ttl": None}), activity(2)]
    result = task.run(MicsSendUserActivitiesOperator, items=sent)

    assert counts(result) == (3, 3, 0, 0, 0)
    assert result["dead_letter"] is None
    assert sorted(sandbox.activities, key=json.dumps) == sorted(sent, key=json.dumps)
    (path,) = {request.path for request in sandbox.requests}
    assert path == f"/v1/datamarts/{sandbox.datamart_id}/user_activities"
    assert sandbox.requests[0].query == {}


def test_activities_may_go_past_the_pipeline(sandbox: Sandbox, task: Task) -> None:
    task.run(MicsSendUserActivitiesOperator, items=[activity(0)], processing_pipeline=False)

    assert sandbox.requests[0].query == {"processing_pipeline": "false"}


@pytest.mark.usefixtures("sandbox")
def test_profiles_are_merged_or_replaced_as_their_lines_say(task: Task) -> None:
    account = {"$compartment_id": "1201", "$user_account_id": "crm-1"}
    selector = UserPointSelector(compartment_id="1201", user_account_id="crm-1")

    def stored(line: dict[str, Any]) -> dict[str, Any]:
        task.run(MicsUpsertUserProfilesOperator, items=[line])
        found = MicsHook().get_user_profile(selector, compartment_id="1201", user_account_id="crm-1")
        assert found is not None
        return {name: value for name, value in found.items() if not name.startswith("$")}

    first = {**account, "a": 1, "addr": {"city": "Lyon", "zip": "69002"}}
    second = {**account, "b": 2, "addr": {"zip": "69003"}}
    assert stored(profile(1, user_profile=first)) == {"a": 1, "addr": {"city": "Lyon", "zip": "69002"}}
    assert stored(profile(1, user_profile=second, merge_objects=True)) == {
        "a": 1, "b": 2, "addr": {"city": "Lyon", "zip": "69003"}
    }  # fmt: skip
    assert stored(profile(1, user_profile=second)) == {"a": 1, "b": 2, "addr": {"zip": "69003"}}
    assert stored(profile(1, user_profile=second, force_replace=True)) == {"b": 2, "addr": {"zip": "69003"}}
    line = profile(1, user_profile={**account, "c": 3}, update_strategy="FORCE_REPLACE")
    del line["force_replace"]
    assert stored(line) == {"c": 3}


@pytest.mark.parametrize(
    ("identifier", "user_profile", "path"),
    [
        (
            {"compartment_id": 1201, "user_account_id": "a/b,c"},
            {"x": 1},
            "compartment_id=1201,user_account_id=a%2Fb%2Cc/user_profiles/compartment_id=1201/user_account_id=a%2Fb%2Cc",
        ),
        (
            {"user_account_id": "crm-1"},
            {"$compartment_id": "7", "$user_account_id": "other"},
            "user_account_id=crm-1/user_profiles/compartment_id=7/user_account_id=other",
        ),
        (
            {"email_hash": "abc"},
            {"$compartment_id": "7", "$user_account_id": 88},
            "email_hash=abc/user_profiles/compartment_id=7/user_account_id=88",
        ),
        ({"user_agent_id": "vec:1"}, {"$compartment_id": "7"}, "user_agent_id=vec%3A1/user_profiles/compartment_id=7"),
        (
            {"compartment_id": "1201", "user_account_id": "crm-1"},
            {"$user_account_id": "crm-1"},
            "compartment_id=1201,user_account_id=crm-1/user_profiles/compartment_id=1201/user_account_id=crm-1",
        ),
    ],
    ids=["of the line", "of the profile", "by hash", "without account", "account alone"],
)
def test_a_profile_goes_where_its_line_says(
    sandbox: Sandbox, task: Task, identifier: dict[str, Any], user_profile: dict[str, Any], path: str
) -> None:
    line = {"operation": "UPSERT", "force_replace": True, "user_profile": user_profile, **identifier}
    task.run(MicsUpsertUserProfilesOperator, items=[line])

    (request,) = sandbox.requests
    assert request.method == "PUT"
    assert request.path == f"/v1/datamarts/{sandbox.datamart_id}/user_points/{path}"
    assert request.query == {"force_replace": "true"}


def test_choices_are_recorded(sandbox: Sandbox, task: Task) -> None:
    result = task.run(MicsSetUserChoicesOperator, items=[choice(1), choice(2)])

    assert counts(result) == (2, 2, 0, 0, 0)
    assert sandbox.requests[0].path.endswith("/user_choices/processing_id=450")
    (found,) = MicsHook().list_user_choices(UserPointSelector(email_hash=f"{2:064x}"))
    assert found["$choice_ts"] == choice(2)["user_choice"]["$choice_ts"]


def test_files_of_every_kind_are_sent(sandbox: Sandbox, task: Task) -> None:
    task.file([activity(0), activity(1)], "a-1.ndjson")
    Path(task.folder / "a-2.ndjson.gz").write_bytes(gzip.compress(json.dumps(activity(2)).encode()))
    Path(task.folder / "a-3.ndjson").write_bytes(b"\xef\xbb\xbf" + json.dumps(activity(3)).encode() + b"\r\n\n \n")
    result = task.run(MicsSendUserActivitiesOperator, path=f"{task.folder}/a-*")

    assert counts(result) == (4, 4, 0, 0, 0)
    assert sandbox.items.received("create_user_activity").keys() == {
        f"compartment_id=1201,user_account_id=crm-{number}" for number in range(4)
    }


def test_nothing_to_send_is_no_failure(sandbox: Sandbox, task: Task) -> None:
    assert counts(task.run(MicsSendUserActivitiesOperator, items=[])) == (0, 0, 0, 0, 0)
    assert counts(task.run(MicsSendUserActivitiesOperator, path=task.file([]))) == (0, 0, 0, 0, 0)
    assert sandbox.count("total") == 0


@pytest.mark.usefixtures("sandbox")
def test_a_bulk_import_is_advised_for_many(task: Task, caplog: pytest.LogCaptureFixture) -> None:
    task.run(MicsSetUserChoicesOperator, items=[choice(number) for number in range(1000)])
    assert "MicsImportFilesOperator" not in caplog.text
    task.run(MicsSetUserChoicesOperator, items=[choice(number) for number in range(1001)])

    assert 'MicsImportFilesOperator(document_type="USER_CHOICE"' in caplog.text


BAD = (
    (MicsSendUserActivitiesOperator, activity(1, **{"$type": "VISIT"}), "$type"),
    (MicsUpsertUserProfilesOperator, profile(1, operation="DELETE"), "operation is DELETE"),
    (MicsUpsertUserProfilesOperator, profile(1, force_replace=None, update_strategy="PARTIAL_UPDATE"), "update_strat"),
    (
        MicsUpsertUserProfilesOperator,
        {"operation": "UPSERT", "email_hash": "h", "force_replace": True, "user_profile": {"x": 1}},
        "which profile",
    ),
    (MicsSetUserChoicesOperator, choice(1, operation="DELETE"), "operation is DELETE"),
    (MicsSetUserChoicesOperator, choice(1, force_replace=None), "force_replace"),
)


@pytest.mark.parametrize(("operator", "bad", "said"), BAD, ids=[f"{case[0].__name__}-{case[2]}" for case in BAD])
def test_a_bad_line_is_named_before_anything_is_sent(
    sandbox: Sandbox, task: Task, operator: Any, bad: dict[str, Any], said: str
) -> None:
    good = {
        MicsSendUserActivitiesOperator: activity,
        MicsUpsertUserProfilesOperator: profile,
        MicsSetUserChoicesOperator: choice,
    }[operator]
    path = task.file([good(0), bad, good(2)])
    with pytest.raises(MicsInputError, match=r"line 2 \(byte \d+\)") as caught:
        task.run(operator, path=path)
    assert said in str(caught.value)
    assert "crm-1" not in str(caught.value)
    assert sandbox.count("total") == 0

    result = task.run(operator, path=path, preflight="dead_letter", dead_letter_path=task.dead_letter_path)
    assert counts(result) == (3, 2, 0, 0, 1)
    assert result["dead_letter"] == {"path": task.dead_letter_path, "lines": 1}
    (aside,) = task.dead_letters()
    assert (aside["line"], json.loads(aside["content"])) == (2, bad)


def test_unchecked_lines_are_left_to_the_platform(
    sandbox: Sandbox, task: Task, caplog: pytest.LogCaptureFixture
) -> None:
    bad = activity(1, **{"$type": "VISIT"})
    result = task.run(
        MicsSendUserActivitiesOperator, items=[activity(0), bad, activity(2)], preflight="off", max_rejected=1
    )

    assert counts(result) == (3, 2, 1, 0, 0)
    assert sandbox.count("status_400") == 1
    assert not [record for record in caplog.records if "crm-" in record.getMessage()]


@pytest.mark.parametrize(
    ("of_connection", "of_task", "expected"),
    [(None, None, None), (None, 50, 50), (20, 50, 20), (80, 50, 50), (20, None, 20)],
)
def test_the_lower_rate_holds(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    of_connection: float | None,
    of_task: float | None,
    expected: float,
) -> None:
    extra = {"datamart_id": sandbox.datamart_id, "rate_limit": of_connection}
    connection = {"conn_type": "mics", "host": sandbox.url, "password": sandbox.token, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_MICS_DEFAULT", json.dumps(connection))

    async def rate() -> float | None:
        async with MicsHook().async_client(connections=3, rate_limit=of_task) as client:
            return client._settings.rate_limit

    assert asyncio.run(rate()) == expected


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "either items or path"),
        ({"items": [activity(0)], "path": "x"}, "either items or path"),
        ({"items": "[]"}, "list of dicts"),
        ({"items": activity(0)}, "list of dicts"),
        ({"items": [activity(0)], "concurrency": 0}, "concurrency"),
        ({"items": [activity(0)], "rate_limit": 0}, "rate_limit"),
        ({"items": [activity(0)], "preflight": "dead_letter"}, "dead_letter_path"),
        ({"items": [activity(0)], "max_rejected": "many"}, "max_rejected"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(task: Task, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(MicsConfigurationError, match=said):
        task.run(MicsSendUserActivitiesOperator, **arguments)


@pytest.mark.usefixtures("sandbox")
def test_nothing_personal_is_logged(task: Task, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "airflow_provider_mics")
    task.run(MicsUpsertUserProfilesOperator, items=[profile(number) for number in range(3)])

    assert "crm-" not in caplog.text
