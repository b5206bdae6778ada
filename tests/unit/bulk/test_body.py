from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.bulk.body import PartBody
from airflow_provider_mics.bulk.parts import Part
from airflow_provider_mics.exceptions import MicsSourceError
from tests.unit.bulk.memory_file import MemoryFile


def part(*ranges: tuple[int, int], lines: int | None = None) -> Part:
    return Part(file="file.ndjson", number=1, of=1, ranges=ranges, lines=lines)


def read_all(body: PartBody, size: int) -> bytes:
    return b"".join(iter(lambda: body.read(size), b""))


@given(st.integers(1, 40))
def test_gives_its_ranges_whatever_the_block(size: int) -> None:
    body = PartBody(MemoryFile(b"header\nskipped\nrecords\n"), part((0, 7), (15, 8)))

    assert len(body) == 15
    assert read_all(body, size) == b"header\nrecords\n"
    assert body.lines == 2


def test_reads_on_in_one_go() -> None:
    body = PartBody(MemoryFile(b"header\nrecords\n"), part((0, 7), (7, 8), lines=1))

    assert (body.read(), body.read()) == (b"header\nrecords\n", b"")
    assert body.lines == 1


def test_short_ranges_fill_whole_blocks() -> None:
    content = b"0123456789\n" * 100
    body = PartBody(MemoryFile(content), part(*((offset, 11) for offset in range(0, 1100, 22))))

    assert [len(body.read(100)) for _ in range(7)] == [100, 100, 100, 100, 100, 50, 0]


def test_gives_nothing_of_what_was_appended_meanwhile() -> None:
    file = MemoryFile(b"{}\n" * 3)
    body = PartBody(file, part((0, 6)))
    assert body.read(3) == b"{}\n"

    file.content += b"GET /smuggled HTTP/1.1\n"

    with pytest.raises(MicsSourceError, match="changed while it was being loaded"):
        body.read(100)


def test_a_file_that_shrank_ends_the_body_with_an_error() -> None:
    file = MemoryFile(b"{}\n" * 3)
    body = PartBody(file, part((0, 9)))
    body._reader.seek(9)
    body._left_in_range = 9

    with pytest.raises(MicsSourceError, match="changed"):
        read_all(body, 100)


def test_a_file_replaced_after_planning_is_not_sent_at_all() -> None:
    file = MemoryFile(b"{}\n")
    file.content = b"[]\n"

    with pytest.raises(MicsSourceError, match=r"file\.ndjson changed"):
        PartBody(file, part((0, 3)))
