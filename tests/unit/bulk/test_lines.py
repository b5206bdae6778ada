from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.bulk.lines import LineCounter, RecordEnds, RecordScanner

TEXTS = st.lists(
    st.sampled_from([b"a", b"{}", b"\n", b"\r\n", b" ", b"\t", b"\v", b"\f", b"\n\n", b"xyz"]), max_size=40
).map(b"".join)
CSV_TEXTS = st.lists(st.sampled_from([b"a", b",", b"\n", b"\r\n", b'"', b'""', b'"x\ny"', b"\n\n"]), max_size=40).map(
    b"".join
)


def blocks(text: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]
    return [*pieces, text]


@given(TEXTS, st.lists(st.integers(0, 10), max_size=10))
def test_counts_lines_that_are_not_blank_whatever_the_blocks(text: bytes, sizes: list[int]) -> None:
    counter = LineCounter()
    for block in blocks(text, sizes):
        counter.feed(block)

    assert counter.count == sum(1 for line in text.split(b"\n") if line.strip(b" \t\r"))


@given(CSV_TEXTS, st.lists(st.integers(0, 10), max_size=10))
def test_record_ends_do_not_depend_on_the_blocks(text: bytes, sizes: list[int]) -> None:
    whole = RecordScanner()
    end = whole.feed(text)
    scanner = RecordScanner()
    position = last = 0
    for block in blocks(text, sizes):
        if offset := scanner.feed(block):
            last = position + offset
        position += len(block)

    assert (last, scanner.ended, scanner.count) == (end, whole.ended, whole.count)


@given(CSV_TEXTS, st.lists(st.integers(0, 10), max_size=10))
def test_ends_are_the_same_without_counting(text: bytes, sizes: list[int]) -> None:
    ends, scanner = RecordEnds(), RecordScanner()

    for block in blocks(text, sizes):
        assert ends.feed(block) == scanner.feed(block)


@given(st.lists(st.lists(st.text("ab,\"\n'é ", max_size=6), min_size=1, max_size=4), max_size=12))
def test_counts_what_csv_writes(rows: list[list[str]]) -> None:
    text = io.StringIO()
    # An empty single field would be written as a blank line; QUOTE_ALL writes it as "".
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    scanner = RecordScanner()

    assert scanner.feed(text.getvalue().encode()) == len(text.getvalue().encode())
    assert scanner.count == len(rows)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (b"", 0),
        (b"a,b", 0),
        (b"a,b\n", 4),
        (b'a,"b\nc"', 0),
        (b'a,"b\nc"\nd', 8),
        (b'a\n"b', 2),
        (b'"a""\n', 0),
    ],
)
def test_a_newline_inside_quotes_ends_no_record(text: bytes, end: int) -> None:
    assert RecordScanner().feed(text) == end
