"""Memory of a process that sends many items one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.tracking import MEGABYTE, measured, server, write

if TYPE_CHECKING:
    from pathlib import Path


def test_memory_does_not_grow_with_the_number_of_items(tmp_path: Path) -> None:
    with server("sink", 0) as url:
        few, many = (
            measured("ours", url, write(tmp_path / f"{items}.ndjson", items), items, 16)["peak"]
            for items in (10_000, 50_000)
        )

    # The lines alone have 12 MB more, their calls several times as much.
    assert many - few < 6 * MEGABYTE
