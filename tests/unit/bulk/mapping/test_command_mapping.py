from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.bulk.mapping import (
    Column,
    CommandMapping,
    DataBag,
    EmailHash,
    IfPresent,
    Json,
    Milliseconds,
)
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError
from tests.unit.bulk.mapping.mapped import commands, lines, naive

MAIL = EmailHash("mail", algorithm="sha256", normalization="trim_lower")


def test_a_command_has_the_form_of_its_mapping() -> None:
    mapping = {
        "operation": "UPSERT",
        "compartment_id": "1201",
        "user_account_id": Column("id", type="string", null="fail"),
        "user_profile": {
            "city": Column("city", type="string"),
            "address": {"zip": Column("zip", type="string", null="null"), "country": "FR"},
            "tags": ["crm", Column("tag", type="string"), {"n": Column("id", type="integer")}],
            "fixed": {"a": [1, None, True, {"b": Decimal("1.50")}], "empty": {}, "none": []},
        },
    }
    columns = ["tag", "id", "zip", "city"]
    fixed = b'"fixed":{"a":[1,null,true,{"b":1.50}],"empty":{},"none":[]}'
    first, second = lines(mapping, columns, [("vip", 7, "69001", "Lyon"), (None, 8, None, None)])
    assert first == (
        b'{"operation":"UPSERT","compartment_id":"1201","user_account_id":"7","user_profile":{"city":"Lyon",'
        b'"address":{"zip":"69001","country":"FR"},"tags":["crm","vip",{"n":7}],%s}}' % fixed
    )
    assert second == (
        b'{"operation":"UPSERT","compartment_id":"1201","user_account_id":"8","user_profile":{'
        b'"address":{"zip":null,"country":"FR"},"tags":["crm",{"n":8}],%s}}' % fixed
    )


def test_a_data_bag_is_text() -> None:
    mapping = {"data_bag": DataBag({"shop": Column("shop", type="string"), "on": {"ts": Milliseconds("at")}, "v": 1})}
    at = dt.datetime(2024, 6, 10, 6, 13, 20, tzinfo=dt.UTC)
    found = commands(mapping, ["shop", "at"], [('Café "A"', at), (None, None)])
    assert [json.loads(item["data_bag"]) for item in found] == [
        {"shop": 'Café "A"', "on": {"ts": 1_718_000_000_000}, "v": 1},
        {"on": {}, "v": 1},
    ]
    assert commands({"a": Column("c", type="string"), "data_bag": DataBag({"v": 1})}, ["c"], [("x",)]) == [
        {"a": "x", "data_bag": '{"v":1}'}
    ]


def test_an_identifier_that_a_row_does_not_have_is_left_out() -> None:
    mapping = {
        "$user_identifiers": [
            {"$type": "USER_ACCOUNT", "$user_account_id": Column("id", type="string")},
            IfPresent({"$type": "USER_EMAIL", "$hash": MAIL}),
        ],
        "other": IfPresent({"a": {"deep": Column("id", type="string")}, "b": Column("id", type="string")}),
    }
    found = commands(mapping, ["id", "mail"], [("crm-1", "a@example.com"), ("crm-2", None), (None, None)])
    assert [[item["$type"] for item in each["$user_identifiers"]] for each in found] == [
        ["USER_ACCOUNT", "USER_EMAIL"],
        ["USER_ACCOUNT"],
        ["USER_ACCOUNT"],
    ]
    assert [each.get("other") for each in found] == [
        {"a": {"deep": "crm-1"}, "b": "crm-1"},
        {"a": {"deep": "crm-2"}, "b": "crm-2"},
        None,
    ]


def test_a_command_without_columns_is_the_same_for_every_row() -> None:
    assert commands({"a": 1}, ["c"], [(1,), (2,)]) == [{"a": 1}] * 2


def test_names_of_columns_may_differ_in_case_only() -> None:
    assert commands({"a": Column("crm_id", type="string")}, ["CRM_ID"], [("x",)]) == [{"a": "x"}]
    assert commands({"a": Column("Id", type="string")}, ["ID", "Id", "id"], [("x", "y", "z")]) == [{"a": "y"}]


@pytest.mark.parametrize(
    ("name", "available", "message"),
    [
        ("crm_id", ["id", "city"], r"^The query has no column crm_id\. Its columns are: id, city\. Mend the name"),
        ("id", ["id", "city", "id"], r"^The query has 2 columns id\. Its columns are: id, city, id\."),
        ("Id", ["ID", "city", "id"], "has 2 columns Id"),
    ],
)
def test_a_column_must_exist_once(name: str, available: list[str], message: str) -> None:
    mapping = CommandMapping({"a": Column("city", type="string"), "b": [{"c": Column(name, type="string")}]})
    assert list(mapping.columns) == ["city", name]
    with pytest.raises(MicsConfigurationError, match=message):
        mapping.bind(available, "The query")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ({}, "command must be a dict with the command's fields, not an empty one"),
        ("{{ command }}", "not str"),
        ([Column("c", type="string")], "not list"),
        (None, "not NoneType"),
        ({"a": float("nan")}, "command: a is NaN or infinity"),
        ({"a": {"b": [1, b"x"]}}, r"command: a\.b\[1\] is bytes"),
        (
            {"a": {"b": [Column("c", type="string"), {1: 2}]}},
            r"command: a\.b\[1\] is an object with a key that is no text",
        ),
        ({"a": naive(2026, 1, 1)}, "command: a is a time stamp without a time zone"),
        ({"a": ["\ud800"], "b": Column("c", type="string")}, "command: a cannot be written as JSON"),
        ({'a"b': Column("c", type="string")}, "cannot be the name of a field"),
        ({1: Column("c", type="string")}, "1 cannot be the name of a field"),
        ({"a": DataBag("text")}, "DataBag at a needs a dict, not str"),  # type: ignore[arg-type]
        ({"a": [IfPresent({})]}, r"IfPresent at a\[0\] needs a dict, not an empty one"),
        ({"a": Column}, "of the type"),
    ],
)
def test_a_mapping_that_means_nothing_is_refused_without_columns(command: Any, message: str) -> None:
    with pytest.raises(MicsConfigurationError, match=message):
        CommandMapping(command)


def test_what_only_the_encoder_sees_is_named_too() -> None:
    column = Column("c", type="string")
    with pytest.raises(MicsInputError, match=r"^The query: row 2 cannot be a line: field user\.city is text with half"):
        commands({"x": 1, "user": {"city": column}}, ["c"], [("ok",), ("a\ud800b",)])
    with pytest.raises(MicsInputError, match="row 2: a column in a data bag holds text with half a character"):
        commands({"b": DataBag({"x": column})}, ["c"], [("ok",), ("a\ud800b",)])


# --- encoded and parsed again, it is what plain Python makes of the row -------------------------------------------

COLUMNS = ["text", "whole", "real", "flag", "at", "json", "mail"]
FULL = {
    "operation": "UPSERT",
    "id": Column("whole", type="string"),
    "profile": {
        "text": Column("text", type="string"),
        "text_or_null": Column("TEXT", type="string", null="null"),
        "whole": Column("whole", type="integer"),
        "real": Column("real", type="number", nan="null"),
        "flag": Column("flag", type="boolean", null="null"),
        "deep": {"at": Milliseconds("at", timezone="UTC"), "json": Json("json")},
    },
    "items": [
        {"v": 1},
        Column("text", type="string"),
        IfPresent({"hash": MAIL, "flag": Column("flag", type="boolean")}),
    ],
    "data_bag": DataBag({"real": Column("real", type="number", nan="null", null="null")}),
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), TEXT
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=5,
)
ROW = st.tuples(
    st.none() | TEXT,
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_infinity=False) | st.integers(-(2**53), 2**53) | st.just(Decimal("1.25")),
    st.none() | st.booleans() | st.sampled_from([0, 1]),
    st.none() | st.datetimes(naive(2, 1, 1), naive(9998, 1, 1)),
    st.none() | st.dictionaries(TEXT, JSON, max_size=3) | st.lists(JSON, max_size=3),
    st.none() | st.sampled_from(["", " A@Example.com ", "b@example.com"]),
)


def plain(row: tuple[Any, ...]) -> dict[str, Any]:
    text, whole, real, flag, at, value, mail = row
    real = None if real is None or math.isnan(real) else float(real)
    profile: dict[str, Any] = {"text_or_null": text, "flag": None if flag is None else bool(flag), "deep": {}}
    command: dict[str, Any] = {"operation": "UPSERT", "profile": profile, "items": [{"v": 1}]}
    if whole is not None:
        command["id"] = str(whole)
        profile["whole"] = whole
    if text is not None:
        profile["text"] = text
        command["items"].append(text)
    if real is not None:
        profile["real"] = real
    if at is not None:
        since = at.replace(tzinfo=dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        profile["deep"]["at"] = since // dt.timedelta(milliseconds=1)
    if value is not None:
        profile["deep"]["json"] = value
    if mail and flag is not None:
        digest = hashlib.sha256(mail.strip().lower().encode()).hexdigest()
        command["items"].append({"hash": digest, "flag": bool(flag)})
    command["data_bag"] = {"real": real}
    return command


@given(st.lists(ROW, min_size=1, max_size=12))
def test_it_is_what_plain_python_makes_of_the_rows(rows: list[tuple[Any, ...]]) -> None:
    found = commands(FULL, COLUMNS, rows)
    for command in found:
        command["data_bag"] = json.loads(command["data_bag"])
    assert found == [plain(row) for row in rows]


@given(st.lists(ROW, min_size=2, max_size=12))
def test_rows_do_not_depend_on_each_other(rows: list[tuple[Any, ...]]) -> None:
    assert lines(FULL, COLUMNS, rows) == [line for row in rows for line in lines(FULL, COLUMNS, [row])]
