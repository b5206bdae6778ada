from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from airflow_provider_mics.bulk.formats import (
    SEGMENT_CSV_COLUMNS,
    ActivityAccount,
    ActivityEmail,
    ActivityEvent,
    ActivityLocation,
    ActivityOrigin,
    Choice,
    IdentifiersAssociation,
    IdentifiersDissociation,
    LegacyEmailHash,
    Line,
    UserAccount,
    UserActivity,
    UserAgent,
    UserChoice,
    UserEmail,
    UserPoint,
    UserProfile,
    UserSegment,
    decode_line,
    encode_line,
    line_type,
)

LINES: list[tuple[str, Line, dict[str, Any]]] = [
    (
        "USER_PROFILE",
        UserProfile(
            operation="UPSERT",
            compartment_id="1201",
            user_account_id="crm-77",
            force_replace=False,
            merge_objects=True,
            user_profile={"$compartment_id": "1201", "city": "Saint-Étienne", "phone": None},
        ),
        {
            "operation": "UPSERT",
            "compartment_id": "1201",
            "user_account_id": "crm-77",
            "force_replace": False,
            "merge_objects": True,
            "user_profile": {"$compartment_id": "1201", "city": "Saint-Étienne", "phone": None},
        },
    ),
    (
        "USER_PROFILE",
        UserProfile(operation="UPSERT", email_hash="3f2a", update_strategy="PARTIAL_UPDATE", user_profile={}),
        {"operation": "UPSERT", "email_hash": "3f2a", "update_strategy": "PARTIAL_UPDATE", "user_profile": {}},
    ),
    (
        "USER_PROFILE",
        UserProfile(operation="DELETE", email_hash="3f2a", user_profile=None),
        {"operation": "DELETE", "email_hash": "3f2a", "user_profile": None},
    ),
    (
        "USER_SEGMENT",
        UserSegment(
            operation="UPDATE",
            user_agent_id="vec:89998434",
            segment_id="9001",
            expiration_duration=43_200,
            expiration_ts=None,
            data_bag='{"src":"airflow"}',
        ),
        {
            "operation": "UPDATE",
            "user_agent_id": "vec:89998434",
            "segment_id": "9001",
            "expiration_duration": 43_200,
            "expiration_ts": None,
            "data_bag": '{"src":"airflow"}',
        },
    ),
    (
        "USER_CHOICE",
        UserChoice(
            operation="UPSERT",
            user_account_id=77,
            force_replace=True,
            user_choice=Choice(processing_id="450", choice_ts=1_718_000_000_000, choice_acceptance_value=True),
        ),
        {
            "operation": "UPSERT",
            "user_account_id": 77,
            "force_replace": True,
            "user_choice": {
                "$processing_id": "450",
                "$choice_ts": 1_718_000_000_000,
                "$choice_acceptance_value": True,
            },
        },
    ),
    (
        "USER_ACTIVITY",
        UserActivity(
            type="TOUCH",
            session_status="NO_SESSION",
            ts=1_718_000_000_000,
            user_identifiers=[
                ActivityAccount(compartment_id="1201", user_account_id="crm-77"),
                ActivityEmail(hash="3f2a"),
            ],
            origin=ActivityOrigin(source="shop", campaign_id=5),
            location=ActivityLocation(source="IP", country="FR"),
            events=[ActivityEvent(event_name="store-visit", ts=None, properties={"shop": "lyon-2"})],
            email_hash=LegacyEmailHash(email="lea@example.com"),
        ),
        {
            "$type": "TOUCH",
            "$session_status": "NO_SESSION",
            "$ts": 1_718_000_000_000,
            "$user_identifiers": [
                {"$type": "USER_ACCOUNT", "$compartment_id": "1201", "$user_account_id": "crm-77"},
                {"$type": "USER_EMAIL", "$hash": "3f2a"},
            ],
            "$origin": {"$source": "shop", "$campaign_id": 5},
            "$location": {"$source": "IP", "$country": "FR"},
            "$events": [{"$event_name": "store-visit", "$ts": None, "$properties": {"shop": "lyon-2"}}],
            "$email_hash": {"$email": "lea@example.com"},
        },
    ),
    (
        "USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS",
        IdentifiersAssociation(
            identifiers=[UserAccount(user_account_id="crm-77"), UserEmail(hash="3f2a", email="lea@example.com")]
        ),
        {
            "identifiers": [
                {"type": "USER_ACCOUNT", "user_account_id": "crm-77"},
                {"type": "USER_EMAIL", "hash": "3f2a", "email": "lea@example.com"},
            ]
        },
    ),
    (
        "USER_IDENTIFIERS_DISSOCIATION_DECLARATIONS",
        IdentifiersDissociation(identifiers=[{"type": "NEW"}]),
        {"identifiers": [{"type": "NEW"}]},
    ),
    (
        "USER_IDENTIFIERS_DELETION",
        UserAccount(compartment_id=1201, user_account_id="crm-77"),
        {"type": "USER_ACCOUNT", "compartment_id": 1201, "user_account_id": "crm-77"},
    ),
    (
        "USER_DEVICE_POINTS_DELETION",
        UserAgent(user_agent_id="udp:987654"),
        {"type": "USER_AGENT", "user_agent_id": "udp:987654"},
    ),
    (
        "USER_DEVICE_POINT_DELETION",
        UserAgent(user_agent_id="vec:1"),
        {"type": "USER_AGENT", "user_agent_id": "vec:1"},
    ),
    (
        "USER_POINTS_DELETION",
        UserPoint(user_point_id="0f0f8a3e-9d1b-4a54-9a3b-3d6a4c2a1b10"),
        {"type": "USER_POINT", "user_point_id": "0f0f8a3e-9d1b-4a54-9a3b-3d6a4c2a1b10"},
    ),
]


@pytest.mark.parametrize(("document_type", "line", "expected"), LINES)
def test_a_line_has_the_vendors_names(document_type: str, line: Line, expected: dict[str, Any]) -> None:
    assert json.loads(line.to_line()) == expected


@pytest.mark.parametrize(("document_type", "line", "expected"), LINES)
def test_a_line_is_decoded_to_what_it_was_made_of(document_type: str, line: Line, expected: dict[str, Any]) -> None:
    assert decode_line(document_type, line.to_line()) == line
    assert decode_line(document_type, encode_line(expected)) == line


def test_a_line_is_one_line() -> None:
    line = encode_line({"user_profile": {"note": "first\nsecond\r\u2028"}})

    assert line.count(b"\n") == 1
    assert line.endswith(b"}\n")


def test_properties_unknown_to_us_do_not_disturb() -> None:
    line = decode_line("USER_SEGMENT", b'{"operation":"DELETE","email_hash":"3f2a","segment_id":"1","comment":[1]}')

    assert line == UserSegment(operation="DELETE", email_hash="3f2a", segment_id="1")


def test_custom_properties_are_fields_of_a_subclass() -> None:
    class Purchase(UserActivity, rename=None, kw_only=True):
        shop_code: str

    class ShopChoice(Choice, rename=None, kw_only=True):
        source: str

    purchase = Purchase(type="TOUCH", ts=1, user_account_id="a", shop_code="lyon-2")
    choice = UserChoice(operation="DELETE", email_hash="3f2a", user_choice=ShopChoice(processing_id=4, source="till"))

    assert json.loads(purchase.to_line()) == {
        "$type": "TOUCH",
        "$ts": 1,
        "$user_account_id": "a",
        "shop_code": "lyon-2",
    }
    assert json.loads(choice.to_line())["user_choice"] == {"$processing_id": 4, "source": "till"}


def test_a_document_type_that_is_new_to_us_is_any_object() -> None:
    assert line_type("USER_MOODS") is dict
    assert decode_line("USER_MOODS", b'{"mood":1}') == {"mood": 1}


def test_a_line_of_another_document_type_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_line("USER_SEGMENT", b'{"operation":"UPSERT","user_account_id":"1"}')


def test_the_csv_columns_are_the_fields_of_a_segment_line() -> None:
    assert sorted(SEGMENT_CSV_COLUMNS) == sorted(UserSegment.__struct_fields__)
