from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_mics.bulk.checks.document_rules import rules_for
from airflow_provider_mics.bulk.checks.examine import examine
from airflow_provider_mics.bulk.checks.quick import look_over
from airflow_provider_mics.bulk.formats import decode_line, encode_line
from tests.unit.bulk.checks.checking import GOOD, MOMENT, check, encoded

if TYPE_CHECKING:
    import random

    from hypothesis.strategies import DrawFn

VALUES = st.one_of(
    st.sampled_from(
        [None, True, False, 0, 1, -1, 10**9, 10**10 - 1, 10**10, MOMENT, 2**63, -(2**63) - 1, 2**64, 10**40]
    ),
    st.sampled_from([1.0, 1.5, "", " ", "a", "UPSERT", "UPDATE", "DELETE", "lea@example.com", "udp:1", "USER_EMAIL"]),
    st.sampled_from(
        ["USER_AGENT", "USER_POINT", "FORCE_REPLACE", "TOUCH", "NO_SESSION", "{}", "{", "\ud83d\ude00", "[]"]
    ),
    st.sampled_from(
        [[], {}, [{}], [None], {"$type": "USER_AGENT"}, [{"type": "USER_AGENT", "user_agent_id": "udp:2"}]]
    ),
).map(copy.deepcopy)
NAMES = sorted({name for lines in GOOD.values() for line in lines for name in line} | {"$hash", "$email", "hash"})
PIECES = st.sampled_from(
    [
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b'"',
        b"\\",
        b"\0",
        b"\xff",
        b"\xc3",
        b" ",
        b"1e999",
        b"NaN",
        b"\r",
        rb"\ud800",
    ]
)


@st.composite
def nearly_good_lines(draw: DrawFn) -> tuple[str, bytes]:
    """Take a good line, change a few of its fields, and perhaps a few of its bytes."""
    document_type = draw(st.sampled_from(sorted(GOOD)))
    # Now and then a line of another type.
    line_of = draw(st.sampled_from([document_type, document_type, document_type, *sorted(GOOD)]))
    line = json.loads(json.dumps(draw(st.sampled_from(GOOD[line_of]))))
    for _ in range(draw(st.integers(0, 3))):
        mutate(draw, line)
    text = json.dumps(line, ensure_ascii=draw(st.booleans())).encode("utf-8", "replace")
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        position = draw(st.integers(0, len(text)))
        text = text[:position] + draw(PIECES | st.just(b"")) + text[position + draw(st.integers(0, 2)) :]
    return document_type, text.replace(b"\n", b" ")


def mutate(draw: DrawFn, line: dict[str, Any]) -> None:
    holder = draw(st.sampled_from(objects_in(line)))
    names = sorted(holder)
    action = draw(st.sampled_from(["drop", "retype", "retype", "add", "rename"]))
    if action == "add" or not names:
        holder[draw(st.sampled_from(NAMES))] = draw(VALUES)
        return
    name = draw(st.sampled_from(names))
    if action == "retype":
        holder[name] = draw(VALUES)
    else:
        value = holder.pop(name)
        if action == "rename":
            holder[draw(st.sampled_from(NAMES))] = value


def objects_in(value: Any) -> list[dict[str, Any]]:
    found = [value] if isinstance(value, dict) else []
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        found += objects_in(inner)
    return found


def is_refused_quickly(document_type: str, line: bytes) -> bool:
    """Tell what the quick look says; that lines are UTF-8 is looked at for many of them together."""
    rules = rules_for(document_type)
    try:
        line.decode()
    except UnicodeDecodeError:
        return True
    return bool(look_over([line], rules.decoder(), rules.judge)[0])


@settings(max_examples=3000)
@given(nearly_good_lines())
def test_the_slow_look_finds_a_problem_just_where_the_quick_one_refuses(case: tuple[str, bytes]) -> None:
    document_type, line = case

    findings = examine(line, rules_for(document_type)).findings

    assert bool(findings) == is_refused_quickly(document_type, line), findings


@settings(max_examples=1000)
@given(nearly_good_lines())
def test_what_is_taken_for_common_is_good_and_deletes_nothing(case: tuple[str, bytes]) -> None:
    document_type, line = case
    rules = rules_for(document_type)

    if (hunch := rules.hunch()) and hunch.holds([line]):
        assert look_over([line], rules.decoder(), rules.judge) == ([], 0)


def test_a_hunch_that_was_wrong_is_not_followed_soon() -> None:
    good = b"".join(encoded(line) for line in GOOD["USER_PROFILE"][:1])
    (hunch,) = (found for found in [rules_for("USER_PROFILE").hunch()] if found)

    held = [hunch.holds([b"{}"]) for _ in range(8)] + [hunch.holds([good]) for _ in range(20)]

    # Tried at 0, 2 and 6, each time after twice as long a pause; then once more, and held.
    assert held.index(True) == 14
    assert all(held[14:])


@settings(max_examples=1000)
@given(st.lists(st.sampled_from([*b'{}[]":,\\0123eE+-.tfnul aud8', 0, 9, 10, 13, 0xC3, 0xA9, 0xFF]), max_size=30))
def test_any_bytes_are_told_apart_as_a_strict_parser_does(codes: list[int]) -> None:
    line = b'{"a":' + bytes(codes).replace(b"\n", b" ") + b"}"

    findings = examine(line, rules_for("USER_MOODS")).findings

    assert bool(findings) == is_refused_quickly("USER_MOODS", line)
    assert bool(findings) != is_strict_json_object(line)


def is_strict_json_object(line: bytes) -> bool:
    def refuse(_: str) -> None:
        raise ValueError

    try:
        value = json.loads(line.decode(), parse_constant=refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        return False
    return isinstance(value, dict)


@given(
    st.lists(nearly_good_lines().map(lambda case: case[1]) | st.sampled_from([b"", b" ", b"{", b'"a": 1,', b"\r"])),
    st.data(),
)
@pytest.mark.parametrize("document_type", ["USER_PROFILE", "USER_ACTIVITY"])
def test_where_blocks_end_changes_nothing(document_type: str, lines: list[bytes], data: st.DataObject) -> None:
    text = b"\n".join(lines)
    cuts = data.draw(st.lists(st.integers(0, len(text))))

    whole = check(document_type, text)

    assert check(document_type, text, cuts=cuts) == whole
    assert check(document_type, text, cuts=cuts, max_line_bytes=60) == check(document_type, text, max_line_bytes=60)
    assert whole.lines + whole.blank == text.count(b"\n") + (not text.endswith(b"\n") and bool(text))
    assert whole.lines == sum(1 for line in lines if line.strip(b" \t\r"))
    # Bad lines are whole lines of the text, and the others are good by themselves.
    bad = set()
    for offset, length, number in whole.bad:
        assert text[offset : offset + length].rstrip(b"\n") == lines[number - 1]
        bad.add(number)
    good = b"".join(line + b"\n" for number, line in enumerate(lines, 1) if number not in bad)
    assert check(document_type, good).bad == ()


@given(st.randoms(use_true_random=True))
def test_pieces_of_large_blocks_change_nothing(dice: random.Random) -> None:
    lines = [encoded(dice.choice(GOOD["USER_SEGMENT"])) for _ in range(600)]
    spoilt = sorted(dice.sample(range(600), 3))
    for number in spoilt:
        lines[number] = dice.choice([b'{"operation":"UPDATE"}\n', b'{"\xff":1}\n'])

    outcome = check("USER_SEGMENT", b"".join(lines))

    assert [bad.line - 1 for bad in outcome.bad] == spoilt
    assert [bad.offset for bad in outcome.bad] == [sum(map(len, lines[:number])) for number in spoilt]
    assert outcome.deletions == sum(b'"DELETE"' in line for line in lines)


@given(nearly_good_lines())
def test_good_lines_survive_being_decoded_and_encoded(case: tuple[str, bytes]) -> None:
    document_type, text = case
    if examine(text, rules_for(document_type)).findings:
        return

    try:
        line = decode_line(document_type, text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # The structures type more fields than the rules look at.
        return
    again = encode_line(line)

    assert check(document_type, again).problems == ()
    assert decode_line(document_type, again) == line
