"""Which lines of user stats are good, and what is said of the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.bulk.checks.user_stats_rules import check_user_stats

MOMENT = 1_718_000_000_000
ENTRY: dict[str, Any] = {
    "asset_id": "NNVG10006424",
    "play_count": 2,
    "view_time": 5400,
    "pause_time": 1830,
    "last_played_on": MOMENT,
    "user_rating": 4.5,
}
LINE: dict[str, Any] = {"subscriber_id": "user@example.org", "favorites": ["a", "b"], "view_data": [ENTRY]}
MISSING: Any = object()


def but(line: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a line with fields changed or, if they are MISSING, left out."""
    return {name: value for name, value in {**line, **changes}.items() if value is not MISSING}


def entry(**changes: Any) -> dict[str, Any]:
    return but(LINE, view_data=[{"asset_id": "first"}, but(ENTRY, **changes)])


def check(line: dict[str, Any], *, is_delta: bool = True) -> list[tuple[str | None, str, str]]:
    return [(found.field, found.reason, found.remedy) for found in check_user_stats(line, is_delta=is_delta)]


@pytest.mark.parametrize("is_delta", [True, False])
@pytest.mark.parametrize(
    "line",
    [
        LINE,
        but(LINE, favorites=[]),
        but(LINE, favorites=MISSING),
        but(LINE, view_data=MISSING),
        but(LINE, subscriber_id="é+/?#;,%"),
        but(LINE, subscriber_id=77),
        entry(play_count=0, view_time=0, pause_time=0, last_played_on=0, user_rating=0),
        entry(user_rating=5, pause_time=86_400, view_time=2 * 86_400),
        entry(play_count=MISSING, view_time=10**6),
        entry(**dict.fromkeys(set(ENTRY) - {"asset_id"}, MISSING)),
    ],
)
def test_good_lines(line: dict[str, Any], is_delta: bool) -> None:
    assert check(line, is_delta=is_delta) == []


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        (but(LINE, subscriber_id=MISSING), "subscriber_id", "is missing"),
        (but(LINE, subscriber_id=None), "subscriber_id", "is null"),
        (but(LINE, subscriber_id=""), "subscriber_id", "is empty"),
        (but(LINE, subscriber_id=7.5), "subscriber_id", "must be a string or an integer, not a number with a point"),
        (but(LINE, subscriber_id=True), "subscriber_id", "not a boolean"),
        (but(LINE, subscriber_id=" a"), "subscriber_id", "has white space around it"),
        (but(LINE, subscriber_id="a\nb"), "subscriber_id", "cannot be printed"),
        (but(LINE, subscriber_id=".."), "subscriber_id", "cannot stand in an address"),
        (but(LINE, favorites=MISSING, view_data=MISSING), None, "there is nothing to put"),
        (but(LINE, favorites=None), "favorites", "must be an array, not null"),
        (but(LINE, favorites="a"), "favorites", "must be an array, not a string"),
        (but(LINE, favorites=["a", 7]), "favorites[1]", "must be a string, not an integer"),
        (but(LINE, favorites=[""]), "favorites[0]", "is empty"),
        (but(LINE, favourites=[]), None, "the object has fields that MetaX does not name: 1"),
        (but(LINE, view_data=None), "view_data", "must be an array, not null"),
        (but(LINE, view_data={}), "view_data", "must be an array, not an object"),
        (but(LINE, view_data=["a"]), "view_data[0]", "must be an object, not a string"),
        (but(LINE, view_data=[ENTRY, ENTRY]), "view_data[1].asset_id", "is that of an entry before"),
        (entry(asset_id=MISSING), "view_data[1].asset_id", "is missing"),
        (entry(asset_id=""), "view_data[1].asset_id", "is empty"),
        (entry(rating=4), "view_data[1]", "has fields that MetaX does not name: 1"),
        (entry(play_count="2"), "view_data[1].play_count", "must be an integer, in times, not a string"),
        (entry(play_count=True), "view_data[1].play_count", "must be an integer, in times, not a boolean"),
        (entry(play_count=-1), "view_data[1].play_count", "is negative"),
        (entry(view_time=1.5), "view_data[1].view_time", "must be an integer, in seconds, not a number with a point"),
        (entry(view_time=None), "view_data[1].view_time", "must be an integer, in seconds, not null"),
        (entry(view_time=5_400_000), "view_data[1].view_time", "is more than a day for each time that the asset"),
        (entry(pause_time=-1), "view_data[1].pause_time", "is negative"),
        (entry(pause_time=1_830_000), "view_data[1].pause_time", "it looks like milliseconds"),
        (entry(pause_time=2**63), "view_data[1].pause_time", "is too large a number"),
        (entry(last_played_on=MOMENT // 1000), "view_data[1].last_played_on", "looks like seconds"),
        (entry(last_played_on=MOMENT * 1000), "view_data[1].last_played_on", "is beyond the year 2100"),
        (entry(last_played_on=-1), "view_data[1].last_played_on", "is too small"),
        (entry(last_played_on="today"), "view_data[1].last_played_on", "must be an integer, in milliseconds"),
        (entry(user_rating=5.5), "view_data[1].user_rating", "is not on the scale"),
        (entry(user_rating=-1), "view_data[1].user_rating", "is not on the scale"),
        (entry(user_rating="5"), "view_data[1].user_rating", "must be a number, not a string"),
        (entry(user_rating=True), "view_data[1].user_rating", "must be a number, not a boolean"),
    ],
)
@pytest.mark.parametrize("is_delta", [True, False])
def test_what_is_wrong_is_named(line: dict[str, Any], field: str | None, reason: str, is_delta: bool) -> None:
    ((found_field, found_reason, remedy),) = check(line, is_delta=is_delta)
    assert found_field == field
    assert reason in found_reason
    assert remedy.endswith(".")


def test_an_empty_history_is_clear_only_where_it_replaces_all() -> None:
    line = but(LINE, view_data=[])
    assert check(line, is_delta=False) == []
    ((field, reason, remedy),) = check(line)
    assert (field, "is empty" in reason) == ("view_data", True)
    assert remedy == "Leave the field out to keep it."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
#: Values that must never be told.
SECRET = "s3cret-7f3a"
FIELDS = st.sampled_from(["subscriber_id", "favorites", "view_data", "x"])
ENTRY_FIELDS = st.sampled_from([*ENTRY, "x"])


@given(st.dictionaries(FIELDS, JSON | st.lists(st.dictionaries(ENTRY_FIELDS, JSON), max_size=3)), st.booleans())
def test_any_object_is_judged_and_what_is_said_holds_no_value(line: dict[str, Any], is_delta: bool) -> None:
    # As it comes from a file.
    line = json.loads(json.dumps(line).replace('"x"', f'"{SECRET}"'))
    for finding in check_user_stats(line, is_delta=is_delta):
        assert finding.reason
        assert finding.remedy
        assert SECRET not in f"{finding.field} {finding.reason} {finding.remedy}"
