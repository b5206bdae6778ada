#!/usr/bin/env python
"""How long a large local file takes to be checked and planned with two processors, against ``split -C``.

Run as ``python -m benchmarks.two_processors [--mb 1000] [--rounds 5]``. What is timed of ours is what a load does
before it sends anything: every line is checked, the file is cut into parts of distinct line counts, and each part is
hashed.
``split -C`` only looks for line ends, and writes a copy; it is timed with the copy in the page cache, which is what the
target is measured against, and until the copy is on the disk. The file itself is in the page cache for all of them. In
each round every competitor runs once, in turn; ratios are taken round by round.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import io
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from airflow_provider_mics.bulk import scout
from airflow_provider_mics.bulk.checks.document_rules import rules_for
from airflow_provider_mics.bulk.files import LocalFile
from airflow_provider_mics.bulk.preflight import check_load
from benchmarks.preflight import MEGA, NDJSON, PIECE, Table, best_of, profiles, read_file, say, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PART_BYTES: Final = 95_000_000
TARGET: Final = 1.8
OURS: Final = "check + plan + hash, two processes"
ALONE: Final = "check + plan + hash, one process"
SPLIT: Final = "split -C, its copy in the page cache"
SYNCED: Final = "split -C, its copy on the disk"


def check_and_plan(path: Path, processors: int) -> None:
    """Do what a load does before it sends anything."""
    known = scout._processors  # noqa: SLF001 - the only way to do it with one
    scout._processors = lambda: processors  # noqa: SLF001
    try:
        check_load([LocalFile(path)], document_type="USER_PROFILE", mime_type=NDJSON, max_part_bytes=PART_BYTES)
    finally:
        scout._processors = known  # noqa: SLF001


def split(path: Path, *, until_on_disk: bool) -> None:
    """Split a file with GNU split."""
    command = shutil.which("split")
    if command is None:
        raise SystemExit("GNU split is not installed.")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        subprocess.run([command, "-C", str(PART_BYTES), path, f"{folder}/part-"], check=True)  # noqa: S603 - our own path
        for part in Path(folder).iterdir() if until_on_disk else ():
            with part.open("rb") as file:
                os.fsync(file.fileno())


def explain(path: Path, rounds: int, split_s: float) -> None:
    """Measure the steps, on one processor, and what they leave at best on two."""

    def pieces() -> Iterator[bytes]:
        with path.open("rb", buffering=0) as file:
            rest = b""
            while block := file.read(PIECE):
                piece = rest + block
                end = piece.rfind(b"\n") + 1
                rest = piece[end:]
                yield piece[:end]

    def decoded(decode: Callable[[bytes], object]) -> Iterator[None]:
        for piece in pieces():
            collections.deque(map(decode, io.BytesIO(piece).readlines()), maxlen=0)
            yield

    def hashed() -> Iterator[None]:
        digest = hashlib.sha256()
        for piece in pieces():
            digest.update(piece)
            yield

    common = rules_for("USER_PROFILE").common
    runs: dict[str, Callable[[], Iterator[object]]] = {
        "reading, in pieces": pieces,
        "UTF-8": lambda: (piece.isascii() or piece.decode() for piece in pieces()),
        "JSON grammar, line by line": lambda: decoded(msgspec.json.Decoder(msgspec.Raw).decode),
        "rules: typed fields, in place of the grammar alone": lambda: decoded(msgspec.json.Decoder(common).decode),
        "SHA-256": hashed,
    }
    until = {name: best_of(lambda run=run: collections.deque(run(), maxlen=0), rounds) for name, run in runs.items()}  # type: ignore[misc]
    reading, utf_8, grammar, rules, sha_256 = until.values()
    steps = dict(
        zip(
            until,
            (reading, utf_8 - reading, grammar - reading, rules - grammar, sha_256 - reading),
            strict=True,
        )
    )
    size = path.stat().st_size
    say("  what dominates, in seconds of one processor per GB:")
    for name, seconds in sorted(steps.items(), key=lambda item: -item[1]):
        say(f"    {seconds * 1e9 / size:5.2f}  {name}")
    least = sum(steps.values()) - steps["rules: typed fields, in place of the grammar alone"]
    say(
        f"  Without a single rule, the rest (bytes, UTF-8, JSON, hash; no step of it is Python code) takes "
        f"{least * 1e9 / size:.2f} s/GB:\n  shared by two processors without any loss, that is "
        f"{least / 2 / split_s:.1f} times as long as split -C"
    )


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--mb", type=int, default=1000, help="size of the file in MB (1000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds after the first, which is not counted (5)")
    arguments = parser.parse_args()
    logging.disable()
    if scout._processors() < 2:  # noqa: PLR2004, SLF001
        sys.exit("There is only one processor.")
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "profiles.ndjson", profiles(arguments.mb * MEGA))
        table = Table(
            path,
            {
                OURS: lambda: check_and_plan(path, 2),
                ALONE: lambda: check_and_plan(path, 1),
                SPLIT: lambda: split(path, until_on_disk=False),
                SYNCED: lambda: split(path, until_on_disk=True),
                "reading the file (checks nothing)": lambda: read_file(path),
            },
            arguments.rounds,
        )
        say(f"\nNDJSON profiles, {table.size / MEGA:.0f} MB")
        table.show(OURS)
        for name in (SPLIT, SYNCED):
            ratio = 1 / statistics.median(table.ratios(name, OURS))
            verdict = f"; target {TARGET}: {'reached' if ratio <= TARGET else 'MISSED'}" if name == SPLIT else ""
            say(f"  -> {ratio:.2f} times as long as {name}{verdict}")
        explain(path, arguments.rounds, statistics.median(table.times[SPLIT]))


if __name__ == "__main__":
    main()
