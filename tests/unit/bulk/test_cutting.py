from __future__ import annotations

import hashlib
import io
from csv import reader as csv_reader
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_mics.bulk.cutting import Examined, Range, cut_examined
from airflow_provider_mics.bulk.lines import RecordScanner
from tests.unit.bulk.memory_file import MemoryFile

if TYPE_CHECKING:
    from airflow_provider_mics.bulk.parts import Part


def cut(*args: Any, **kwargs: Any) -> list[Part]:
    return list(cut_examined(*args, **kwargs))


class Picky:
    """Excludes blank lines and those that say so, and notes what it was told."""

    def __init__(self) -> None:
        self.committed: list[tuple[int, bytes]] = []
        self.bad_lines: list[int] = []
        self.long: list[Range] = []

    def examine(self, block: bytes, line: int, offset: int, *, final: bool) -> Examined:
        if not final:
            block = block[: RecordScanner().feed(block) if b'"' in block else block.rfind(b"\n") + 1]
        excluded: list[Range] = []
        lines = 0
        pieces = block.splitlines(keepends=True) if b'"' not in block else records(block)
        for piece in pieces:
            if not piece.strip() or b"bad" in piece:
                excluded.append((offset, len(piece)))
            else:
                lines += 1
            offset += len(piece)
        return Examined(len(block), lines, line + len(pieces), excluded)

    def too_long(self, line: int, offset: int, length: int) -> None:
        self.bad_lines.append(line)
        self.long.append((offset, length))

    def commit(self, block: bytes, offset: int, examined: Examined) -> None:
        assert examined.consumed == len(block)
        self.committed.append((offset, block))


def records(block: bytes) -> list[bytes]:
    found: list[bytes] = []
    rest = b""
    for piece in block.splitlines(keepends=True):
        rest += piece
        if rest.count(b'"') % 2 == 0:
            found.append(rest)
            rest = b""
    return [*found, rest] if rest else found


LINES = st.lists(st.sampled_from([b"a", b"bb", b"ccc", b"bad", b"", b" ", b"x" * 30, b"y" * 80]), max_size=60)


@settings(max_examples=300)
@given(LINES, st.booleans(), st.integers(31, 120), st.sets(st.integers(1, 10)))
def test_what_is_sent_and_what_is_excluded_is_the_file(
    lines: list[bytes], ends_in_newline: bool, limit: int, used: set[int]
) -> None:
    content = b"\n".join(lines) + (b"\n" if ends_in_newline and lines else b"")
    file = MemoryFile(content)
    examiner = Picky()

    parts = cut(file, examiner, start=0, first_line=1, header=None, max_part_bytes=limit, used_counts=set(used))

    sent = [file.part(part.ranges) for part in parts]
    good = [line for line in lines if line.strip() and line != b"bad" and len(line) < limit]
    # A line of just the limit's length has room only where no newline follows.
    exact = [line for line in lines if len(line) == limit]
    got = [line for line in b"".join(sent).split(b"\n") if line]
    assert got == good or exact
    assert all(0 < len(part) <= limit for part in sent)
    assert [part.sha256 for part in parts] == [hashlib.sha256(part).hexdigest() for part in sent]
    assert [part.lines for part in parts] == [len([line for line in part.split(b"\n") if line]) for part in sent]
    # Each byte is committed once, or was part of a line that is too long.
    seen = sorted([(offset, len(block)) for offset, block in examiner.committed] + examiner.long)
    position = 0
    for offset, length in seen:
        assert offset == position
        position += length
    assert position == len(content)


@given(st.integers(1, 400), st.integers(20, 200))
def test_parts_of_equal_lines_have_distinct_counts(count: int, limit: int) -> None:
    file = MemoryFile(b"0123456789\n" * count)

    parts = cut(file, Picky(), start=0, first_line=1, header=None, max_part_bytes=limit, used_counts=set())

    counts = [part.lines for part in parts]
    assert sum(item or 0 for item in counts) == count
    most = limit // 11
    # So many parts of at most so many lines cannot all differ; as many as can, do.
    if len(counts) <= most // 2:
        assert len(set(counts)) == len(counts)


def test_large_parts_of_equal_lines_have_distinct_counts_and_no_scrap() -> None:
    file = MemoryFile(b"0123456789\n" * 500_000)

    parts = cut(file, Picky(), start=0, first_line=1, header=None, max_part_bytes=1_000_000, used_counts=set())

    counts = [part.lines or 0 for part in parts]
    assert len(set(counts)) == len(counts) == 6
    assert min(counts) > 0.9 * max(counts)
    assert b"".join(file.part(part.ranges) for part in parts) == file.content


@given(st.integers(2, 60), st.integers(60, 200))
def test_parts_of_csv_hold_the_records_of_the_whole(count: int, limit: int) -> None:
    header = b"operation,data_bag\n"
    file = MemoryFile(header + b"".join(b'UPDATE,"a ""%d""\nb"\n' % number for number in range(count)), "a.csv")

    parts = cut(
        file,
        Picky(),
        start=len(header),
        first_line=2,
        header=(0, len(header)),
        max_part_bytes=limit,
        used_counts=set(),
    )

    rows = []
    for part in parts:
        text = file.part(part.ranges).decode()
        assert len(text) <= limit
        head, *body = csv_reader(io.StringIO(text, newline=""))
        assert head == ["operation", "data_bag"]
        assert part.lines == len(body)
        rows += body
    assert rows == [["UPDATE", f'a "{number}"\nb'] for number in range(count)]


def test_a_line_over_the_limit_is_excluded_and_named() -> None:
    file = MemoryFile(b"a\n" + b"x" * 600_000 + b"\nb\n")
    examiner = Picky()

    (part,) = cut(file, examiner, start=0, first_line=1, header=None, max_part_bytes=300_000, used_counts=set())

    assert file.part(part.ranges) == b"a\nb\n"
    assert (examiner.bad_lines, examiner.long) == ([2], [(2, 600_001)])


def test_a_line_longer_than_a_block_is_sent() -> None:
    file = MemoryFile(b"a\n" + b"x" * 600_000 + b"\nb\n")

    parts = cut(file, Picky(), start=0, first_line=1, header=None, max_part_bytes=700_000, used_counts=set())

    assert b"".join(file.part(part.ranges) for part in parts) == file.content
