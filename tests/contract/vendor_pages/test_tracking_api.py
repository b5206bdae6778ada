"""The vendor's page "Tracking API": each call as the hook sends it.

The page shows no replies; those here are envelopes as everywhere, with what the vendor's own programs read from them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api.selectors import UserPointSelector
from tests.contract.vendor_pages.vendor import DATAMART, Vendor

if TYPE_CHECKING:
    from airflow_provider_mics.hooks.mics import MicsHook

OK = b'{"status": "ok"}'
JSON: dict[str, Any] = {"content_type": "application/json"}
USER_POINT_ID = "0b2a1e2c-5b0f-4f0e-9a57-1f2d3c4b5a69"
#: "User point selector": the forms, and how they stand in a path.
SELECTORS = [
    (UserPointSelector(user_point_id=USER_POINT_ID), USER_POINT_ID),
    (UserPointSelector(user_agent_id="vec:89998434"), "user_agent_id=vec%3A89998434"),
    (
        UserPointSelector(compartment_id="1201", user_account_id="jeanne@example.com"),
        "compartment_id=1201,user_account_id=jeanne%40example.com",
    ),
    (UserPointSelector(user_account_id="crm-77"), "user_account_id=crm-77"),
    (UserPointSelector(email_hash="3f2a"), "email_hash=3f2a"),
]
WHO, POINT = UserPointSelector(email_hash="3f2a"), f"{DATAMART}/user_points/email_hash=3f2a"
#: An activity with identifiers of every kind.
ACTIVITY: dict[str, Any] = {
    "$ts": 3489009384393,
    "$type": "APP_VISIT",
    "$session_status": "IN_SESSION",
    "$user_identifiers": [
        {"$type": "USER_ACCOUNT", "$compartment_id": "1201", "$user_account_id": "<ACCOUNT_ID-1>"},
        {"$type": "USER_ACCOUNT", "$compartment_id": "1201", "$user_account_id": "<ACCOUNT_ID-2>"},
        {"$type": "USER_AGENT", "$user_agent_id": "<USER_AGENT_ID>"},
        {"$type": "USER_EMAIL", "$hash": "<USER_EMAIL_HASH>", "$email": "<USER_EMAIL>"},
    ],
    "$app_id": "1023",
    "$events": [{"$ts": 3489009384393, "$event_name": "$app_open", "$properties": {}}],
}
#: The same with the identifiers that the page calls legacy.
LEGACY = {name: value for name, value in ACTIVITY.items() if name != "$user_identifiers"} | {
    "$user_agent_id": "<USER_AGENT_ID>",
    "$compartment_id": "1201",
    "$user_account_id": "<ACCOUNT_ID>",
    "$email_hash": {"$hash": "<USER_EMAIL_HASH>"},
}


def with_event(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    return ACTIVITY | {"$events": [{"$ts": 3489009384393, "$event_name": name, "$properties": properties}]}


#: "Create / Update a user profile from within an activity".
SETS_PROFILE = with_event(
    "$set_user_profile_properties", {"$compartment_id": "1201", "$user_account_id": "<ACCOUNT_ID-1>", "city": "Lyon"}
)
#: "Create / Update a user choice from within an activity".
SETS_CHOICE = with_event("$set_user_choice", {"$processing_id": "450", "$choice_acceptance_value": True})


def import_activity(hook: MicsHook, vendor: Vendor, activity: dict[str, Any]) -> None:
    vendor.answers(OK)
    hook.send_user_activity(activity)
    assert json.loads(vendor.received("POST", f"{DATAMART}/user_activities", **JSON).body) == activity


@pytest.mark.parametrize("activity", [ACTIVITY, LEGACY])
def test_import_a_user_activity(hook: MicsHook, vendor: Vendor, activity: dict[str, Any]) -> None:
    import_activity(hook, vendor, activity)


def test_create_a_user_profile_from_within_an_activity(hook: MicsHook, vendor: Vendor) -> None:
    import_activity(hook, vendor, SETS_PROFILE)


def test_create_a_user_choice_from_within_an_activity(hook: MicsHook, vendor: Vendor) -> None:
    import_activity(hook, vendor, SETS_CHOICE)


def test_an_activity_may_pass_the_pipeline_by(hook: MicsHook, vendor: Vendor) -> None:
    """Query arguments that the page does not name, and the vendor's own tests send."""
    vendor.answers(OK)
    hook.send_user_activity(ACTIVITY, processing_pipeline=False, asynchronous=False)
    vendor.received("POST", f"{DATAMART}/user_activities", {"processing_pipeline": "false", "async": "false"}, **JSON)


@pytest.mark.parametrize(("selector", "segment"), SELECTORS)
def test_user_point_selector(hook: MicsHook, vendor: Vendor, selector: UserPointSelector, segment: str) -> None:
    vendor.answers(OK)
    hook.set_user_choice(selector, "450", {})
    vendor.received("PUT", f"{DATAMART}/user_points/{segment}/user_choices/processing_id=450", **JSON)


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ({}, {}),
        ({"force_replace": True}, {"force_replace": "true"}),
        ({"force_replace": False, "merge_objects": True}, {"force_replace": "false", "merge_objects": "true"}),
    ],
)
def test_create_or_update_a_user_profile(
    hook: MicsHook, vendor: Vendor, arguments: dict[str, Any], query: dict[str, str]
) -> None:
    """The path's account may be another than the selector's: that is which profile, this is whose."""
    profile = {"$compartment_id": "1201", "$user_account_id": "crm/77", "city": "Lyon", "optin": {"sms": True}}
    vendor.answers(OK)
    hook.upsert_user_profile(WHO, profile, compartment_id="1201", user_account_id="crm/77", **arguments)
    path = f"{POINT}/user_profiles/compartment_id=1201/user_account_id=crm%2F77"
    assert json.loads(vendor.received("PUT", path, query, **JSON).body) == profile


def choice(*, accepted: bool) -> dict[str, Any]:
    return {"$processing_id": "450", "$choice_ts": 1605262037783, "$choice_acceptance_value": accepted}


def test_create_or_update_user_choices(hook: MicsHook, vendor: Vendor) -> None:
    vendor.answers(OK)
    hook.set_user_choice(WHO, "450", choice(accepted=True))
    request = vendor.received("PUT", f"{POINT}/user_choices/processing_id=450", **JSON)
    assert json.loads(request.body) == choice(accepted=True)


def listing(*items: dict[str, Any]) -> bytes:
    return json.dumps({"status": "ok", "data": items, "count": len(items)}).encode()


@pytest.mark.parametrize(("processing_id", "tail"), [(None, ""), ("450", "/processing_id=450")])
@pytest.mark.parametrize("is_list", [True, False])
def test_list_user_choices(hook: MicsHook, vendor: Vendor, processing_id: str | None, tail: str, is_list: bool) -> None:
    """The page calls it a list with and without the processing, whose id it calls optional; one choice is read too."""
    shown = choice(accepted=True)
    vendor.answers(listing(shown) if is_list else json.dumps({"status": "ok", "data": shown}).encode())
    assert hook.list_user_choices(WHO, processing_id=processing_id) == [shown]
    assert vendor.received("GET", f"{POINT}/user_choices{tail}").body == b""


def test_user_choices_history(hook: MicsHook, vendor: Vendor) -> None:
    shown = [choice(accepted=True), choice(accepted=False)]
    vendor.answers(listing(*shown))
    assert hook.list_user_choice_history(WHO, "450") == shown
    assert vendor.received("GET", f"{POINT}/user_choices/processing_id=450/change_log").body == b""
