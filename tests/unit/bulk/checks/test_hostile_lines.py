from __future__ import annotations

import json

import pytest

from tests.unit.bulk.checks.checking import GOOD, check, check_lines, encoded

PROFILE = GOOD["USER_PROFILE"][0]
#: A profile with something put into it.
HEAD, TAIL = b'{"operation":"UPSERT","user_account_id":"a","user_profile":{"x":', b"}}"


def profile(inside: bytes) -> bytes:
    return HEAD + inside + TAIL


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (profile(b'"\xff"'), f"is not UTF-8 at byte {len(HEAD) + 1} of the line"),
        (profile('"café"'.encode("latin-1")), f"is not UTF-8 at byte {len(HEAD) + 4} of the line"),
        (profile(b'"\xc0\xaf"'), "is not UTF-8"),
        (profile(b'"\xed\xa0\x80"'), "is not UTF-8"),
        (b'{"\xff":1}', "is not UTF-8 at byte 2 of the line"),
        (profile(b"1") + profile(b"1"), "has two objects"),
        (profile(b"1") + b" " + profile(b"1"), "has two objects"),
        (profile(b"1") + b"\r" + profile(b"1"), "line ends are carriage returns only"),
        (profile(b"1") + b" x", "has something behind the object"),
        (profile(b"1") + b",", "has a comma behind the object"),
        (profile(b"NaN"), "NaN or Infinity is not JSON"),
        (profile(b"-Infinity"), "NaN or Infinity is not JSON"),
        (profile(rb'"\ud800"'), "half of a surrogate pair"),
        (profile(rb'"\udc00\ud800"'), "half of a surrogate pair"),
        (b"\xef\xbb\xbf" + profile(b"1"), "begins with a byte order mark in the middle"),
        (profile(b"1\0"), "has a NUL"),
        (profile(b'"\0"'), "has a NUL"),
        (profile(b'"\x01"'), "is not valid JSON"),
        (profile(b'"a\tb"'), "is not valid JSON"),
        (profile(b'{"a":' * 50_000 + b"1" + b"}" * 50_000), "nested too deep"),
        (profile(b"[" * 100_000 + b"]" * 100_000), "nested too deep"),
        (profile(b"01"), "is not valid JSON"),
        (profile(b"1."), "is not valid JSON"),
        (profile(b".5"), "is not valid JSON"),
        (profile(b"+1"), "is not valid JSON"),
        (profile(b"0x10"), "is not valid JSON"),
        (profile(b"tru"), "is not valid JSON"),
        (profile(b"undefined"), "is not valid JSON"),
        (profile(b"[1,]"), "is not valid JSON"),
        (profile(b'{"a":1,}'), "is not valid JSON"),
        (profile(b"{a:1}"), "is not valid JSON"),
        (profile(b"{'a':1}"), "is not valid JSON"),
        (profile(b"1 /* why */"), "is not valid JSON"),
        (profile(rb'"\x41"'), "is not valid JSON"),
        (profile(b'"a'), "the object does not end on this line"),
        (profile(b"1")[:-1], "the object does not end on this line"),
        (b"{", "the object does not end on this line"),
        (b'[{"operation":"UPSERT"}]', "this is a JSON array, not NDJSON"),
        (b"[", "this is a JSON array, not NDJSON"),
        (b"null", "is JSON, but not an object"),
        (b"5", "is JSON, but not an object"),
        (b'"a"', "is JSON, but not an object"),
        (b"}", "is a piece of JSON"),
        (b"]", "is a piece of JSON"),
        (b'"operation": "UPSERT",', "is a piece of JSON"),
        (b"operation,user_account_id", "is not valid JSON"),
        (b"%PDF-1.7", "is not valid JSON"),
        (b"\x1f\x8b\x08\0", "is not UTF-8"),
    ],
)
@pytest.mark.parametrize("document_type", ["USER_PROFILE", "USER_MOODS"])
def test_what_is_no_json_object_is_bad(document_type: str, line: bytes, reason: str) -> None:
    good = profile(b"1")

    outcome = check_lines(document_type, good, line, good)

    assert outcome.lines == 3
    assert [bad.line for bad in outcome.bad] == [2]
    assert [problem.line for problem in outcome.problems] == [2]
    assert reason in outcome.problems[0].reason
    assert outcome.bad[0] == (len(good) + 1, len(line) + 1, 2)
    assert (outcome.problems[0].offset, outcome.problems[0].length) == (len(good) + 1, len(line) + 1)


@pytest.mark.parametrize(
    "line",
    [
        profile(b"1e999"),  # the grammar of JSON has it, and what becomes of it is the platform's affair
        profile(b"1234567890123456789012345678901"),
        profile(b"9" * 5000),
        profile(rb'"\ud83d\ude00 \\ud800"'),
        profile('"\u2028 é 😀 \x7f"'.encode()),
        profile(b'{"a":1,"a":2}'),
        profile(b'{"a":' * 100 + b"1" + b"}" * 100),
        b" \t" + profile(b" 1 ") + b" \r",
        b'{"user_profile":{},"user_account_id":1234567890123456789012345678901,"operation":"UPSERT"}',
        rb'{"\u006fperation":"DELETE","email_hash":"3f2a"}',
    ],
)
def test_unusual_json_is_good(line: bytes) -> None:
    assert check_lines("USER_PROFILE", line).problems == ()


def test_numbers_that_are_no_integers_are_no_ids() -> None:
    outcome = check_lines("USER_PROFILE", b'{"operation":"DELETE","user_account_id":' + b"9" * 5000 + b"}")

    assert [problem.field for problem in outcome.problems] == ["user_account_id"]


def test_of_a_number_beyond_floats_in_a_field_the_field_is_named() -> None:
    outcome = check_lines("USER_ACTIVITY", b'{"$type":"TOUCH","$ts":1e999,"$user_account_id":"a"}')

    assert [problem.field for problem in outcome.problems] == ["$ts"]


def test_a_property_that_is_there_twice_is_said_of_bad_lines_only() -> None:
    twice = b'{"operation":"DELETE","email_hash":"3f2a","email_hash":"4e1b"}'
    bad = b'{"operation":"DELETE","operation":"INSERT","email_hash":"3f2a","user_profile":{}}'

    outcome = check_lines("USER_PROFILE", twice, bad)

    assert [bad.line for bad in outcome.bad] == [2]
    assert [problem.reason for problem in outcome.problems] == [
        "is none of the words allowed",
        "a property is there twice",
    ]


def test_line_ends_of_windows_and_blank_lines_are_good() -> None:
    line = encoded(PROFILE)[:-1]
    text = b"\n \t\n" + line + b"\r\n\r\n" + line + b"\n\n\n" + line

    outcome = check("USER_PROFILE", text)

    assert outcome.problems == ()
    assert (outcome.lines, outcome.blank, outcome.next_line) == (3, 5, 9)


def test_blank_lines_count_in_line_numbers() -> None:
    outcome = check("USER_PROFILE", b"\n\n{}\n")

    assert outcome.bad == ((2, 3, 3),)


def test_a_byte_order_mark_at_the_start_is_passed_over() -> None:
    bom = b"\xef\xbb\xbf"

    assert check("USER_PROFILE", bom + encoded(PROFILE)).problems == ()
    assert check("USER_PROFILE", bom + b"{}\n").bad == ((3, 3, 1),)
    assert check("USER_PROFILE", bom).lines == 0


def test_the_last_line_needs_no_newline() -> None:
    outcome = check("USER_PROFILE", encoded(PROFILE) + b'{"operation":')

    assert outcome.bad == ((len(encoded(PROFILE)), 13, 2),)
    assert outcome.lines == 2


def test_of_a_pretty_printed_file_one_problem_is_said() -> None:
    pretty = "\n".join(json.dumps(PROFILE, indent=2) for _ in range(3)).encode()

    outcome = check("USER_PROFILE", pretty)

    assert len(outcome.problems) == 1
    assert outcome.problems[0].line == 1
    assert "the object does not end on this line" in outcome.problems[0].reason
    assert len(outcome.bad) == outcome.lines == pretty.count(b"\n") + 1


@pytest.mark.parametrize("indent", [None, 2])
def test_of_an_array_one_problem_is_said(indent: int | None) -> None:
    objects = [json.dumps(PROFILE, indent=indent) for _ in range(3)]
    array = ("[\n" + ",\n".join(objects) + "\n]\n").encode()

    outcome = check("USER_PROFILE", array)

    assert [(problem.line, problem.reason) for problem in outcome.problems] == [(1, "this is a JSON array, not NDJSON")]
    # The array's last object is on a line of its own.
    assert len(outcome.bad) == outcome.lines - (indent is None)


def test_each_line_that_is_cut_off_is_named() -> None:
    cut = encoded(PROFILE)[:-3]

    outcome = check_lines("USER_PROFILE", cut, PROFILE, cut)

    assert [problem.line for problem in outcome.problems] == [1, 3]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_of_a_file_in_utf_16_one_problem_is_said(encoding: str) -> None:
    text = (encoded(PROFILE) * 3).decode().encode(encoding)

    outcome = check("USER_PROFILE", text)

    assert [(problem.line, problem.reason) for problem in outcome.problems] == [
        (1, "is not UTF-8: it looks like UTF-16")
    ]
    assert len(outcome.bad) == outcome.lines


def test_a_line_that_is_too_long_is_bad_and_not_kept() -> None:
    long = profile(b'"' + b"a" * 300 + b'"')
    text = encoded(PROFILE) + long + b"\n" + encoded(PROFILE) + b"[" + long

    for cuts in (range(0), range(0, len(text), 7), range(0, len(text), 100)):
        outcome = check("USER_PROFILE", text, cuts=cuts, max_line_bytes=200)

        assert [bad.line for bad in outcome.bad] == [2, 4]
        assert [bad.length for bad in outcome.bad] == [len(long) + 1, len(long) + 1]
        assert [problem.reason for problem in outcome.problems] == ["is longer than 200 bytes"] * 2
        assert "JSON array" not in outcome.problems[0].remedy
        assert "JSON array" in outcome.problems[1].remedy
        assert (outcome.lines, outcome.next_line) == (4, 5)


def test_problems_are_limited_but_bad_lines_are_not() -> None:
    outcome = check("USER_PROFILE", b"{}\n" * 500, cuts=range(0, 1500, 301), limit=7)

    assert len(outcome.problems) == 7
    assert len(outcome.bad) == 500
    assert [bad.offset for bad in outcome.bad] == list(range(0, 1500, 3))
