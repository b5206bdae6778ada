"""The unit API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.sandbox.sandbox_client import Client, data_of, error_of

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox

POINT = "/v1/datamarts/1509/user_points"
PAIR = f"{POINT}/compartment_id=1201,user_account_id=crm-77"
PROFILE = f"{PAIR}/user_profiles/compartment_id=1201/user_account_id=crm-77"
STORED = {"a": 1, "addr": {"city": "Lyon", "zip": "69002"}}
SENT = {"b": 2, "addr": {"zip": "69003"}}


def test_activity(client: Client, sandbox: Sandbox) -> None:
    activity = {"$type": "TOUCH", "$user_agent_id": "vec:1", "$events": [], "$ts": 1718000000000}
    path = "/v1/datamarts/1509/user_activities"
    assert data_of(client.post(path, activity)) is True
    assert error_of(client.post(path, {"$type": "TOUCH"}), 400)
    assert error_of(client.post("/v1/datamarts/1510/user_activities", activity), 403)
    assert sandbox.activities == [activity]
    assert client.control("state")["activities"] == [activity]


def test_association(client: Client) -> None:
    path = "/v1/datamarts/1509/user_identifiers_association_declarations"
    assert client.post(path, {"identifiers": [{"type": "USER_EMAIL", "hash": "3f2a"}]}).status_code == 200
    assert error_of(client.post(path, {}), 400)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"a": 1, "b": 2, "addr": {"zip": "69003"}}),
        ({"merge_objects": "true"}, {"a": 1, "b": 2, "addr": {"city": "Lyon", "zip": "69003"}}),
        ({"force_replace": "true"}, SENT),
        ({"force_replace": "true", "merge_objects": "true"}, SENT),
    ],
)
def test_profile_modes(client: Client, sandbox: Sandbox, query: dict[str, str], expected: dict[str, Any]) -> None:
    client.call("PUT", PROFILE, json=STORED).raise_for_status()
    sandbox.advance(5)
    client.call("PUT", PROFILE, json=SENT, params=query).raise_for_status()
    profile = data_of(client.get(PROFILE))
    assert profile["$last_modified_ts"] - profile["$creation_ts"] == 5000
    assert (profile["$compartment_id"], profile["$user_account_id"]) == ("1201", "crm-77")
    assert {name: value for name, value in profile.items() if not name.startswith("$")} == expected
    assert data_of(client.get(f"{PAIR}/user_profiles")) == [profile]
    assert data_of(client.call("DELETE", PROFILE)) == profile
    assert error_of(client.get(PROFILE), 404)


def test_choices(client: Client) -> None:
    path = f"{POINT}/email_hash=3f2a/user_choices"
    assert error_of(client.get(path), 404)
    for number, value in enumerate((True, False)):
        choice = {"$choice_ts": number, "$choice_acceptance_value": value}
        client.call("PUT", f"{path}/processing_id=450", json=choice).raise_for_status()
    (stored,) = data_of(client.get(path))
    assert stored == data_of(client.get(f"{path}/processing_id=450"))
    assert (stored["$processing_id"], stored["$choice_acceptance_value"]) == ("450", False)
    changes = data_of(client.get(f"{path}/processing_id=450/change_log"))
    assert [item["$choice_acceptance_value"] for item in changes] == [True, False]
    assert error_of(client.get(f"{path}/processing_id=451"), 404)
    assert error_of(client.get(f"{path}/processing_id=451/change_log"), 404)
    assert error_of(client.get(f"{path}/450"), 400)
    assert error_of(client.call("PUT", f"{path}/processing_id=450", json={}), 400)
    assert data_of(client.call("DELETE", f"{path}/processing_id=450")) == stored
    assert data_of(client.get(path)) == []


def test_selectors(client: Client) -> None:
    choice = {"$choice_ts": 1, "$choice_acceptance_value": True}
    account = f"{POINT}/user_account_id=a%2Fb%2Cc/user_choices"
    stored = data_of(client.call("PUT", f"{account}/processing_id=1", json=choice))
    assert data_of(client.get(f"{POINT}/compartment_id=1000,user_account_id=a%2Fb%2Cc/user_choices")) == [stored]
    for selector in (stored["$user_point_id"], f"user_point_id={stored['$user_point_id']}"):
        assert data_of(client.get(f"{POINT}/{selector}/user_choices")) == [stored]
    for selector in ("nobody", "compartment_id=1", "email_hash="):
        assert error_of(client.get(f"{POINT}/{selector}/user_choices"), 400)
    assert error_of(client.call("PUT", f"{PAIR}/user_profiles/city=Lyon", json={}), 400)
    assert client.call("DELETE", f"{POINT}/{stored['$user_point_id']}").status_code == 200
    assert error_of(client.get(account), 404)
