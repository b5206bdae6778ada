"""Activities, time lines, identifiers, and how often each item came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.sandbox.sandbox_client import Client, data_of, error_of

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox

DATAMART = "/v1/datamarts/1509"
ACTIVITIES = f"{DATAMART}/user_activities"
ASSOCIATIONS = f"{DATAMART}/user_identifiers_association_declarations"
ACCOUNT = {"$type": "USER_ACCOUNT", "$compartment_id": "1201", "$user_account_id": "crm-77"}
AGENT = {"$type": "USER_AGENT", "$user_agent_id": "vec:1"}


def activity(*identifiers: dict[str, str], **fields: Any) -> dict[str, Any]:
    return {"$type": "TOUCH", "$ts": 1718000000000, "$user_identifiers": list(identifiers), "$events": []} | fields


def send(client: Client, body: dict[str, Any], **query: str) -> None:
    assert data_of(client.call("POST", ACTIVITIES, json=body, params=query)) is True


def keys(client: Client, path: str, **query: str) -> list[str]:
    return [item["$unique_key"] for item in data_of(client.get(path, **query))]


def test_timelines(client: Client) -> None:
    for number in range(3):
        fields = {"$unique_key": f"k{number}", "$ts": number, "shop": "lyon" if number else "paris"}
        send(client, activity(ACCOUNT, **fields))
    send(client, activity(ACCOUNT, **{"$unique_key": "k1", "$ts": 1, "shop": "again"}))
    flat = f"{DATAMART}/user_timelines/compartment_id=1201/user_account_id=crm-77/user_activities"
    assert keys(client, flat) == ["k1", "k2", "k0"]
    assert keys(client, flat, filters="shop==lyon|paris,$type==TOUCH") == ["k2", "k0"]
    assert keys(client, flat, filters="start_ts==1,end_ts==1") == ["k1"]
    assert keys(client, flat, max_results="1", first_result="1") == ["k2"]
    assert error_of(client.get(flat, filters="shop"), 400)
    point = f"{DATAMART}/user_points/compartment_id=1201,user_account_id=crm-77"
    (identity, *_) = [item for item in data_of(client.get(f"{point}/user_identifiers")) if "user_point_id" in item]
    by_uuid = f"{DATAMART}/user_timelines/{identity['user_point_id']}/user_activities"
    assert keys(client, by_uuid) == keys(client, f"{point}/user_activities") == ["k1", "k2", "k0"]
    assert client.call("DELETE", flat, params={"filters": "shop==again"}).status_code == 200
    assert keys(client, flat) == ["k2", "k0"]
    assert error_of(client.get(f"{DATAMART}/user_timelines/email_hash=x/user_activities"), 404)


def test_an_activity_without_a_key_gets_one(client: Client) -> None:
    for _ in range(2):
        send(client, activity(AGENT))
    assert len(set(keys(client, f"{DATAMART}/user_timelines/user_agent_id=vec:1/user_activities"))) == 2


def test_storage_is_asynchronous(client: Client, sandbox: Sandbox) -> None:
    sandbox.settings.activity_lag_s = 5
    send(client, activity(AGENT, **{"$unique_key": "later"}))
    send(client, activity(AGENT, **{"$unique_key": "now"}), **{"async": "false"})
    path = f"{DATAMART}/user_timelines/user_agent_id=vec:1/user_activities"
    assert keys(client, path) == ["now"]
    sandbox.advance(5)
    assert sorted(keys(client, path)) == ["later", "now"]
    assert error_of(client.call("POST", ACTIVITIES, json=activity(AGENT), params={"async": "maybe"}), 400)


@pytest.mark.parametrize("pipeline", ["true", "false", None])
def test_events_that_set_profiles_and_choices(client: Client, pipeline: str | None) -> None:
    profile = {"$user_account_id": "crm-77", "$compartment_id": "1201", "city": "Lyon"}
    choice = {"$processing_id": "450", "$choice_acceptance_value": True}
    events = [
        {"$event_name": "$set_user_profile_properties", "$ts": 1, "$properties": profile},
        {"$event_name": "$set_user_choice", "$ts": 1, "$properties": choice},
    ]
    send(client, activity(AGENT, **{"$events": events}), **({"processing_pipeline": pipeline} if pipeline else {}))
    point = f"{DATAMART}/user_points/user_agent_id=vec:1"
    profiles, choices = (data_of(client.get(f"{point}/{what}")) for what in ("user_profiles", "user_choices"))
    if pipeline == "false":
        assert (profiles, choices) == ([], [])
    else:
        assert profile.items() <= profiles[0].items()
        assert choice.items() <= choices[0].items()


def test_identifiers(client: Client, sandbox: Sandbox) -> None:
    send(client, activity(ACCOUNT))
    sandbox.advance(1)
    send(client, activity(AGENT, **{"$email_hash": {"$hash": "3f2a"}}))
    sandbox.advance(1)
    elements = [{"type": "USER_ACCOUNT", "compartment_id": "1201", "user_account_id": "crm-77"},
                {"type": "USER_AGENT", "user_agent_id": "vec:1"},
                {"type": "USER_AGENT", "user_agent_id": "udp:987654"}]  # fmt: skip
    assert data_of(client.post(ASSOCIATIONS, {"identifiers": elements})) == {"identifiers": elements}
    listed = {}
    for selector in ("compartment_id=1201/user_account_id=crm-77", "email_hash=3f2a", "user_agent_id=udp:987654"):
        listed[selector] = data_of(client.get(f"{DATAMART}/user_identifiers/{selector}"))
    first, *others = listed.values()
    assert all(other == first for other in others)
    assert sorted(item["type"] for item in first) == [
        "USER_ACCOUNT",
        "USER_AGENT",
        "USER_DEVICE_POINT",
        "USER_EMAIL",
        "USER_POINT",
    ]
    assert first[0]["type"] != "USER_POINT"
    (account,) = [item for item in first if item["type"] == "USER_ACCOUNT"]
    assert account == {
        "type": "USER_ACCOUNT",
        "compartment_id": 1201,
        "user_account_id": "crm-77",
        "creation_ts": 1609410143659,
    }
    assert client.control("users") == {"user_points": 1}
    assert len(client.control("users/1509/email_hash=3f2a")["activities"]) == 2
    assert client.call("DELETE", f"{DATAMART}/user_points/email_hash=3f2a").status_code == 200
    for selector in listed:
        assert error_of(client.get(f"{DATAMART}/user_identifiers/{selector}"), 404)
    assert client.control("users") == {"user_points": 0}


def test_items_are_counted(client: Client, sandbox: Sandbox) -> None:
    keyed = activity(ACCOUNT, **{"$unique_key": "k1"})
    for _ in range(2):
        send(client, keyed)
    send(client, activity(ACCOUNT))
    sandbox.faults.plan("status", when="after_body", status=503)
    assert error_of(client.post(ACTIVITIES, keyed), 503)
    sandbox.faults.plan("status", when="after_commit", status=500)
    assert error_of(client.post(ACTIVITIES, keyed), 500)
    assert error_of(client.post(ACTIVITIES, {"$type": "X", "$unique_key": "bad"}), 400)
    account = "compartment_id=1201,user_account_id=crm-77"
    kind = "create_user_activity"
    assert sandbox.items.received(kind) == {"k1": 4, account: 1, "bad": 1}
    assert sandbox.items.committed(kind) == {"k1": 3, account: 1}
    assert client.control(f"items/{kind}") == {
        "received": sandbox.items.received(kind),
        "committed": sandbox.items.committed(kind),
    }
    point = f"{DATAMART}/user_points/{account}"
    for selector in ("compartment_id=1201,user_account_id=crm-77", "compartment_id%3D1201%2Cuser_account_id%3Dcrm-77"):
        path = f"{DATAMART}/user_points/{selector}/user_profiles/compartment_id=1201/user_account_id=crm-77"
        client.call("PUT", path, json={}).raise_for_status()
    client.call("DELETE", point).raise_for_status()
    assert client.control("items") == {
        kind: {"items": 3, "received": {"1": 2, "4": 1}, "committed": {"1": 1, "3": 1}},
        "put_user_profile": {"items": 1, "received": {"2": 1}, "committed": {"2": 1}},
        "delete_user_point": {"items": 1, "received": {"1": 1}, "committed": {"1": 1}},
    }
    (key,) = sandbox.items.received("put_user_profile")
    assert key == f"{account}/user_profiles/compartment_id=1201/user_account_id=crm-77"
    client.control("reset", {})
    assert client.control("items") == {}


def test_bodies_need_not_be_kept(client: Client, sandbox: Sandbox) -> None:
    client.control("settings", {"keep_activities": False})
    send(client, activity(ACCOUNT, **{"$unique_key": "k1"}))
    assert sandbox.activities == []
    assert client.control("users") == {"user_points": 0}
    assert sandbox.items.committed("create_user_activity") == {"k1": 1}
