from __future__ import annotations

import datetime as dt
import enum
import uuid
from decimal import Decimal
from typing import Any

import pendulum
import pytest

from airflow_provider_mics.bulk.mapping import Column, Json, Milliseconds
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError
from tests.unit.bulk.mapping.mapped import commands, lines, naive, one

UUID = uuid.UUID("12345678-1234-5678-1234-567812345678")
SECRET = "jean.dupont@example.com"
PARIS = dt.timezone(dt.timedelta(hours=1))
NAN, INFINITY = float("nan"), float("inf")


class Text(str):
    __slots__ = ()


class Colour(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        ("string", "Lyon", "Lyon"),
        ("string", "", ""),
        ("string", 'quo"te \\ \n é 😀 \x00', 'quo"te \\ \n é 😀 \x00'),
        ("string", Text("Lyon"), "Lyon"),
        ("string", Colour.RED, "red"),
        ("string", 12, "12"),
        ("string", -(2**70), str(-(2**70))),
        ("string", Decimal("12.50"), "12.50"),
        ("string", Decimal("1E+3"), "1000"),
        ("string", UUID, str(UUID)),
        ("string", dt.date(2026, 11, 23), "2026-11-23"),
        ("string", dt.datetime(2026, 11, 23, 2, tzinfo=PARIS), "2026-11-23T02:00:00+01:00"),
        ("string", pendulum.datetime(2026, 11, 23, 2, tz="Europe/Paris"), "2026-11-23T02:00:00+01:00"),
        ("integer", 12, 12),
        ("integer", 2**63 - 1, 2**63 - 1),
        ("integer", -(2**63), -(2**63)),
        ("integer", 12.0, 12),
        ("integer", float(-(2**53)), -(2**53)),
        ("integer", Decimal("12.00"), 12),
        ("integer", "-12", -12),
        ("integer", "0", 0),
        ("number", 12, 12),
        ("number", 12.5, 12.5),
        ("number", 1e300, 1e300),
        ("number", Decimal("12.5"), 12.5),
        ("number", "12.5e-1", 1.25),
        ("number", "-0", 0),
        ("boolean", True, True),
        ("boolean", False, False),
        ("boolean", 1, True),
        ("boolean", Decimal(0), False),
        ("boolean", "TRUE", True),
        ("boolean", "f", False),
    ],
)
@pytest.mark.parametrize("is_alone", [True, False])
def test_values_are_converted(kind: Any, value: Any, result: Any, is_alone: bool) -> None:
    plain: dict[str, list[Any]] = {"string": ["x"], "integer": [1], "number": [1.5], "boolean": [True]}
    found = one(Column("c", type=kind), value, *([] if is_alone else [*plain[kind], None]))
    assert (found, type(found)) == (result, type(result))


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", True, "must be text, but is of the type bool"),
        ("string", 12.5, "must be text, but is of the type float"),
        ("string", NAN, "must be text, but is NaN or infinity"),
        ("string", Decimal("NaN"), "NaN or infinity"),
        ("string", b"ab", "must be text, but is bytes; convert them in the query"),
        ("string", memoryview(b"ab"), "bytes"),
        ("string", naive(2026, 11, 23), "a time stamp without a time zone; name its zone with timezone="),
        ("string", {"a": SECRET}, "of the type dict"),
        ("integer", SECRET, "must be an integer, but is another text"),
        ("integer", "12.0", "another text"),
        ("integer", " 12", "another text"),
        ("integer", "012", "another text"),
        ("integer", "١٢", "another text"),
        ("integer", "9" * 5000, "another text"),
        ("integer", True, "of the type bool"),
        ("integer", 12.5, "a number with decimals, or too large to be exact"),
        ("integer", 1e300, "too large to be exact"),
        ("integer", NAN, "NaN or infinity"),
        ("integer", -INFINITY, "NaN or infinity"),
        ("integer", Decimal("12.5"), "a number with decimals"),
        ("integer", Decimal("1E+999999"), "too large"),
        ("integer", 2**63, "an integer of more than 64 bits"),
        ("integer", -(2**63) - 1, "an integer of more than 64 bits"),
        ("integer", "9223372036854775808", "an integer of more than 64 bits"),
        ("number", SECRET, "must be a number, but is another text"),
        ("number", "NaN", "another text"),
        ("number", "1e999", "another text"),
        ("number", ".5", "another text"),
        ("number", "1,5", "another text"),
        ("number", NAN, "NaN or infinity"),
        ("number", INFINITY, "NaN or infinity"),
        ("number", Decimal("sNaN"), "NaN or infinity"),
        ("number", False, "of the type bool"),
        ("number", 2**64, "of the type int"),
        ("boolean", "yes", "must be true or false, but is another text"),
        ("boolean", 2, "of the type int"),
        ("boolean", 1.0, "of the type float"),
    ],
)
@pytest.mark.parametrize("is_alone", [True, False])
def test_what_would_be_lost_or_guessed_is_refused(kind: Any, value: Any, expected: str, is_alone: bool) -> None:
    plain: dict[str, list[Any]] = {"string": ["x"], "integer": [1], "number": [1.5], "boolean": [True]}
    rows: list[Any] = [(value,)] if is_alone else [(plain[kind][0],), (None,), (value,)]
    with pytest.raises(MicsInputError) as raised:
        commands({"is": Column("c", type=kind)}, ["c"], rows)
    message = str(raised.value)
    assert f"The query: row {len(rows)}: column c must be " in message
    assert expected in message
    assert SECRET not in message
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("kind", ["string", "integer", "number", "boolean"])
@pytest.mark.parametrize(("null", "result"), [("omit", "left out"), ("null", None)])
def test_nulls(kind: Any, null: Any, result: Any) -> None:
    assert one(Column("c", type=kind, null=null), None) == result
    assert one(Column("c", type=kind, null=null), None, "1") == result


def test_a_null_that_may_not_be_is_named() -> None:
    with pytest.raises(MicsInputError, match=r"^The query: row 3: column c is null\.$"):
        commands({"is": Column("c", type="string", null="fail")}, ["c"], [("a",), ("b",), (None,), (None,)])


def test_decimals_keep_their_digits() -> None:
    digits = "12345678901234567890.12345678901234567890"
    (line,) = lines({"is": Column("c", type="number")}, ["c"], [(Decimal(digits),)])
    assert line == b'{"is":%s}' % digits.encode()
    (line,) = lines({"is": Column("c", type="number")}, ["c"], [(digits,)])
    assert line == b'{"is":%s}' % digits.encode()


@pytest.mark.parametrize("value", [NAN, Decimal("NaN")])
def test_nan_can_be_taken_for_a_null(value: Any) -> None:
    assert one(Column("c", type="number", nan="null"), value, 1.5) == "left out"
    assert one(Column("c", type="integer", nan="null", null="null"), value, 3.0) is None
    with pytest.raises(MicsInputError, match="column c is null"):
        one(Column("c", type="number", nan="null", null="fail"), value)
    with pytest.raises(MicsInputError, match="NaN or infinity"):
        one(Column("c", type="number", nan="null"), INFINITY)


def test_a_time_stamp_gets_the_zone_that_is_named() -> None:
    column = Column("c", type="string", timezone="Europe/Paris")
    assert one(column, naive(2026, 7, 1, 12)) == "2026-07-01T12:00:00+02:00"
    assert one(column, dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)) == "2026-07-01T12:00:00+00:00"


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ({"a": [1, None, {"b": True}]}, {"a": [1, None, {"b": True}]}),
        ([1, 2.5, "x"], [1, 2.5, "x"]),
        (12, 12),
        (True, True),
        ('{"a" : [1,\n 2]}', {"a": [1, 2]}),
        ('"text"', "text"),
        ("null", "left out"),
        (None, "left out"),
        ({"d": dt.date(2026, 1, 1), "u": UUID}, {"d": "2026-01-01", "u": str(UUID)}),
    ],
)
def test_json_is_put_in_as_it_is(value: Any, result: Any) -> None:
    assert one(Json("c"), value) == result
    assert one(Json("c"), value, "{}") == result


def test_json_text_keeps_its_digits_and_stays_on_its_line() -> None:
    text = '{\r\n  "n": 12345678901234567890.10,\n  "t": "a\\nb"\n}'
    assert lines({"is": Json("c")}, ["c"], [(text,)]) == [b'{"is":{"n":12345678901234567890.10,"t":"a\\nb"}}']


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (SECRET, "must be JSON, but is text that is no JSON"),
        ("", "text that is no JSON"),
        ('{"a": NaN}', "text that is no JSON"),
        ('{"a": 1} {"b": 2}', "text that is no JSON"),
        ("\ud800", "text that is no JSON"),
        ({"a": {"b": [0, NAN]}}, r"NaN or infinity, which JSON does not have \(at a\.b\[1\]\)"),
        ({"a": b""}, r"bytes, which JSON does not have; decode them to text \(at a\)"),
        ({SECRET: NAN}, r"\(at <key>\)"),
        ({1: 2}, "an object with a key that is no text"),
        (NAN, "NaN or infinity"),
    ],
)
def test_what_is_no_json_is_refused(value: Any, expected: str) -> None:
    with pytest.raises(MicsInputError, match=expected) as raised:
        one(Json("c"), value)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Column("c", type="text"), "type must be one of 'string', 'integer', 'number', 'boolean', not 'text'"),  # type: ignore[arg-type]
        (lambda: Column("c", type="string", null="skip"), "null must be one of 'omit', 'null', 'fail'"),  # type: ignore[arg-type]
        (lambda: Column("c", type="number", nan="omit"), "nan must be one of 'fail', 'null'"),  # type: ignore[arg-type]
        (lambda: Column("", type="string"), "Column needs the name of a column"),
        (lambda: Milliseconds("c", timezone="Europe/Lyon"), "timezone 'Europe/Lyon' is not known"),
        (lambda: Column("c", type="string", timezone="../etc/passwd"), "is not known"),
    ],
)
def test_words_that_mean_nothing_are_refused(make: Any, message: str) -> None:
    with pytest.raises(MicsConfigurationError, match=message):
        make()


def test_a_type_must_be_named() -> None:
    with pytest.raises(TypeError, match="type"):
        Column("c")  # type: ignore[call-arg]
