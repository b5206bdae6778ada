"""What the calls about people say of themselves: whether they may be repeated, which arguments they send."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api import (
    api_tokens,
    associations,
    channels,
    compartments,
    labels,
    processings,
    segments,
    user_activities,
    user_choices,
    user_points,
    user_profiles,
)
from airflow_provider_mics.api.conversation import hold
from airflow_provider_mics.api.envelope import read_reply
from airflow_provider_mics.api.models import AudienceSegment, Page
from airflow_provider_mics.api.selectors import UserPointSelector
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsReplyError
from tests.unit.api.replies import reply

if TYPE_CHECKING:
    from airflow_provider_mics.api.call import Call

WHO = UserPointSelector(email_hash="x")
KEY = "5c0f1bd2-9a7e-11ee-8c90-0242ac120002"


@pytest.mark.parametrize(
    ("activity", "repeatable"),
    [({}, False), ({"$unique_key": KEY}, True), ({"$unique_key": None}, False), ({"$unique_key": ""}, False)],
)
def test_an_activity_may_be_sent_twice_only_if_the_platform_can_tell(
    activity: dict[str, Any], repeatable: bool
) -> None:
    assert user_activities.post("1509", activity).repeatable is repeatable


def test_what_may_be_sent_twice() -> None:
    harmless: list[Call[Any]] = [
        user_profiles.put("1509", WHO, {}, compartment_id="7", user_account_id="a"),
        user_choices.put("1509", WHO, "450", {}),
        associations.post("1509", []),
        user_points.delete("1509", WHO),
        user_profiles.delete("1509", WHO, compartment_id="7"),
        user_choices.delete("1509", WHO, "450"),
        user_activities.delete("1509", WHO, filters=None),
        labels.attach("1", "2"),
        labels.detach("1", "2"),
        api_tokens.revoke("1", "2"),
    ]
    assert [call.what for call in harmless if not call.repeatable] == []
    makes_another: list[Call[Any]] = [labels.create("1", "nightly"), api_tokens.create("1", "nightly")]
    assert [call.what for call in makes_another if call.repeatable] == []


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({}, ()),
        ({"processing_pipeline": False}, (("processing_pipeline", "false"),)),
        ({"asynchronous": False}, (("async", "false"),)),
        ({"processing_pipeline": True, "asynchronous": True}, (("processing_pipeline", "true"), ("async", "true"))),
    ],
)
def test_query_of_an_activity(given: dict[str, bool], query: tuple[tuple[str, str], ...]) -> None:
    assert user_activities.post("1509", {}, **given).query == query


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({}, ()),
        ({"force_replace": True}, (("force_replace", "true"),)),
        ({"force_replace": False, "merge_objects": True}, (("force_replace", "false"), ("merge_objects", "true"))),
    ],
)
def test_query_of_a_profile(given: dict[str, Any], query: tuple[tuple[str, str], ...]) -> None:
    assert user_profiles.put("1509", WHO, {}, compartment_id="7", **given).query == query


BAD_IDS = ("1/../../2", "1?x", "", "x")


@pytest.mark.parametrize(
    "make",
    [
        lambda bad: user_activities.post(bad, {}),
        lambda bad: user_activities.find(bad, WHO),
        lambda bad: user_activities.delete(bad, WHO, filters=None),
        lambda bad: user_profiles.put(bad, WHO, {}, compartment_id="7"),
        lambda bad: user_profiles.put("1", WHO, {}, compartment_id=bad),
        lambda bad: user_profiles.find(bad, WHO),
        lambda bad: user_profiles.find("1", WHO, compartment_id=bad),
        lambda bad: user_profiles.get("1", WHO, compartment_id=bad, user_account_id="a"),
        lambda bad: user_profiles.delete("1", WHO, compartment_id=bad),
        lambda bad: user_choices.put("1", WHO, bad, {}),
        lambda bad: user_choices.put(bad, WHO, "1", {}),
        lambda bad: user_choices.find("1", WHO, processing_id=bad),
        lambda bad: user_choices.history("1", WHO, bad),
        lambda bad: user_choices.delete("1", WHO, bad),
        lambda bad: user_points.identifiers(bad, WHO),
        lambda bad: user_points.segments(bad, WHO),
        lambda bad: user_points.delete(bad, WHO),
        lambda bad: associations.post(bad, []),
        lambda bad: segments.find(bad, "1"),
        lambda bad: segments.find("1", bad),
        segments.get,
        compartments.find,
        channels.find,
        processings.find,
        processings.get,
        labels.find,
        lambda bad: labels.create(bad, "x"),
        lambda bad: labels.attach(bad, "1"),
        lambda bad: labels.attach("1", bad),
        lambda bad: labels.detach("1", bad),
        api_tokens.find,
        lambda bad: api_tokens.find("1", organisation_id=bad),
        lambda bad: api_tokens.create(bad, "x"),
        lambda bad: api_tokens.revoke(bad, "1"),
        lambda bad: api_tokens.revoke("1", bad),
    ],
)
def test_no_endpoint_takes_an_id_that_would_address_another_resource(make: Any) -> None:
    for bad in BAD_IDS:
        with pytest.raises(MicsConfigurationError):
            make(bad)


@pytest.mark.parametrize("account", ["", " ", "a\nb", 7])
def test_nor_an_account_that_cannot_be(account: Any) -> None:
    for make in (user_profiles.get, user_profiles.delete):
        with pytest.raises(MicsConfigurationError, match="user_account_id must be a text"):
            make("1", WHO, compartment_id="7", user_account_id=account)


@pytest.mark.parametrize(
    ("data", "found"),
    [([{"a": 1}, {"b": 2}], [{"a": 1}, {"b": 2}]), ([], []), ({"a": 1}, [{"a": 1}]), (None, [])],
)
def test_one_choice_and_several_are_read_alike(data: Any, found: list[dict[str, Any]]) -> None:
    call = user_choices.find("1509", WHO, processing_id="450")
    assert read_reply(call, reply({"status": "ok", "data": data})) == found


@pytest.mark.parametrize("data", ["text", 7, [7]])
def test_what_is_no_choice_is_refused(data: Any) -> None:
    with pytest.raises(MicsReplyError):
        read_reply(user_choices.find("1509", WHO), reply({"status": "ok", "data": data}))


@pytest.mark.parametrize("body", [b"", {"status": "ok"}, {"status": "ok", "data": True}, {"status": "ok", "data": {}}])
def test_what_an_accepted_activity_answers_does_not_matter(body: Any) -> None:
    read_reply(user_activities.post("1509", {}), reply(body))


def test_a_segment_is_found_by_its_exact_technical_name() -> None:
    names = {"10": "VIP", "9": "vip", "2": "vip-old", "11": None, "100": "vip"}
    listed = Page(items=tuple(AudienceSegment(id=key, technical_name=name) for key, name in names.items()), total=5)
    found = hold(segments.find_by_technical_name("1509", "1426", "vip"), lambda _: listed)
    assert [item.id for item in found] == ["9", "100"]


def test_ids_of_what_is_read_are_texts() -> None:
    data = [{"id": 12, "compartment_id": 1201, "default": True, "name": "CRM", "novelty": 1}]
    (found,) = read_reply(compartments.find("1509"), reply({"status": "ok", "data": data})).items
    assert (found.id, found.compartment_id, found.default) == ("12", "1201", True)


def test_when_a_token_ends() -> None:
    data = {"id": "3", "name": "nightly", "expiration_date": 1605262037783, "value": "api:x"}
    found = read_reply(api_tokens.create("1", "nightly"), reply({"status": "ok", "data": data}))
    assert found.expires_at is not None
    assert (found.value, found.expires_at.to_iso8601_string()) == ("api:x", "2020-11-13T10:07:17.783000Z")


PAGE = (("first_result", "0"), ("max_results", "50"))
DATAMART, POINT = "/v1/datamarts/1509", "/v1/datamarts/1509/user_points/email_hash=x"
ACCOUNT = UserPointSelector(compartment_id="7", user_account_id="a/b")
IDENTIFIERS = [{"type": "USER_EMAIL", "hash": "x"}]


@pytest.mark.parametrize(
    ("call", "line", "query", "body"),
    [
        (
            user_activities.find("1509", ACCOUNT, filters="$type==A|B"),
            f"GET {DATAMART}/user_timelines/compartment_id=7/user_account_id=a%2Fb/user_activities",
            (("filters", "$type==A|B"), *PAGE),
            None,
        ),
        (
            user_activities.delete("1509", WHO, filters=None),
            f"DELETE {DATAMART}/user_timelines/email_hash=x/user_activities",
            (),
            None,
        ),
        (user_profiles.find("1509", WHO), f"GET {POINT}/user_profiles", (), None),
        (
            user_profiles.find("1509", WHO, compartment_id="7"),
            f"GET {POINT}/user_profiles/compartment_id=7",
            (),
            None,
        ),
        (
            user_profiles.get("1509", WHO, compartment_id="7", user_account_id="a/b"),
            f"GET {POINT}/user_profiles/compartment_id=7/user_account_id=a%2Fb",
            (),
            None,
        ),
        (
            user_profiles.delete("1509", WHO, compartment_id="7", user_account_id="a/b"),
            f"DELETE {POINT}/user_profiles/compartment_id=7/user_account_id=a%2Fb",
            (),
            None,
        ),
        (user_choices.delete("1509", WHO, "450"), f"DELETE {POINT}/user_choices/processing_id=450", (), None),
        (user_points.identifiers("1509", WHO), f"GET {POINT}/user_identifiers", (), None),
        (user_points.segments("1509", WHO), f"GET {POINT}/user_segments", (), None),
        (user_points.delete("1509", WHO), f"DELETE {POINT}", (), None),
        (
            associations.post("1509", IDENTIFIERS),
            f"POST {DATAMART}/user_identifiers_association_declarations",
            (),
            {"identifiers": IDENTIFIERS},
        ),
        (
            segments.find("1509", "1426", technical_name="vip"),
            "GET /v1/audience_segments",
            (("organisation_id", "1426"), ("datamart_id", "1509"), ("technical_name", "vip"), *PAGE),
            None,
        ),
        (segments.get("9001"), "GET /v1/audience_segments/9001", (), None),
        (compartments.find("1509"), f"GET {DATAMART}/compartments", PAGE, None),
        (
            compartments.find("1509", default=True, first_result=50, max_results=10),
            f"GET {DATAMART}/compartments",
            (("default", "true"), ("first_result", "50"), ("max_results", "10")),
            None,
        ),
        (channels.find("1509"), f"GET {DATAMART}/channels", PAGE, None),
        (processings.find("77"), "GET /v1/processings", (("community_id", "77"), *PAGE), None),
        (processings.get("450"), "GET /v1/processings/450", (), None),
        (labels.find("1426"), "GET /v1/labels", (("organisation_id", "1426"), *PAGE), None),
        (labels.create("1426", "crm"), "POST /v1/labels", (), {"name": "crm", "organisation_id": "1426"}),
        (labels.attach("8", "36271"), "POST /v1/labels/8/links/IMPORT/36271", (), {}),
        (labels.detach("8", "36271"), "DELETE /v1/labels/8/links/IMPORT/36271", (), None),
        (api_tokens.find("4711"), "GET /v1/users/4711/api_tokens", PAGE, None),
        (
            api_tokens.create("4711", "nightly", organisation_id="1426"),
            "POST /v1/users/4711/api_tokens",
            (("organisation_id", "1426"),),
            {"name": "nightly"},
        ),
        (api_tokens.revoke("4711", "3"), "DELETE /v1/users/4711/api_tokens/3", (), None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_call_as_a_whole(call: Call[Any], line: str, query: tuple[tuple[str, str], ...], body: Any) -> None:
    assert (f"{call.method} {call.path}", call.query) == (line, query)
    assert (None if call.content is None else json.loads(call.content)) == body
    assert (call.content_type == "application/json") is (body is not None)
