from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.bulk.block import Block
from airflow_provider_mics.bulk.spool import Spool
from airflow_provider_mics.exceptions import MicsInputError


@given(st.lists(st.integers(1, 5), max_size=20), st.integers(60, 120), st.sampled_from([b"", b"a,b\n"]))
def test_parts_hold_all_lines_in_order(sizes: list[int], limit: int, header: bytes) -> None:
    blocks = [Block(b"line %d\n" % number * size, size) for number, size in enumerate(sizes)]

    with Spool("rows", limit, header=header) as spool:
        parts = [(part, Path(file.name).read_bytes()) for part, file in spool.parts(blocks)]

    assert b"".join(content.removeprefix(header) for _, content in parts) == b"".join(item.content for item in blocks)
    assert all(content.startswith(header) and len(content) <= limit for _, content in parts)
    assert [part.lines for part, _ in parts] == [content.removeprefix(header).count(b"\n") for _, content in parts]
    assert [part.number for part, _ in parts] == list(range(1, len(parts) + 1))
    assert all(part.size == len(content) for part, content in parts)


def test_the_folder_is_private_and_goes() -> None:
    with Spool("rows", 100) as spool:
        ((part, file),) = spool.parts([Block(b"{}\n", 1)])
        folder = Path(file.name).parent
        assert folder.stat().st_mode & 0o777 == 0o700
        assert str(part) == "rows (part 1)"
        spool.discard(file)
        assert list(folder.iterdir()) == []
    assert not folder.exists()


def test_a_block_over_the_limit_is_refused() -> None:
    message = "rows: a part of 10 bytes has no room for 1 line of 6 bytes"
    with Spool("rows", 10, header=b"12345\n") as spool, pytest.raises(MicsInputError, match=message):
        list(spool.parts([Block(b"12345\n", 1)]))


def test_parts_come_as_they_fill() -> None:
    taken = 0

    def blocks() -> object:
        nonlocal taken
        for _ in range(10):
            taken += 1
            yield Block(b"x" * 9 + b"\n", 1)

    with Spool("rows", 20) as spool:
        next(spool.parts(blocks()))  # type: ignore[arg-type]

    assert taken == 3
