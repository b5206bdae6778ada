"""``airflow mics plan``: shows the parts that files are cut into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.bulk.compressed import compression_of
from airflow_provider_mics.bulk.counted import by_count, counted
from airflow_provider_mics.bulk.findings import Findings
from airflow_provider_mics.bulk.parts import plan_parts
from airflow_provider_mics.bulk.planning import check_document_import
from airflow_provider_mics.bulk.preflight import Cut, cut_checked
from airflow_provider_mics.cli.progress import watched
from airflow_provider_mics.cli.running import BAD, OK, command
from airflow_provider_mics.cli.sources import document_type_from, find_sources

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.parts import Part
    from airflow_provider_mics.cli.screen import Screen

#: Ranges of a part that are shown.
_MAX_RANGES: Final = 4


@command
def plan(args: argparse.Namespace, screen: Screen) -> int:
    """Cut files into parts and show them."""
    sources = find_sources(args.files, args.mime_type)
    document_type = document_type_from(args.document_type)[0] if args.document_type else None
    if document_type:
        check_document_import(document_type, sources.mime_type)
    findings = Findings()
    cut = _cutter(document_type, sources.mime_type, args.max_part_bytes, findings)
    with watched(sources.files, screen, "Planning") as files:
        planned = [_planned(file, cut) for file in files]
    if screen.is_document:
        parts = [part for file in planned for part in file["parts"] or ()]
        screen.document(
            {
                "mime_type": sources.mime_type,
                "document_type": document_type,
                "bad_lines": findings.bad if document_type else None,
                "max_part_bytes": args.max_part_bytes,
                "parts": len(parts),
                "bytes": sum(part["bytes"] for part in parts),
                "files": planned,
            }
        )
    else:
        _show(planned, screen)
        screen.line(_about(document_type, findings))
    return BAD if findings.bad else OK


def _cutter(
    document_type: str | None, mime_type: str, max_part_bytes: int, findings: Findings
) -> Callable[[SourceFile], Sequence[Part]]:
    """Return what cuts a file: as a load that checks its lines, or unread."""
    if document_type is None:
        return lambda file: plan_parts(file, mime_type=mime_type, max_part_bytes=max_part_bytes)
    how = Cut(document_type=document_type, mime_type=mime_type, max_part_bytes=max_part_bytes)
    return lambda file: cut_checked(file, findings, how)


def _about(document_type: str | None, findings: Findings) -> str:
    if document_type is None:
        return "Cut unread; with --document-type, as a load cuts that checks every line."
    if findings.bad:
        return (
            f"{findings.bad} of {counted(findings.lines, 'line')} {by_count(findings.bad, 'is', 'are')} bad: a load "
            "stops, or puts what is bad aside and sends these parts. airflow mics validate names the lines."
        )
    good = by_count(findings.lines, "The only line is", f"All {findings.lines} lines are")
    return f"{good} good as {document_type}."


def _planned(file: SourceFile, cut: Callable[[SourceFile], Sequence[Part]]) -> dict[str, Any]:
    """Describe a file; ``parts`` is None if it is compressed: it is cut while it is sent."""
    compression = compression_of(file)
    parts = None if compression else cut(file)
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
    more = f", and those of {counted(compressed, 'compressed file')}" if compressed else ""
    screen.line(f"Parts: {screen.number(count)}, {screen.counted(size, 'byte')}{more}")


def _ranges(ranges: Sequence[dict[str, int]]) -> str:
    # The parts of CSV have its header before their own lines, and bad lines leave holes.
    shown = [f"{item['offset']}-{item['offset'] + item['length'] - 1}" for item in ranges]
    return " + ".join([*shown[:2], f"{len(shown) - 3} more", shown[-1]] if len(shown) > _MAX_RANGES else shown)
