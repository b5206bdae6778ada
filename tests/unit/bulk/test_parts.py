from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.bulk.body import PartBody
from airflow_provider_mics.bulk.parts import Part, plan_parts
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError
from tests.unit.bulk.memory_file import MemoryFile

NDJSON = "APPLICATION_X_NDJSON"
CSV = "TEXT_CSV"

LINES = st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=30)


def commands_sent(part: Part, file: MemoryFile) -> int:
    body = PartBody(file, part)
    while body.read(7):
        pass
    return body.lines


def rows(text: bytes) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text.decode(), newline="")) if row]


@given(LINES, st.booleans(), st.integers(31, 200))
def test_parts_of_ndjson_are_the_file(lines: list[bytes], ends_in_newline: bool, limit: int) -> None:
    content = b"\n".join(lines) + (b"\n" if ends_in_newline and lines else b"")
    content = content.removeprefix(b"\xef\xbb\xbf")
    file = MemoryFile(content)

    parts = plan_parts(file, mime_type=NDJSON, max_part_bytes=limit)

    sent = [file.part(part.ranges) for part in parts]
    assert [line for line in b"".join(sent).split(b"\n") if line.strip()] == [
        line for line in content.split(b"\n") if line.strip()
    ]
    assert all(0 < len(part) <= limit for part in sent)
    assert all(part.endswith(b"\n") for part in sent[:-1])
    assert all(part.strip() for part in sent)


@given(st.integers(1, 40), st.integers(20, 120))
def test_parts_of_ndjson_without_blank_lines_are_the_file_to_the_byte(count: int, limit: int) -> None:
    file = MemoryFile(b"".join(b'{"n":%d}\n' % number for number in range(count)))

    parts = plan_parts(file, mime_type=NDJSON, max_part_bytes=limit)

    assert b"".join(file.part(part.ranges) for part in parts) == file.content
    assert [(part.number, part.of) for part in parts] == [(n, len(parts)) for n in range(1, len(parts) + 1)]


@given(
    st.lists(st.lists(st.text("ab,\"\n\r'é", max_size=6), min_size=2, max_size=2).filter(any), min_size=1, max_size=20),
    st.integers(60, 200),
)
def test_parts_of_csv_hold_the_rows_of_the_whole(records: list[list[str]], limit: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["operation", "email_hash"], *records])
    file = MemoryFile(text.getvalue().encode(), "file.csv")

    parts = plan_parts(file, mime_type=CSV, max_part_bytes=limit)

    tables = [rows(file.part(part.ranges)) for part in parts]
    header, *whole = rows(file.content)
    assert [row for table in tables for row in table[1:]] == whole
    assert all(table[0] == header for table in tables)
    assert [commands_sent(part, file) for part in parts] == [len(table) - 1 for table in tables]
    assert all(part.size <= limit for part in parts)


def test_a_large_file_is_planned_from_a_few_bytes() -> None:
    line = b'{"operation":"UPSERT","user_account_id":"1"}\n'
    file = MemoryFile(line * 200_000)

    parts = plan_parts(file, mime_type=NDJSON, max_part_bytes=4_000_000)

    assert len(parts) == 3
    assert b"".join(file.part(part.ranges) for part in parts) == file.content
    assert sum(end - start for start, end in file.ranges_read) < 3 * 65536


def test_a_part_may_be_exactly_the_limit() -> None:
    file = MemoryFile(b"12345678\n" * 4)

    assert [part.size for part in plan_parts(file, mime_type=NDJSON, max_part_bytes=18)] == [18, 18]
    assert [part.size for part in plan_parts(file, mime_type=NDJSON, max_part_bytes=17)] == [9, 9, 9, 9]


def test_a_line_end_far_before_the_limit_is_found() -> None:
    file = MemoryFile(b"a\n" + b"b" * 300_000 + b"\n")

    assert [part.size for part in plan_parts(file, mime_type=NDJSON, max_part_bytes=300_001)] == [2, 300_001]


def test_a_byte_order_mark_is_not_sent() -> None:
    file = MemoryFile(b"\xef\xbb\xbf{}\n")

    (part,) = plan_parts(file, mime_type=NDJSON)

    assert file.part(part.ranges) == b"{}\n"


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_a_file_without_a_line_has_no_parts(content: bytes) -> None:
    assert plan_parts(MemoryFile(content), mime_type=NDJSON) == []


@pytest.mark.parametrize("content", [b"", b"operation,email_hash", b"operation,email_hash\n", b"operation\n\n\r\n"])
def test_a_csv_file_without_a_record_has_no_parts(content: bytes) -> None:
    assert plan_parts(MemoryFile(content), mime_type=CSV) == []


def test_a_line_over_the_limit_is_named_by_its_byte() -> None:
    file = MemoryFile(b"short\n" + b"x" * 100 + b"\nshort\n")

    with pytest.raises(MicsInputError, match=r"file\.ndjson: the line at byte 6 is longer .* \(50 bytes\)"):
        plan_parts(file, mime_type=NDJSON, max_part_bytes=50)


@pytest.mark.parametrize(
    "content", [b"h" * 60 + b"\n1\n", b"h\n" + b"x" * 60 + b"\n1\n", b'h\n"' + b"\n" * 60 + b'"\n1\n']
)
def test_a_csv_record_over_the_limit_is_refused(content: bytes) -> None:
    with pytest.raises(MicsInputError, match="longer than a part may be"):
        plan_parts(MemoryFile(content, "file.csv"), mime_type=CSV, max_part_bytes=50)


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(MicsConfigurationError, match="max_part_bytes"):
        plan_parts(MemoryFile(b"{}\n"), mime_type=NDJSON, max_part_bytes=0)


def test_parts_name_themselves() -> None:
    one, two = plan_parts(MemoryFile(b"aaaa\nbbbb\n"), mime_type=NDJSON, max_part_bytes=5)
    (only,) = plan_parts(MemoryFile(b"aaaa\n"), mime_type=NDJSON)

    assert str(one) == "file.ndjson (part 1 of 2, bytes 0-4)"
    assert str(two) == "file.ndjson (part 2 of 2, bytes 5-9)"
    assert str(only) == "file.ndjson"
