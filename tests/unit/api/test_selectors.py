from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.api.selectors import UserPointSelector, user_point_path
from airflow_provider_mics.exceptions import MicsConfigurationError

UUID = "0b2a1e2c-5b0f-4f0e-9a57-1f2d3c4b5a69"
#: What an identifier may hold: anything but control characters and halves of surrogate pairs.
IDENTIFIERS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1).filter(str.strip)


@pytest.mark.parametrize(
    ("given_as", "segment", "segments"),
    [
        ({"user_point_id": UUID}, UUID, UUID),
        ({"user_point_id": UUID.upper()}, UUID.upper(), UUID.upper()),
        ({"user_agent_id": "vec:89998434"}, "user_agent_id=vec%3A89998434", "user_agent_id=vec%3A89998434"),
        ({"email_hash": "3f2a+/="}, "email_hash=3f2a%2B%2F%3D", "email_hash=3f2a%2B%2F%3D"),
        ({"user_account_id": "crm-77"}, "user_account_id=crm-77", "user_account_id=crm-77"),
        (
            {"user_account_id": "a,b=c", "compartment_id": 1201},
            "compartment_id=1201,user_account_id=a%2Cb%3Dc",
            "compartment_id=1201/user_account_id=a%2Cb%3Dc",
        ),
        ({"email_hash": "x", "compartment_id": None, "user_point_id": None}, "email_hash=x", "email_hash=x"),
    ],
)
def test_every_form(given_as: dict[str, Any], segment: str, segments: str) -> None:
    selector = UserPointSelector(**given_as)
    assert (selector.segment, selector.segments) == (segment, segments)
    assert user_point_path("1509", selector) == f"/v1/datamarts/1509/user_points/{segment}"


@given(IDENTIFIERS, st.sampled_from(["user_agent_id", "email_hash", "user_account_id"]))
def test_an_identifier_stays_one_value_of_one_segment(value: str, kind: str) -> None:
    segment = UserPointSelector(**{kind: value}).segment
    name, _, escaped = segment.partition("=")
    assert (name, unquote(escaped)) == (kind, value)
    assert set(escaped).isdisjoint("/?#,=;&+ ")
    assert segment.isascii()


@pytest.mark.parametrize(
    ("given_as", "reason"),
    [
        ({}, "given: nothing"),
        ({"compartment_id": "7"}, "given: compartment_id"),
        ({"email_hash": "x", "user_agent_id": "y"}, "given: user_agent_id, email_hash"),
        ({"email_hash": "x", "compartment_id": "7"}, "given: compartment_id, email_hash"),
        ({"user_point_id": "7"}, "must be a UUID"),
        ({"user_point_id": f"{UUID}/user_profiles"}, "must be a UUID"),
        ({"user_point_id": "{" + UUID + "}"}, "must be a UUID"),
        ({"user_point_id": 7}, "must be a UUID"),
        ({"email_hash": ""}, "email_hash must be a text that is not empty"),
        ({"email_hash": " \t"}, "email_hash must be a text"),
        ({"email_hash": "a\nb"}, "no control characters"),
        ({"email_hash": "a\0"}, "no control characters"),
        ({"email_hash": "\ud800"}, "no control characters"),
        ({"email_hash": {"$hash": "x"}}, "email_hash must be a text"),
        ({"user_account_id": 77}, "user_account_id must be a text"),
        ({"user_account_id": "x", "compartment_id": "7/8"}, "compartment_id must be a number"),
        ({"user_account_id": "x", "compartment_id": ""}, "compartment_id must be a number"),
    ],
)
def test_what_selects_nobody_or_several_is_refused(given_as: dict[str, Any], reason: str) -> None:
    with pytest.raises(MicsConfigurationError, match=reason):
        UserPointSelector(**given_as)


@given(IDENTIFIERS.map(lambda text: f"jeanne-{text}"))
def test_nothing_that_is_shown_holds_an_identifier(value: str) -> None:
    with pytest.raises(MicsConfigurationError) as caught:
        UserPointSelector(user_point_id=f"{value}x", email_hash=value)
    assert value not in str(caught.value)
    with pytest.raises(MicsConfigurationError) as caught:
        UserPointSelector(email_hash=f"{value}\n")
    assert value not in str(caught.value)
    assert repr(UserPointSelector(user_account_id=value, compartment_id="7")) == (
        "UserPointSelector(compartment_id, user_account_id)"
    )
