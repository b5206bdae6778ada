from __future__ import annotations

import datetime as dt
import enum
import json
import re
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.bulk.rows import BLOCK_BYTES, encode_rows
from airflow_provider_mics.exceptions import MicsInputError
from tests.unit.bulk.mapping.mapped import naive

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET = "jean.dupont@example.com"
NAN, INFINITY = float("nan"), float("inf")


class Colour(enum.Enum):
    RED = "red"
    NONE = NAN


class Profile(msgspec.Struct, rename={"account": "$user_account_id"}):
    account: str
    city: Any = msgspec.UNSET


class Pair(msgspec.Struct, array_like=True):
    a: int


class Text(str):
    __slots__ = ()


class Whole(int):
    pass


class Real(float):
    __slots__ = ()


def encode(*rows: Any, max_line_bytes: int = 10_000_000) -> bytes:
    blocks = list(encode_rows(rows, source="make()", max_line_bytes=max_line_bytes))
    assert [block.content.count(b"\n") for block in blocks] == [block.lines for block in blocks]
    return b"".join(block.content for block in blocks)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (None, b"null"),
        (True, b"true"),
        (12, b"12"),
        (2**70, b"1180591620717411303424"),
        (1.5, b"1.5"),
        ("a\nb\u2028é", '"a\\nb\u2028é"'.encode()),
        ([1, None, ["x"], ()], b'[1,null,["x"],[]]'),
        ((1, 2), b"[1,2]"),
        ({"a": {"b": []}}, b'{"a":{"b":[]}}'),
        (Decimal("12.50"), b"12.50"),
        (uuid.UUID(int=1), b'"00000000-0000-0000-0000-000000000001"'),
        (dt.date(2026, 11, 23), b'"2026-11-23"'),
        (dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC), b'"2026-11-23T02:00:00Z"'),
        (dt.datetime(2026, 11, 23, 2, tzinfo=dt.timezone(dt.timedelta(hours=1))), b'"2026-11-23T02:00:00+01:00"'),
        (pendulum.datetime(2026, 11, 23, 2, tz="Europe/Paris"), b'"2026-11-23T02:00:00+01:00"'),
        (Colour.RED, b'"red"'),
        (Text("x"), b'"x"'),
        (Whole(3), b"3"),
        (Real(3.5), b"3.5"),
        (Profile("crm-1"), b'{"$user_account_id":"crm-1"}'),
        (Profile("crm-1", city=None), b'{"$user_account_id":"crm-1","city":null}'),
        (Pair(1), b"[1]"),
    ],
)
def test_what_lines_can_hold(value: Any, result: bytes) -> None:
    assert encode({"v": value, "w": [value]}) == b'{"v":%s,"w":[%s]}\n' % (result, result)


def test_a_row_is_a_dict_or_a_struct() -> None:
    assert encode({}, Profile("a"), {"b": 1}) == b'{}\n{"$user_account_id":"a"}\n{"b":1}\n'


@pytest.mark.parametrize("row", [[1], "text", SECRET, None, 3, Pair(1), b"{}", ("a", 1)])
def test_nothing_else_is_one(row: Any) -> None:
    with pytest.raises(
        MicsInputError, match=r"^make\(\): row 2 is of the type \w+; a line is made of a dict"
    ) as raised:
        encode({}, row)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (NAN, "NaN or infinity, which JSON does not have"),
        (-INFINITY, "NaN or infinity"),
        (Real(NAN), "NaN or infinity"),
        (Decimal("NaN"), "a number that is not finite"),
        (Decimal("sNaN"), "a number that is not finite"),
        (Decimal("1E+999999"), "a number that is not finite"),
        (b"ab", "bytes, which JSON does not have; decode them to text"),
        (bytearray(b"ab"), "bytes"),
        (memoryview(b"ab"), "bytes"),
        (naive(2026, 1, 1), "a time stamp without a time zone; give it one"),
        (dt.time(1), "of the type time"),
        (dt.timedelta(1), "of the type timedelta"),
        ({1, 2}, "of the type set"),
        (object(), "of the type object"),
        (1j, "of the type complex"),
        (Colour.NONE, "NaN or infinity"),
        ({1: 2}, "an object with a key that is no text"),
        ({None: 2}, "an object with a key that is no text"),
        (msgspec.Raw(b"1\n2"), "of the type Raw"),
        (msgspec.UNSET, "of the type UnsetType"),
        ("\ud800", "text with half a character"),
        (Profile("\ud800"), "text with half a character"),
    ],
)
@pytest.mark.parametrize(
    ("place", "field"),
    [
        (lambda value: {"a": value}, "a"),
        (lambda value: {"a": 1, "user_profile": {"tags": [0, "x", value]}}, "user_profile.tags[2]"),
        (lambda value: {"$a": ({"b-c": value},)}, "$a[0].b-c"),
        (lambda value: {SECRET: {"+33 6 12": value}}, "<key>.<key>"),
        (lambda value: Profile("x", city={"z": value}), "city.z"),
    ],
)
def test_what_json_cannot_say_is_named_and_not_shown(value: Any, reason: str, place: Any, field: str) -> None:
    with pytest.raises(MicsInputError) as raised:
        encode({"fine": 1.5}, place(value))
    deeper = r"\.\$user_account_id" if isinstance(value, Profile) else ""
    assert re.match(
        rf"make\(\): row 2 cannot be a line: field {re.escape(field)}{deeper} is {re.escape(reason)}", str(raised.value)
    )
    assert SECRET not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_a_key_with_half_a_character() -> None:
    with pytest.raises(MicsInputError, match=r"field a\.<key> is text with half a character"):
        encode({"a": {"\ud800": 1}})


def test_a_row_within_itself() -> None:
    row: dict[str, Any] = {}
    row["a"] = [row]
    with pytest.raises(MicsInputError, match=r"row 1 cannot be a line: it is nested too deeply"):
        encode(row)


def test_blocks_are_small_and_lines_whole() -> None:
    rows = [{"n": number, "t": "x" * (number % 700)} for number in range(2000)]
    blocks = list(encode_rows(rows, source="make()", max_line_bytes=10_000_000))
    assert all(len(block.content) <= BLOCK_BYTES and block.content.endswith(b"\n") for block in blocks)
    assert len(blocks) <= 2 * sum(len(block.content) for block in blocks) // BLOCK_BYTES
    assert [json.loads(line) for block in blocks for line in block.content.splitlines()] == rows


def test_a_long_line_is_a_block_of_its_own() -> None:
    rows = [{"t": "x" * size} for size in (10, 200_000, 300_000, 10)]
    blocks = list(encode_rows(rows, source="make()", max_line_bytes=10_000_000))
    assert [block.lines for block in blocks] == [1, 1, 1, 1]
    assert [json.loads(block.content) for block in blocks] == rows


@given(st.lists(st.integers(1, 60), max_size=30), st.integers(70, 200))
def test_blocks_fit_into_small_parts(sizes: list[int], limit: int) -> None:
    rows = [{"t": "x" * size} for size in sizes]
    blocks = list(encode_rows(rows, source="make()", max_line_bytes=limit))
    assert all(len(block.content) <= limit for block in blocks)
    assert sum(block.lines for block in blocks) == len(rows)


def test_a_line_that_fits_into_no_part_is_named() -> None:
    with pytest.raises(
        MicsInputError, match=r"^make\(\): row 2 makes a line of 209 bytes; a part may have 100\. Raise"
    ):
        encode({"a": 1}, {"a": "x" * 200}, max_line_bytes=100)


def test_rows_are_taken_when_they_are_needed() -> None:
    taken = 0

    def rows() -> Iterable[Any]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield {"a": "x" * 30_000}

    next(encode_rows(rows(), source="make()", max_line_bytes=10_000_000))
    assert taken <= 3


@given(st.lists(st.integers(0, 100_000), max_size=40))
def test_blocks_hold_all_rows_whatever_their_sizes(sizes: list[int]) -> None:
    blocks = list(encode_rows(({"a": "x" * size} for size in sizes), source="make()", max_line_bytes=10_000_000))

    assert b"".join(block.content for block in blocks) == b"".join(b'{"a":"%b"}\n' % (b"x" * size) for size in sizes)
    assert all(block.lines == block.content.count(b"\n") for block in blocks)
    assert all(block.lines == 1 or len(block.content) <= BLOCK_BYTES for block in blocks)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=3), JSON, max_size=4), max_size=5))
def test_parsed_again_lines_are_the_rows_or_there_is_an_error(rows: list[dict[str, Any]]) -> None:
    text = repr(rows)
    # Python's own encoder, at its strictest.
    try:
        expected = [json.loads(json.dumps(row, allow_nan=False, ensure_ascii=False).encode()) for row in rows]
    except ValueError:
        with pytest.raises(MicsInputError):
            encode(*rows)
    else:
        assert [json.loads(line) for line in encode(*rows).split(b"\n")[:-1]] == expected
    assert repr(rows) == text
