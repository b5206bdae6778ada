from __future__ import annotations

from typing import Any

import pytest

from tests.unit.bulk.checks.checking import ACCOUNT, GOOD, MOMENT, UUID, check_lines

SECONDS = 1_718_000_000
MISSING: Any = object()
#: A bad line, the field that is named, and words of the reason.
Case = tuple[dict[str, Any], str | None, str]

PROFILE = GOOD["USER_PROFILE"][0]
SEGMENT = GOOD["USER_SEGMENT"][0]
CHOICE = GOOD["USER_CHOICE"][0]
ACTIVITY = GOOD["USER_ACTIVITY"][0]


def but(line: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a line with fields changed or, if they are MISSING, left out; ``_`` stands for ``$``."""
    named = {name.replace("_", "$", 1) if name.startswith("_") else name: value for name, value in changes.items()}
    return {name: value for name, value in {**line, **named}.items() if value is not MISSING}


def choice(**changes: Any) -> dict[str, Any]:
    return but(CHOICE, user_choice=but(CHOICE["user_choice"], **changes))


def touch(*identifiers: Any, **changes: Any) -> dict[str, Any]:
    return {"$type": "TOUCH", "$user_identifiers": list(identifiers), **but({}, **changes)}


def event(**changes: Any) -> dict[str, Any]:
    return but(ACTIVITY, _events=[{"$event_name": "a"}, but({"$event_name": "b"}, **changes)])


@pytest.mark.parametrize(
    ("document_type", "line"),
    [(document_type, line) for document_type, lines in GOOD.items() for line in lines],
)
def test_lines_that_the_platform_takes_are_good(document_type: str, line: dict[str, Any]) -> None:
    outcome = check_lines(document_type, line)

    assert outcome.problems == ()
    assert (outcome.lines, outcome.bad) == (1, ())


PROFILES: list[Case] = [
    (but(PROFILE, operation=MISSING), "operation", "is missing"),
    (but(PROFILE, operation=None), "operation", "is null"),
    (but(PROFILE, operation="UPDATE"), "operation", "is UPDATE, which is a word of other document types"),
    (but(PROFILE, operation="upsert"), "operation", "must be in capitals"),
    (but(PROFILE, operation="INSERT"), "operation", "is none of the words allowed"),
    (but(PROFILE, operation=1), "operation", "is none of the words allowed"),
    (but(PROFILE, user_account_id=MISSING, compartment_id=MISSING), None, "there is no identifier"),
    (but(PROFILE, user_account_id=None), None, "there is no identifier"),
    (but(PROFILE, user_account_id=""), "user_account_id", "is empty"),
    (but(PROFILE, user_account_id=77.0), "user_account_id", "must be a string or an integer, not a number with"),
    (but(PROFILE, user_account_id=True), "user_account_id", "not a boolean"),
    (but(PROFILE, user_account_id=["a"]), "user_account_id", "not an array"),
    (but(PROFILE, compartment_id=""), "compartment_id", "is empty"),
    (but(PROFILE, compartment_id={}), "compartment_id", "not an object"),
    (but(PROFILE, email_hash="3f2a"), None, "there are 2 identifiers: user_account_id, email_hash"),
    (but(PROFILE, email_hash="3f2a", user_agent_id="vec:1"), None, "there are 3 identifiers"),
    (but(PROFILE, email_hash="3f2a", user_account_id=None), "compartment_id", "is given without user_account_id"),
    ({"operation": "DELETE", "email_hash": "lea@example.com"}, "email_hash", "has an @"),
    ({"operation": "DELETE", "email_hash": 5}, "email_hash", "must be a string, not an integer"),
    ({"operation": "DELETE", "email_hash": ""}, "email_hash", "is empty"),
    ({"operation": "DELETE", "user_agent_id": ""}, "user_agent_id", "is empty"),
    (but(PROFILE, user_profile=MISSING), "user_profile", "is missing"),
    (but(PROFILE, user_profile=None), "user_profile", "is null"),
    (but(PROFILE, user_profile=[]), "user_profile", "must be an object, not an array"),
    (but(PROFILE, user_profile="{}"), "user_profile", "must be an object, not a string"),
    (but(PROFILE, force_replace="false"), "force_replace", "must be true or false, not a string"),
    (but(PROFILE, merge_objects=1), "merge_objects", "must be true or false, not an integer"),
    (but(PROFILE, update_strategy="FORCE_REPLACE"), "update_strategy", "together with force_replace and merge_objects"),
    (
        but(PROFILE, update_strategy="MERGE", force_replace=MISSING, merge_objects=MISSING),
        "update_strategy",
        "is none of the words allowed",
    ),
]
SEGMENTS: list[Case] = [
    (but(SEGMENT, operation="UPSERT"), "operation", "is UPSERT, which is a word of other document types"),
    (but(SEGMENT, operation=" UPDATE"), "operation", "without spaces"),
    (but(SEGMENT, user_account_id=MISSING), None, "there is no identifier"),
    (but(SEGMENT, user_agent_id="vec:1"), None, "there are 2 identifiers"),
    (
        {"operation": "DELETE", "user_agent_id": "a", "compartment_token": "t", "segment_id": 1},
        "compartment_token",
        "is given without user_account_id",
    ),
    (but(SEGMENT, segment_id=MISSING), None, "no segment is named"),
    (but(SEGMENT, segment_id=""), "segment_id", "is empty"),
    (but(SEGMENT, segment_technical_name=5), "segment_technical_name", "must be a string"),
    (but(SEGMENT, expiration_duration=MISSING), "expiration_duration", "is missing"),
    (but(SEGMENT, expiration_duration="43200"), "expiration_duration", "must be an integer, in minutes"),
    (but(SEGMENT, expiration_duration=43_200.0), "expiration_duration", "must be an integer, in minutes"),
    (but(SEGMENT, expiration_duration=True), "expiration_duration", "must be an integer, in minutes"),
    (but(SEGMENT, expiration_duration=-1), "expiration_duration", "is negative"),
    (but(SEGMENT, expiration_duration=2**63), "expiration_duration", "is too large"),
    (but(SEGMENT, expiration_ts=SECONDS), "expiration_ts", "looks like seconds"),
    (but(SEGMENT, expiration_ts="2030-01-01"), "expiration_ts", "must be an integer, in milliseconds"),
    (but(SEGMENT, expiration_ts=-1), "expiration_ts", "is too small"),
    (but(SEGMENT, expiration_ts=10**30), "expiration_ts", "is too large"),
    (but(SEGMENT, data_bag={"a": 1}), "data_bag", "must be a string that holds JSON, not an object"),
    (but(SEGMENT, data_bag="src=airflow"), "data_bag", "is not valid JSON"),
    (but(SEGMENT, data_bag=""), "data_bag", "is not valid JSON"),
    (but(SEGMENT, data_bag='{"a":NaN}'), "data_bag", "is not valid JSON"),
    (but(SEGMENT, data_bag="[" * 100_000), "data_bag", "is not valid JSON"),
]
CHOICES: list[Case] = [
    (but(CHOICE, operation="UPDATE"), "operation", "is UPDATE"),
    (but(CHOICE, user_account_id=MISSING), None, "there is no identifier"),
    (but(CHOICE, force_replace=MISSING), "force_replace", "is missing"),
    (but(CHOICE, force_replace=0), "force_replace", "must be true or false"),
    (but(CHOICE, user_choice=MISSING), "user_choice", "is missing"),
    (but(CHOICE, user_choice=None), "user_choice", "is null"),
    (but(CHOICE, user_choice=[]), "user_choice", "must be an object"),
    (but(CHOICE, operation="DELETE", user_choice={}), "user_choice.$processing_id", "is missing"),
    (choice(_processing_id=MISSING), "user_choice.$processing_id", "is missing"),
    (choice(_processing_id=""), "user_choice.$processing_id", "is empty"),
    (choice(_choice_ts=MISSING), "user_choice.$choice_ts", "is missing"),
    (choice(_choice_ts=None), "user_choice.$choice_ts", "is null"),
    (choice(_choice_ts=str(MOMENT)), "user_choice.$choice_ts", "must be an integer"),
    (choice(_choice_ts=SECONDS), "user_choice.$choice_ts", "looks like seconds"),
    (choice(_choice_ts=-(2**63) - 1), "user_choice.$choice_ts", "is too small"),
    (choice(_choice_acceptance_value="yes"), "user_choice.$choice_acceptance_value", "must be true or false"),
]
ACTIVITIES: list[Case] = [
    (but(ACTIVITY, _type=MISSING), "$type", "is missing"),
    (but(ACTIVITY, _type="SITE"), "$type", "is none of the words allowed"),
    (but(ACTIVITY, _session_status="no_session"), "$session_status", "must be in capitals"),
    (but(ACTIVITY, _ts=SECONDS), "$ts", "looks like seconds"),
    (but(ACTIVITY, _ts=str(SECONDS)), "$ts", "must be an integer"),
    (but(ACTIVITY, _ts=1.5), "$ts", "must be an integer"),
    (but(ACTIVITY, _ttl="0"), "$ttl", "must be an integer, in minutes"),
    (touch(), None, "there is no identifier"),
    (but(ACTIVITY, _user_identifiers=None), None, "there is no identifier"),
    (but(ACTIVITY, _user_identifiers={}), "$user_identifiers", "must be an array, not an object"),
    (touch("a"), "$user_identifiers[0]", "must be an object, not a string"),
    (touch({"$user_account_id": "a"}), "$user_identifiers[0].$type", "is missing"),
    (touch({"type": "USER_ACCOUNT", "user_account_id": "a"}), "$user_identifiers[0].$type", "is missing"),
    (touch({"$type": "USER_POINT"}), "$user_identifiers[0].$type", "is none of the words allowed"),
    (touch({"$type": []}), "$user_identifiers[0].$type", "is none of the words allowed"),
    (touch({"$type": "USER_ACCOUNT"}), "$user_identifiers[0].$user_account_id", "is missing"),
    (touch({"$type": "USER_AGENT", "$user_agent_id": ""}), "$user_identifiers[0].$user_agent_id", "is empty"),
    (
        touch({"$type": "USER_ACCOUNT", "$user_account_id": "a", "$compartment_id": 1.5}),
        "$user_identifiers[0].$compartment_id",
        "must be a string or an integer",
    ),
    (touch({"$type": "USER_EMAIL", "$hash": None}), "$user_identifiers[0].$hash", "is null"),
    (touch({"$type": "USER_EMAIL", "$hash": "lea@example.com"}), "$user_identifiers[0].$hash", "has an @"),
    (touch({"$type": "USER_EMAIL", "$hash": "a", "$email": ""}), "$user_identifiers[0].$email", "is empty"),
    (touch(_email_hash="3f2a"), "$email_hash", "must be an object, not a string"),
    (touch(_email_hash={}), "$email_hash.$hash", "is missing"),
    (touch(_email_hash={"$hash": "lea@example.com"}), "$email_hash.$hash", "has an @"),
    (touch(_user_account_id=""), "$user_account_id", "is empty"),
    (touch(_user_agent_id="vec:1", _compartment_id=False), "$compartment_id", "not a boolean"),
    (but(ACTIVITY, _events={}), "$events", "must be an array"),
    (but(ACTIVITY, _events=[None]), "$events[0]", "must be an object, not null"),
    (event(_event_name=MISSING), "$events[1].$event_name", "is missing"),
    (event(_event_name=""), "$events[1].$event_name", "is empty"),
    (event(_ts=SECONDS), "$events[1].$ts", "looks like seconds"),
    (event(_properties=[]), "$events[1].$properties", "must be an object, not an array"),
]
ASSOCIATIONS: list[Case] = [
    ({}, "identifiers", "is missing"),
    ({"identifiers": []}, "identifiers", "is empty"),
    ({"identifiers": {}}, "identifiers", "must be an array"),
    ({"identifiers": [[]]}, "identifiers[0]", "must be an object"),
    ({"identifiers": [{"type": "USER_EMAIL", "hash": "a"}, {}]}, "identifiers[1].type", "is missing"),
    ({"identifiers": [{"type": "EMAIL", "hash": "a"}]}, "identifiers[0].type", "is none of the words allowed"),
    ({"identifiers": [{"$type": "USER_EMAIL", "$hash": "a"}]}, "identifiers[0].type", "is missing"),
    ({"identifiers": [{"type": "USER_EMAIL", "email": "lea@example.com"}]}, "identifiers[0].hash", "is missing"),
    ({"identifiers": [{"type": "USER_EMAIL", "hash": "lea@example.com"}]}, "identifiers[0].hash", "has an @"),
    ({"identifiers": [{"type": "USER_POINT", "user_point_id": UUID}]}, "identifiers[0].type", "is none of"),
    (
        {"identifiers": [{"type": "USER_ACCOUNT", "user_account_id": "a", "compartment_id": ""}]},
        "identifiers[0].compartment_id",
        "is empty",
    ),
]
IDENTIFIER_DELETIONS: list[Case] = [
    ({**ACCOUNT}, "type", "is missing"),
    ({"type": "USER_ACCOUNT", "compartment_id": "1201"}, "user_account_id", "is missing"),
    ({"type": "USER_EMAIL", "hash": "lea@example.com"}, "hash", "has an @"),
    ({"type": "USER_EMAIL", "email_hash": "3f2a"}, "hash", "is missing"),
    ({"type": "USER_AGENT", "user_agent_id": "udp:987654"}, "user_agent_id", "is a device point"),
    ({"type": "USER_POINT", "user_point_id": UUID}, "type", "is none of the words allowed"),
]
DEVICE_POINT_DELETIONS: list[Case] = [
    ({"type": "USER_ACCOUNT", **ACCOUNT}, "type", "is none of the words allowed"),
    ({"type": "USER_AGENT"}, "user_agent_id", "is missing"),
    ({"type": "USER_AGENT", "user_agent_id": ""}, "user_agent_id", "is empty"),
    ({"type": "USER_DEVICE_POINT", "user_agent_id": "udp:1"}, "type", "is none of the words allowed"),
]
USER_POINT_DELETIONS: list[Case] = [
    ({"type": "USER_POINT"}, "user_point_id", "is missing"),
    ({"type": "USER_POINT", "user_point_id": "12"}, "user_point_id", "is not a UUID"),
    ({"type": "USER_POINT", "user_point_id": UUID.replace("-", "")}, "user_point_id", "is not a UUID"),
    ({"type": "USER_POINT", "user_point_id": 12}, "user_point_id", "is not a UUID"),
    ({"type": "USER_EMAIL", "hash": "lea@example.com"}, "hash", "has an @"),
]
TABLES: list[tuple[str, list[Case]]] = [
    ("USER_PROFILE", PROFILES),
    ("USER_SEGMENT", SEGMENTS),
    ("USER_CHOICE", CHOICES),
    ("USER_ACTIVITY", ACTIVITIES),
    ("USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS", ASSOCIATIONS),
    ("USER_IDENTIFIERS_DELETION", IDENTIFIER_DELETIONS),
    ("USER_DEVICE_POINTS_DELETION", DEVICE_POINT_DELETIONS),
    ("USER_DEVICE_POINT_DELETION", DEVICE_POINT_DELETIONS),
    ("USER_POINTS_DELETION", USER_POINT_DELETIONS),
]
BAD = [(document_type, *case) for document_type, cases in TABLES for case in cases]


@pytest.mark.parametrize(("document_type", "line", "field", "reason"), BAD)
def test_bad_lines_are_named_with_field_and_reason(
    document_type: str, line: dict[str, Any], field: str | None, reason: str
) -> None:
    good = GOOD[document_type][0]

    outcome = check_lines(document_type, good, line, good)

    assert [bad.line for bad in outcome.bad] == [2]
    assert outcome.lines == 3
    matching = [problem for problem in outcome.problems if problem.field == field and reason in problem.reason]
    assert matching, outcome.problems
    assert {problem.line for problem in outcome.problems} == {2}
    assert all(problem.remedy.endswith(".") for problem in outcome.problems)


def test_a_line_may_have_several_problems() -> None:
    line = {"operation": "UPSERT", "email_hash": "lea@example.com", "expiration_ts": SECONDS, "data_bag": {}}

    outcome = check_lines("USER_SEGMENT", line)

    assert [problem.field for problem in outcome.problems] == [
        "operation",
        "email_hash",
        None,
        "expiration_ts",
        "data_bag",
    ]


@pytest.mark.parametrize(
    ("document_type", "deletions"),
    [
        ("USER_PROFILE", 2),
        ("USER_SEGMENT", 2),
        ("USER_CHOICE", 1),
        ("USER_ACTIVITY", 0),
        ("USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS", 0),
        ("USER_IDENTIFIERS_DELETION", 4),
        ("USER_DEVICE_POINTS_DELETION", 2),
        ("USER_POINTS_DELETION", 4),
        ("USER_MOODS", 0),
    ],
)
def test_lines_that_delete_are_counted(document_type: str, deletions: int) -> None:
    assert check_lines(document_type, *GOOD[document_type]).deletions == deletions


def test_bad_deletions_are_not_counted_as_they_are_not_sent() -> None:
    assert (
        check_lines("USER_PROFILE", {"operation": "DELETE"}, {"operation": "DELETE", "email_hash": "a"}).deletions == 1
    )


@pytest.mark.parametrize(("document_type", "line", "field", "reason"), BAD)
def test_no_problem_shows_anything_of_the_line(
    document_type: str, line: dict[str, Any], field: str | None, reason: str
) -> None:
    outcome = check_lines(document_type, {**line, "secret_property": "secret value 4711"})

    text = " ".join(map(str, outcome.problems))
    for word in ("secret", "4711", "lea@", "crm-77", "3f2a", "1201", str(SECONDS), "udp:9", "airflow"):
        assert word not in text


def test_a_problem_reads_as_one_line() -> None:
    outcome = check_lines("USER_SEGMENT", SEGMENT, but(SEGMENT, expiration_ts=SECONDS))

    assert str(outcome.problems[0]) == (
        f"line 2 (byte {outcome.bad[0].offset}): expiration_ts looks like seconds, it must be in milliseconds since "
        "1970. Multiply it by 1000."
    )
