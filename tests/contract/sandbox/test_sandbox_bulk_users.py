"""Lines of bulk imports, read back through the unit API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.sandbox.sandbox_client import GOOD, Client, data_of, error_of

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox

DATAMART = "/v1/datamarts/1509"
POINT = f"{DATAMART}/user_points/compartment_id=1201,user_account_id=crm-77"
WHO = {"compartment_id": "1201", "user_account_id": "crm-77"}
PROFILE = {"$compartment_id": "1201", "$user_account_id": "crm-77"}


@pytest.fixture(autouse=True)
def changing_users(sandbox: Sandbox) -> None:
    sandbox.settings.imports_change_users = True


def load(client: Client, document_type: str, *lines: dict[str, Any]) -> None:
    """Import lines, and wait until they were looked at."""
    import_id = client.create_import(document_type)
    execution_id = client.uploaded(import_id, b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    # Before the time moves on: they are carried out at the time at which they are checked.
    assert client.sandbox.executions[-1].report.result(30).success == len(lines)
    client.sandbox.advance(1)
    assert client.execution(import_id, execution_id)["result"]["total_success"] == len(lines)


def test_off_by_default(client: Client, sandbox: Sandbox) -> None:
    sandbox.settings.imports_change_users = False
    client.uploaded(client.create_import(), GOOD)
    assert client.control("users") == {"user_points": 0}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ({}, {"a": 1, "o": {"y": 2}}),
        ({"force_replace": False, "merge_objects": True}, {"a": 1, "o": {"x": 1, "y": 2}}),
        ({"force_replace": True}, {"o": {"y": 2}}),
        ({"update_strategy": "FORCE_REPLACE"}, {"o": {"y": 2}}),
        ({"update_strategy": "PARTIAL_UPDATE"}, {"a": 1, "o": {"x": 1, "y": 2}}),
        ({"update_strategy": "PARTIAL_DELETE"}, {"a": 1}),
    ],
)
def test_profiles(client: Client, mode: dict[str, Any], expected: dict[str, Any]) -> None:
    first = {"operation": "UPSERT", **WHO, "user_profile": {**PROFILE, "a": 1, "o": {"x": 1}}}
    second = {"operation": "UPSERT", **WHO, **mode, "user_profile": {**PROFILE, "o": {"y": 2}}}
    load(client, "USER_PROFILE", first, second)
    (profile,) = data_of(client.get(f"{POINT}/user_profiles"))
    assert {name: value for name, value in profile.items() if not name.startswith("$")} == expected
    load(client, "USER_PROFILE", {"operation": "DELETE", **WHO})
    assert data_of(client.get(f"{POINT}/user_profiles")) == []


def test_profile_keys_are_not_inherited(client: Client) -> None:
    load(client, "USER_PROFILE", {"operation": "UPSERT", **WHO, "user_profile": {"a": 1}})
    (profile,) = data_of(client.get(f"{POINT}/user_profiles"))
    assert (profile["$compartment_id"], "$user_account_id" in profile) == ("1000", False)
    load(client, "USER_PROFILE", {"operation": "DELETE", "email_hash": "nobody"})


def test_choices(client: Client) -> None:
    choice = {"$processing_id": "450", "$choice_ts": 1, "$choice_acceptance_value": True}
    load(client, "USER_CHOICE", {"operation": "UPSERT", **WHO, "force_replace": True, "user_choice": choice})
    assert data_of(client.get(f"{POINT}/user_choices/processing_id=450"))["$choice_acceptance_value"] is True
    load(client, "USER_CHOICE", {"operation": "DELETE", **WHO, "user_choice": {"$processing_id": "450"}})
    assert data_of(client.get(f"{POINT}/user_choices")) == []
    assert len(data_of(client.get(f"{POINT}/user_choices/processing_id=450/change_log"))) == 1


def test_segments(client: Client, sandbox: Sandbox) -> None:
    update = {"operation": "UPDATE", **WHO}
    load(
        client,
        "USER_SEGMENT",
        {**update, "segment_technical_name": "vip", "expiration_duration": 2, "data_bag": "{}"},
        {**update, "segment_id": "9002", "expiration_duration": 0},
        {**update, "segment_technical_name": "nothing", "expiration_duration": 0},
    )
    now = 1609410143659
    first = {"segment_id": "9001", "data_bag": "{}", "creation_ts": now, "last_modified_ts": now}
    first["expiration_ts"] = now + 120_000
    segments = data_of(client.get(f"{POINT}/user_segments"))
    assert segments[0] == first
    assert (segments[1]["segment_id"], "expiration_ts" in segments[1]) == ("9002", False)
    flat = f"{DATAMART}/user_segments/compartment_id=1201/user_account_id=crm-77"
    assert data_of(client.get(flat)) == segments
    assert data_of(client.get(f"{POINT}/user_segments/audience_segment_id=9001")) == first
    assert error_of(client.get(f"{POINT}/user_segments/audience_segment_id=9"), 404)
    assert error_of(client.get(f"{POINT}/user_segments/9001"), 400)
    load(client, "USER_SEGMENT", {"operation": "DELETE", **WHO, "segment_id": "9001", "expiration_duration": 0})
    assert [item["segment_id"] for item in data_of(client.get(flat))] == ["9002"]


def test_activities_skip_the_pipeline(client: Client) -> None:
    event = {"$event_name": "$set_user_choice", "$properties": {"$processing_id": "1"}}
    who = {"$type": "USER_ACCOUNT", "$compartment_id": "1201", "$user_account_id": "crm-77"}
    load(client, "USER_ACTIVITY", {"$type": "TOUCH", "$user_identifiers": [who], "$events": [event]})
    assert len(data_of(client.get(f"{POINT}/user_activities"))) == 1
    assert data_of(client.get(f"{POINT}/user_choices")) == []


def test_identifiers_and_deletions(client: Client) -> None:
    account, email = {"type": "USER_ACCOUNT", **WHO}, {"type": "USER_EMAIL", "hash": "3f2a"}
    device = {"type": "USER_AGENT", "user_agent_id": "udp:9"}
    load(client, "USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS", {"identifiers": [account, email, device]})
    path = f"{DATAMART}/user_identifiers/email_hash=3f2a"
    assert len(data_of(client.get(path))) == 4
    load(client, "USER_DEVICE_POINTS_DELETION", device)
    load(client, "USER_IDENTIFIERS_DELETION", account)
    assert sorted(item["type"] for item in data_of(client.get(path))) == ["USER_EMAIL", "USER_POINT"]
    load(client, "USER_POINTS_DELETION", email, email)
    assert error_of(client.get(path), 404)
