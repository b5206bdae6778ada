"""Cutting files into parts without checking them: ``make bench-planning``, or ``python -m benchmarks.planning``.

Against ``split -C``, which cuts CSV wrongly where a newline is inside quotes, and writes a copy.
"""

from __future__ import annotations

import argparse
import csv
import io
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.bulk.content import content_of
from airflow_provider_mics.bulk.files import LocalFile
from airflow_provider_mics.bulk.lines import RecordEnds, RecordScanner
from airflow_provider_mics.bulk.parts import plan_parts
from benchmarks import files
from benchmarks.measuring import GIGA, MEGA, Spread, column, in_turn, python, ratios, run, started
from benchmarks.results import Part, keep

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measuring import Run

OURS: Final = "this provider, whole process"
SPLIT: Final = "split -C"
_BLOCK: Final = 256 * 1024
ABOUT: Final = """\
`split -C` writes a copy of the file, into the page cache; this provider notes byte ranges. NDJSON is cut by looking at
64 KiB before each limit. CSV has to be read, as a newline inside quotes ends no record; `split -C` does not know that,
and repeats no header. Records are not counted: whoever sends a part does that."""


def compare(path: Path, folder: Path, part_bytes: int, rounds: int) -> dict[str, list[Run]]:
    """Let both cut a file."""

    def split() -> Run:
        with tempfile.TemporaryDirectory(dir=folder) as parts:
            return run(files.split_command(path, Path(parts), part_bytes))

    ours = python("benchmarks.programs", "plan", "--file", path, "--part-bytes", part_bytes)
    return in_turn({SPLIT: split, OURS: lambda: run(ours)}, rounds)


def wrong_records(folder: Path) -> int:
    """Cut a CSV file with newlines inside quotes, and count the records that are not what they were."""
    path = files.segment_file(folder, 40 * MEGA, quoted=True)
    content = path.read_bytes()
    file = LocalFile(path)
    parts = plan_parts(file, mime_type="TEXT_CSV", max_part_bytes=MEGA)
    found: list[list[str]] = []
    header, *expected = _records(content)
    for part in parts:
        first, *records = _records(b"".join(content[offset : offset + length] for offset, length in part.ranges))
        found += records if first == header and len(records) == content_of(part, file).commands else []
    return sum(a != b for a, b in zip(expected, found, strict=False)) + abs(len(expected) - len(found))


def _records(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def explain(part: Part, folder: Path) -> None:
    """Measure the steps of cutting CSV, and of counting its records."""
    content = files.segment_file(folder, 40 * MEGA, quoted=True).read_bytes()
    blocks = [content[start : start + _BLOCK] for start in range(0, len(content), _BLOCK)]
    ends, scanner = RecordEnds(), RecordScanner()
    steps: dict[str, Callable[[bytes], object]] = {
        "cutting": ends.feed,
        "of it counting quotes, by bytes.count, without which no cut is exact": lambda block: block.count(b'"'),
        "counting records, while they are sent": scanner.feed,
    }
    told = []
    for name, step in steps.items():
        taken = []
        for _ in range(3):
            begun = time.process_time()
            for block in blocks:
                step(block)
            taken.append((time.process_time() - begun) / len(content) * GIGA)
        told.append(f"{min(taken):.2f} s/GB {name}")
    part.notes.append(f"Steps for quoted CSV, of one processor, reading aside: {'; '.join(told)}.")


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mb", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    part = Part(title="Cutting a file", about=ABOUT)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        size = options.mb * MEGA
        for target, what, most in (
            ("S1", "NDJSON", 0.05),
            ("S2", "CSV with quoted newlines", 0.7),
            ("S2", "CSV without quotes", 0.25),
        ):
            path = (
                files.profile_file(folder, size)
                if what == "NDJSON"
                else files.segment_file(folder, size, quoted="quoted" in what)
            )
            runs = compare(path, folder, size // 10, options.rounds)
            part.compare(f"{what}, {path.stat().st_size / MEGA:.0f} MB", runs, SPLIT, path.stat().st_size)
            walls = {competitor: column(taken, "wall_s") for competitor, taken in runs.items()}
            inner = column(runs[OURS], "inner_s")
            part.target(target, f"cutting {what} / `split -C`, wall", ratios(inner, walls[SPLIT]), most)
            whole = ratios(walls[OURS], walls[SPLIT])
            part.target(target, f"the same with the start of the interpreter, {what}", whole, most)
            milliseconds = Spread.of(value * 1000 for value in inner)
            part.notes.append(f"{what}: without the start of the interpreter {milliseconds.text(1)} ms.")
            path.unlink()
        explain(part, folder)
        bare, ours = started(), started("airflow_provider_mics.bulk.parts", "airflow_provider_mics.bulk.files")
        part.notes.append(
            f"The start: an interpreter that does nothing takes {bare.text(3)} s, one that imports what cuts files "
            f"{ours.text(3)} s. An Airflow task has done both before it begins."
        )
        part.target("S2", "records of CSV that parts cut wrongly", float(wrong_records(folder)), 0)
    keep("planning", part)


if __name__ == "__main__":
    main()
