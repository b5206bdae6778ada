"""A whole load, from a file to the verdict: ``make bench-load``, or ``python -m benchmarks.load``.

Against what is done without a provider: ``split -C``, ``curl -T`` for each part over one connection, and a loop that
looks whether the executions have succeeded, by a shell.
"""

from __future__ import annotations

import argparse
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import files, sink
from benchmarks.measuring import MEGA, Spread, column, in_turn, python, ratios, run
from benchmarks.programs import EXECUTIONS, TOKEN
from benchmarks.results import Part, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.measuring import Run

CHECKED: Final = "this provider"
ASIDE: Final = 'this provider, preflight="dead_letter"'
UNCHECKED: Final = 'this provider, preflight="off"'
PRESENT: Final = "split -C, curl -T, polling loop"
PART_BYTES: Final = 100 * MEGA
ABOUT: Final = """\
From a local file to the verdict, over TLS; executions have succeeded when they are first looked at, so nobody waits for
the platform. The server counts the lines that it gets, and the verdict compares. This provider checks each line before
it sends anything, with a second process (both are counted in CPU and memory), then sends two parts at a time; where bad
lines are put aside (`dead_letter`), it checks a part while others are sent. `split` and `curl` check nothing, and judge
nothing but the statuses."""


def present_way(path: Path, url: str, authority: Path, folder: Path) -> Run:
    """Do it with a shell."""
    with tempfile.TemporaryDirectory(dir=folder) as parts:
        curl = f"{shlex.quote(files.tool('curl'))} -sS --fail --cacert {authority} -H 'Authorization: {TOKEN}'"
        script = f"""set -eu
            {shlex.join(files.split_command(path, Path(parts), PART_BYTES))}
            set -- {parts}/part-*
            count=$#
            for part; do set -- "$@" -T "$part" {url}{EXECUTIONS} -o "$part.reply"; shift; done
            {curl} -X POST -H 'Content-Type: application/x-ndjson' "$@"
            until [ "$({curl} "{url}{EXECUTIONS}?max_results=$count" | grep -o SUCCEEDED | wc -l)" -ge "$count" ]
            do sleep 1; done"""
        return run([files.tool("sh"), "-c", script])


def compete(path: Path, folder: Path, rounds: int, **link: Any) -> dict[str, list[Run]]:
    """Let all load one file over one link."""
    certificate, authority = sink.certificates(folder)
    with sink.running(certificate=certificate, count=True, **link) as url:
        ours = python("benchmarks.programs", "load", "--file", path, "--url", url, "--ca", authority)
        ours += ["--part-bytes", str(PART_BYTES), "--parallel", "2"]
        competitors: dict[str, Callable[[], Run]] = {
            PRESENT: lambda: present_way(path, url, authority, folder),
            CHECKED: lambda: run([*ours, "--preflight", "fail"]),
            ASIDE: lambda: run([*ours, "--preflight", "dead_letter"]),
            UNCHECKED: lambda: run(ours),
        }
        return in_turn(competitors, rounds)


def measure(part: Part, folder: Path, options: argparse.Namespace) -> None:
    """Measure loads of several sizes, and over slower links."""
    small, middle, large = (size * MEGA for size in (options.mb // 10, options.mb, 4 * options.mb))
    by_size: dict[int, dict[str, list[Run]]] = {}
    for size in (small, middle, large):
        path = files.profile_file(folder, size)
        by_size[size] = compete(path, folder, options.rounds if size <= middle else max(options.rounds // 2, 1))
        part.compare(f"{size / MEGA:,.0f} MB, as fast as the machine can", by_size[size], PRESENT, path.stat().st_size)
        if size != middle:
            path.unlink()
    walls = {name: column(runs, "wall_s") for name, runs in by_size[middle].items()}
    inner = column(by_size[middle][UNCHECKED], "inner_s")
    part.target("U3", "load without check / `split` + `curl`, wall", ratios(inner, walls[PRESENT]), 0.65)
    whole = ratios(walls[UNCHECKED], walls[PRESENT])
    part.target("U3", "the same with the start of the interpreter, load without check", whole, 0.65)
    growth(part, by_size[small], by_size[large])
    for name, taken in walls.items():
        part.figures[f"Whole load of {options.mb / 1000:g} GB: time, s|{name}"] = Spread.of(taken).median
    if options.mb_per_s:
        slow_links(part, files.profile_file(folder, middle), folder, options)


def growth(part: Part, small: Mapping[str, Sequence[Run]], large: Mapping[str, Sequence[Run]]) -> None:
    """Compare memory and disk of a small and a large file."""
    for name in (CHECKED, UNCHECKED):
        peaks = [Spread.of(column(runs[name], "peak_bytes")).median / MEGA for runs in (small, large)]
        of = "check and load" if name == CHECKED else "load without check"
        part.target("U5", f"memory of a {of}, 40 times the file, MB more", peaks[1] - peaks[0], 2)
    written = max(item.told["disk_bytes"] for item in [*large[CHECKED], *large[UNCHECKED]])
    part.target("U3", "written to disk by a load, MB", written / MEGA, 0)


def slow_links(part: Part, path: Path, folder: Path, options: argparse.Namespace) -> None:
    """Measure over links of limited speed: one that all connections share, and one where each has it for itself."""
    rounds = max(options.rounds // 2, 1)
    for per_connection in (False, True):
        runs = compete(path, folder, rounds, mb_per_s=options.mb_per_s, per_connection=per_connection)
        how = "for each connection" if per_connection else "for all connections together"
        size = path.stat().st_size
        part.compare(f"{size / MEGA:,.0f} MB, {options.mb_per_s:g} MB/s {how}", runs, PRESENT, size)
        walls = {name: column(taken, "wall_s") for name, taken in runs.items()}
        checked = ratios(walls[CHECKED], walls[PRESENT])
        part.target("U3", f"check and load at {options.mb_per_s:g} MB/s {how} / `split` + `curl`, wall", checked, 0.7)
        link_s = size / MEGA / options.mb_per_s / (2 if per_connection else 1)
        least = Spread.of(link_s / value for value in walls[PRESENT])
        part.notes.append(f"U3, {how}: {link_s:.1f} s of sending alone would be {least.text()} of `split` + `curl`.")
        if not per_connection:
            for what, name in (("check part by part", ASIDE), ("check all before", CHECKED)):
                alone = ratios(walls[name], walls[UNCHECKED])
                part.target("V3", f"{what} and load at {options.mb_per_s:g} MB/s / load unchecked, wall", alone, 1.08)
            planned = Spread.of(column(runs[CHECKED], "planned_s"))
            part.notes.append(
                f"V3: where any line may stop the load, the first byte waits for the check of all: {planned.text()} s."
            )


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--mb", type=int, default=1000, help="size of the file; a tenth and four times it are tried too"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mb-per-s", type=float, default=100, help="speed of the slower links; 0: leave them out")
    options = parser.parse_args()
    part = Part(title="A whole load", about=ABOUT)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        measure(part, Path(name), options)
    keep("load", part)


if __name__ == "__main__":
    main()
