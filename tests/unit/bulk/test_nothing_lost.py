"""What is sent and what is put aside are together what was given, whatever it is."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from airflow_provider_mics.bulk.body import PartBody
from airflow_provider_mics.bulk.dead_letters import DeadLetters
from airflow_provider_mics.bulk.preflight import check_load
from airflow_provider_mics.exceptions import MicsInputError
from tests.unit.bulk.memory_file import MemoryFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.parts import Part

BOM = b"\xef\xbb\xbf"
GOOD = b'{"operation":"UPSERT","user_account_id":"crm-1","user_profile":{"city":"Besan\xc3\xa7on"}}'
GOOD_LINES = (GOOD, GOOD.replace(b"Besan", b"B" * 80), b'  {"operation":"DELETE","email_hash":"3f2a"}\t')
BAD_LINES = (
    b"{",
    b"[",
    GOOD + GOOD,
    GOOD.replace(b"UPSERT", b"MERGE"),
    GOOD.replace(b"\xc3", b"\xff"),
    b'{"operation":"UPSERT","user_profile":NaN}',
    BOM + GOOD,
    # Longer than any part.
    GOOD.replace(b"Besan", b"B" * 3000),
)
BLANK_LINES = (b"", b" ", b"\t")
HEADER = b"operation,user_account_id,segment_id,expiration_duration"
GOOD_RECORDS = (b"UPDATE,crm-1,12,43200", b'UPDATE,"crm\n""2""",12,43200', b"DELETE,crm-1,12,")
BAD_RECORDS = (
    b"MERGE,crm-1,12,43200",
    b"UPDATE,crm-1,12",
    b"UPDATE,crm-\xff,12,43200",
    b'DELETE,"a\nb",,',
    b"U" * 3000,
)
#: A quote that is never closed makes the lines behind it look otherwise.
QUOTES = (b'UPDATE,"crm-1,12,43200', b'UPDATE,crm"1,12,43200', b'"')
ENDS = st.sampled_from([b"\n", b"\r\n"])
LIMITS = st.integers(300, 2000)


class Kept(io.BytesIO):
    """A file in memory that keeps its content when it is closed."""

    content = b""

    def close(self) -> None:
        self.content = self.getvalue()
        super().close()


def load(
    content: bytes, document_type: str, mime_type: str, limit: int, name: str
) -> tuple[list[tuple[Part, bytes]], list[dict[str, Any]]]:
    """Return the parts with what is sent of them, and what was put aside."""
    kept = Kept()

    def open_file() -> BinaryIO:
        return kept

    with DeadLetters("aside", open_file) as dead_letters:
        files: list[SourceFile] = [MemoryFile(content, name)]
        plan = check_load(
            files,
            document_type=document_type,
            mime_type=mime_type,
            max_part_bytes=limit,
            dead_letters=dead_letters,
        )
    sent = []
    with plan.delivery() as (parts, discard):
        for part, file in parts:
            body = PartBody(file, part)
            sent.append((part, whole(body)))
            body.close()
            discard(file)
    return sent, [json.loads(line) for line in kept.content.splitlines()]


def whole(body: PartBody) -> bytes:
    return b"".join(iter(lambda: body.read(100), b""))


def aside_of(item: dict[str, Any], content: bytes) -> bytes:
    """Return a line that was put aside; one that is too long for the memory stays where it is."""
    if "content" in item:
        text: str = item["content"]
        return text.encode()
    if "content_base64" in item:
        return base64.b64decode(item["content_base64"])
    length = re.match(r"the line has (\d+) bytes", item["problems"][0]["reason"])
    assert length, item
    return content[item["offset"] :][: int(length[1])]


def check_nothing_lost(content: bytes, start: int, sent: Sequence[Part], aside: Sequence[dict[str, Any]]) -> None:
    """Put all ranges behind the header together again: they are the content, but for blank lines."""
    ranges = {(max(offset, start), offset + length) for part in sent for offset, length in part.ranges}
    pieces = [(offset, content[offset:end]) for offset, end in ranges if offset < end]
    pieces += [(item["offset"], aside_of(item, content)) for item in aside]
    position = start
    for offset, piece in sorted(pieces):
        assert offset >= position, "a line is twice there"
        assert not content[position:offset].strip(), "a line is lost"
        assert content[offset : offset + len(piece)] == piece
        position = offset + len(piece)
    assert not content[position:].strip(), "the end is lost"


@settings(max_examples=500)
@given(
    st.lists(st.tuples(st.sampled_from(GOOD_LINES + BAD_LINES + BLANK_LINES), ENDS), max_size=40),
    st.sampled_from([b"", BOM]),
    st.booleans(),
    LIMITS,
)
def test_of_ndjson(lines: list[tuple[bytes, bytes]], mark: bytes, ends: bool, limit: int) -> None:
    # At the beginning of the file, a mark is none of a line.
    assume(mark or not lines or not lines[0][0].startswith(BOM))
    content = mark + b"".join(line + end for line, end in lines)
    if not ends:
        content = content.rstrip(b"\r\n")
    good = sum(line in GOOD_LINES for line, _ in lines)
    bad = sum(line in BAD_LINES for line, _ in lines)
    if bad and not good:
        with pytest.raises(MicsInputError, match=rf"^{bad} of {bad} lines? (is|are) not "):
            load(content, "USER_PROFILE", "APPLICATION_X_NDJSON", limit, "a.ndjson")
        return

    sent, aside = load(content, "USER_PROFILE", "APPLICATION_X_NDJSON", limit, "a.ndjson")

    assert (sum(part.lines or 0 for part, _ in sent), len(aside)) == (good, bad)
    check_nothing_lost(content, len(mark), [part for part, _ in sent], aside)
    bodies = [body for _, body in sent]
    assert all(0 < len(body) <= limit for body in bodies)
    assert [line for body in bodies for line in body.splitlines()] == [line for line, _ in lines if line in GOOD_LINES]


@settings(max_examples=500)
@given(
    st.lists(st.tuples(st.sampled_from(GOOD_RECORDS + BAD_RECORDS + BLANK_LINES + QUOTES), ENDS), max_size=40),
    st.sampled_from([b"", BOM]),
    st.booleans(),
    LIMITS,
)
def test_of_csv(records: list[tuple[bytes, bytes]], mark: bytes, ends: bool, limit: int) -> None:
    content = mark + HEADER + b"\n" + b"".join(record + end for record, end in records)
    if not ends:
        content = content.rstrip(b"\r\n")
    start = len(mark) + len(HEADER) + 1
    try:
        sent, aside = load(content, "USER_SEGMENT", "TEXT_CSV", limit, "a.csv")
    except MicsInputError:
        assert not any(record in GOOD_RECORDS for record, _ in records) or any(item in QUOTES for item, _ in records)
        return

    check_nothing_lost(content, start, [part for part, _ in sent], aside)
    assert all(body.startswith(HEADER + b"\n") and len(body) <= limit for _, body in sent)
    if not any(record in QUOTES for record, _ in records):
        assert sum(part.lines or 0 for part, _ in sent) == sum(record in GOOD_RECORDS for record, _ in records)
        assert len(aside) == sum(record in BAD_RECORDS for record, _ in records)


@given(
    st.lists(st.tuples(st.sampled_from(GOOD_LINES + BAD_LINES + BLANK_LINES), ENDS), max_size=40),
    st.sampled_from([b"", BOM]),
    LIMITS,
)
def test_of_compressed_files(lines: list[tuple[bytes, bytes]], mark: bytes, limit: int) -> None:
    content = mark + GOOD + b"\n" + b"".join(line + end for line, end in lines)

    sent, aside = load(gzip.compress(content), "USER_PROFILE", "APPLICATION_X_NDJSON", limit, "a.ndjson.gz")

    assert [line for _, body in sent for line in body.splitlines() if line.strip()] == [
        GOOD,
        *(line for line, _ in lines if line in GOOD_LINES),
    ]
    assert [aside_of(item, content).rstrip(b"\r\n") for item in aside] == [
        line for line, _ in lines if line in BAD_LINES
    ]
