"""What tells the content of a part from any other."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.bulk.content import Content, StoredContent, content_of, identity_of
from airflow_provider_mics.bulk.parts import plan_parts
from tests.unit.bulk.memory_file import MemoryFile
from tests.unit.bulk.script import part_of


def read(content: bytes, block: int = 1 << 20) -> Content:
    found = Content()
    for start in range(0, len(content), block):
        found.feed(content[start : start + block])
    return found


@given(st.text(alphabet='ab" \t\r\n'), st.integers(1, 5))
def test_blocks_make_no_difference(text: str, block: int) -> None:
    content = text.encode()
    whole, pieces = read(content), read(content, block)

    assert (whole.digest, whole.line_counts) == (pieces.digest, pieces.line_counts)
    assert len([line for line in content.split(b"\n") if line.strip()]) in whole.line_counts


@given(st.lists(st.sampled_from([b'{"a":1}', b'{"b":2}', b"", b"  "]), min_size=1))
def test_other_line_ends_are_the_same_content(lines: list[bytes]) -> None:
    assert read(b"\n".join(lines)).digest == read(b"\r\n".join(lines) + b"\r\n").digest


@given(st.binary(), st.binary())
def test_other_bytes_are_another_content(one: bytes, other: bytes) -> None:
    same = one.translate(None, b" \t\r\n") == other.translate(None, b" \t\r\n")
    assert (read(one).digest == read(other).digest) == same


def test_the_counts_that_a_platform_may_come_to() -> None:
    # A header, a record with a line end in quotes, a blank line, a record without a line end.
    assert read(b'id,note\n1,"a\nb"\n\n2,c').line_counts >= {4, 3, 5}
    assert read(b"one\ntwo\n").line_counts == {2, 1}


def test_a_platform_may_count_records_with_the_header_or_without() -> None:
    file = MemoryFile(b'id,note\n1,"a\nb\nc\nd"\n2,e\n', "a.csv")
    (part,) = plan_parts(file, mime_type=MimeType.CSV)

    content = content_of(part, file)

    assert content.commands == 2
    assert content.line_counts >= {2, 3, 6, 5}


LINES = b"".join(b'{"n": %d}\n' % number for number in range(20_000))


@pytest.mark.parametrize(
    ("stored", "is_settled"),
    [
        (LINES, False),
        (LINES.replace(b"\n", b"\r\n"), False),
        (LINES.replace(b'"n": 77}', b'"n": 78}'), True),
        # A difference further behind is found by the hash.
        (LINES.replace(b'"n": 19999}', b'"n": 19998}'), False),
        # It may be no file, or not all of it.
        (LINES[: len(LINES) // 8], False),
        (b'{"status":"error"}', False),
        (b"<!doctype html>" + b"<p>Please log in</p>" * 20_000, False),
        (b"", False),
    ],
)
def test_a_stored_file_is_read_until_it_is_another_one(stored: bytes, is_settled: bool) -> None:
    content = StoredContent(read(LINES))

    for start in range(0, len(stored), 10_000):
        content.feed(stored[start : start + 10_000])

    assert content.is_settled == is_settled


def test_a_longer_file_is_another_than_a_short_one() -> None:
    content = StoredContent(read(LINES[:100]))

    content.feed(LINES)

    assert content.is_settled


def test_the_content_of_a_part_is_what_is_sent() -> None:
    part, file = part_of(b"one\ntwo\nsix\n")
    part = dataclasses.replace(part, ranges=((0, 4), (8, 4)))

    assert content_of(part, file).digest == read(b"one\nsix\n").digest


def test_identities_tell_parts_apart() -> None:
    part, file = part_of(b"one\n")
    other, other_file = part_of(b"two\n")

    assert identity_of(part, file) == identity_of(
        dataclasses.replace(part, number=9), MemoryFile(b"one\n", "elsewhere")
    )
    assert identity_of(part, file) != identity_of(other, other_file)


def test_without_a_hash_place_and_version_tell_them() -> None:
    part, file = part_of(b"one\ntwo\n")
    part = dataclasses.replace(part, sha256=None)
    elsewhere = dataclasses.replace(part, ranges=((0, 4),))

    assert identity_of(part, file) == identity_of(dataclasses.replace(part), MemoryFile(b"one\ntwo\n"))
    assert identity_of(part, file) != identity_of(elsewhere, file)
    assert identity_of(part, file) != identity_of(part, MemoryFile(b"one\nten\n"))
