"""``airflow mics plan``: shows the parts that files are cut into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.bulk.compressed import compression_of
from airflow_provider_mics.bulk.parts import plan_parts
from airflow_provider_mics.cli.progress import watched
from airflow_provider_mics.cli.running import OK, command
from airflow_provider_mics.cli.sources import find_sources

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.parts import Part
    from airflow_provider_mics.cli.screen import Screen


@command
def plan(args: argparse.Namespace, screen: Screen) -> int:
    """Cut files into parts and show them."""
    sources = find_sources(args.files, args.mime_type)
    with watched(sources.files, screen, "Planning") as files:
        planned = [_planned(file, sources.mime_type, args.max_part_bytes) for file in files]
    if screen.is_document:
        parts = [part for file in planned for part in file["parts"] or ()]
        screen.document(
            {
                "mime_type": sources.mime_type,
                "max_part_bytes": args.max_part_bytes,
                "parts": len(parts),
                "bytes": sum(part["bytes"] for part in parts),
                "files": planned,
            }
        )
    else:
        _show(planned, screen)
    return OK


def _planned(file: SourceFile, mime_type: str, max_part_bytes: int) -> dict[str, Any]:
    """Describe a file; ``parts`` is None if it is compressed: it is cut while it is sent."""
    compression = compression_of(file)
    parts = None if compression else plan_parts(file, mime_type=mime_type, max_part_bytes=max_part_bytes)
    return {
        "file": file.name,
        "bytes": file.size,
        "compression": compression,
        "parts": None if parts is None else [_described(part) for part in parts],
    }


def _described(part: Part) -> dict[str, Any]:
    return {
        "number": part.number,
        "ranges": [{"offset": offset, "length": length} for offset, length in part.ranges],
        "bytes": part.size,
        "lines": part.lines,
    }


def _show(planned: Sequence[dict[str, Any]], screen: Screen) -> None:
    rows: list[Sequence[object]] = []
    for file in planned:
        parts = file["parts"]
        if parts is None:
            rows.append((file["file"], f"{file['compression']}: cut when it is sent", None, None, None))
        elif not parts:
            rows.append((file["file"], "no lines", 0, 0, None))
        else:
            rows += [
                (file["file"], _ranges(part["ranges"]), f"{part['number']}/{len(parts)}", part["bytes"], part["lines"])
                for part in parts
            ]
    screen.table(("file", "range", "part", "size", "lines"), rows, texts=2)
    count = sum(len(file["parts"] or ()) for file in planned)
    size = sum(part["bytes"] for file in planned for part in file["parts"] or ())
    compressed = sum(file["parts"] is None for file in planned)
    more = f", and those of {compressed} compressed files" if compressed else ""
    screen.line(f"Parts: {screen.number(count)}, {screen.number(size)} bytes{more}")


def _ranges(ranges: Sequence[dict[str, int]]) -> str:
    # The parts of CSV have its header before their own lines.
    return " + ".join(f"{item['offset']}-{item['offset'] + item['length'] - 1}" for item in ranges)
