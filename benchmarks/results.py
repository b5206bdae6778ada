"""What was measured, kept in ``results.json`` by parts, and written from there into ``results.md`` and a picture."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import picture
from benchmarks.measuring import GIGA, MEGA, REPOSITORY, Spread, column, ratios

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.measuring import Run

_FOLDER: Final = REPOSITORY / "benchmarks"
_PICTURE: Final = REPOSITORY / "docs" / "benchmarks.svg"
_LOAD: Final = "load average at the start"
#: Load average, beyond what the part before leaves behind, from which wall times tell of other programs.
_BUSY: Final = 3.5
_ABOUT: Final = """\
# Measured

Written by `make bench`; `make bench-PART` measures a part anew and leaves the others as they are. Do not edit.

Each figure is a median, with the least and the greatest in parentheses, and comes from fresh processes on one machine.
Competitors of a table run in turn, round by round, after a round that warms up; a ratio is taken within each round, and
is what to look at: seconds depend on the machine and on what else it does. CPU is user and system time with all child
processes. Memory is the most that all processes together have had (VmHWM). Files are in the page cache. Servers are on
loopback, in a process of their own, and the same for all competitors.
"""


def _machine() -> dict[str, str]:
    model = [line for line in _read("/proc/cpuinfo").splitlines() if line.startswith("model name")]
    memory = int(_read("/proc/meminfo").split()[1]) * 1024
    return {
        "measured": dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        _LOAD: f"{os.getloadavg()[0]:.1f}",
        "on": f"{len(os.sched_getaffinity(0))} cores, {model[0].partition(': ')[2] if model else platform.machine()}",
        "memory": f"{memory / GIGA:.0f} GB",
        "with": ", ".join(
            [f"Python {platform.python_version()}", *map(_version, ("curl", "split", "openssl"))],
        ),
    }


def _version(name: str) -> str:
    path = shutil.which(name)
    if not path:
        return f"no {name}"
    option = "version" if name == "openssl" else "--version"
    said = subprocess.run([path, option], capture_output=True, text=True, check=False)  # noqa: S603 - a fixed list
    words = said.stdout.partition("\n")[0].split()
    return f"{name} {next((word for word in words if word[0].isdigit()), '?')}"


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


@dataclasses.dataclass(kw_only=True)
class Part:
    """One part of the results."""

    title: str
    about: str = ""
    tables: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    targets: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    output: str = ""
    #: Figures for the picture.
    figures: dict[str, float] = dataclasses.field(default_factory=dict)
    #: The machine when the part began.
    machine: dict[str, str] = dataclasses.field(default_factory=_machine)

    def table(self, title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Add a table."""
        self.tables.append({"title": title, "head": list(head), "rows": [list(row) for row in rows]})

    def compare(self, title: str, runs: Mapping[str, Sequence[Run]], reference: str, size: int) -> None:
        """Add a table of competitors that have all moved ``size`` bytes."""
        rows = []
        for name, taken in runs.items():
            walls, inner = column(taken, "wall_s"), all("inner_s" in item.told for item in taken)
            compared = column(runs[reference], "wall_s")
            cpu = column(taken, "cpu_s")
            rows.append(
                [
                    name,
                    Spread.of(walls).text(),
                    ratios(walls, compared).text(),
                    ratios(column(taken, "inner_s"), compared).text() if inner else "",
                    Spread.of(value * GIGA / size for value in cpu).text(),
                    ratios(cpu, column(runs[reference], "cpu_s")).text(),
                    Spread.of(value / MEGA for value in column(taken, "peak_bytes")).text(0),
                ]
            )
        head = ("", "wall s", "wall, ratio", "without start, ratio", "CPU s/GB", "CPU, ratio", "peak MB")
        self.table(f"{title} (ratios to {reference})", head, rows)

    def target(self, name: str, what: str, measured: Spread | float, most: float) -> None:
        """Say whether a target is met."""
        spread = measured if isinstance(measured, Spread) else Spread(measured, measured, measured)
        digits = 3 if most < 0.1 else 2  # noqa: PLR2004
        shown = spread.text(digits) if isinstance(measured, Spread) else f"{measured:.{digits}f}"
        self.targets.append(
            {"id": name, "what": what, "target": f"at most {most:g}", "measured": shown, "met": spread.median <= most}
        )


def keep(name: str, part: Part) -> None:
    """Keep a part in place of what there was of it, and write all parts anew."""
    path = _FOLDER / "results.json"
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    kept[name] = dataclasses.asdict(part)
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    render(kept)


def render(kept: Mapping[str, Any]) -> None:
    """Write the text and the picture."""
    (_FOLDER / "results.md").write_text("\n".join(_lines(kept)) + "\n")
    figures = {name: value for part in kept.values() for name, value in part["figures"].items()}
    _PICTURE.write_text(picture.draw(figures))


def _lines(kept: Mapping[str, Any]) -> list[str]:
    lines = [_ABOUT]
    rows = [
        [item["id"], item["what"], item["target"], item["measured"], "yes" if item["met"] else "**no**"]
        for part in kept.values()
        for item in part["targets"]
    ]
    lines += ["## Targets\n", *_table(("id", "what", "target", "measured", "met"), rows), ""]
    for name, part in kept.items():
        lines += [f"## {part['title']}\n"]
        lines += [part["about"] + "\n"] if part["about"] else []
        for table in part["tables"]:
            lines += [f"**{table['title']}**\n", *_table(table["head"], table["rows"]), ""]
        lines += [f"- {note}" for note in part["notes"]] + [""] * bool(part["notes"])
        lines += ["```text", part["output"].rstrip(), "```\n"] if part["output"] else []
        if float(part["machine"][_LOAD]) > _BUSY:
            lines += ["**The machine was busy with other work: only CPU, memory and counts of this part mean much.**\n"]
        machine = "; ".join(f"{key} {value}" for key, value in part["machine"].items())
        lines += [f"`make bench-{name}`; {machine}.\n"]
    return lines


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
