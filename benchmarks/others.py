"""The parts that have a program and a report of their own: ``python -m benchmarks.others PART ARGUMENTS...``.

Their reports are put into the results as they are, and what they say of targets into the table of targets.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from benchmarks.measuring import REPOSITORY, python, say
from benchmarks.results import Part, keep

if TYPE_CHECKING:
    from collections.abc import Sequence

#: ``  -> 5.9 times as fast as json; target 5: reached``, ``lag p99, ms: 3.1 (target 10, met)``
_ARROW: Final = re.compile(r"-> (?P<value>[\d.]+) (?P<what>.+); target (?P<target>[\d.]+): (?P<word>\w+)")
_IN_PARENTHESES: Final = re.compile(r"(?P<what>.+): (?P<value>[-\d.]+) \(target (?P<target>[\d.]+), (?P<word>\w+)\)")
_OF_IMPORTS: Final = re.compile(r"(?P<what>.+), (?P<value>[-\d.]+) ours \(target: (?P<target>[\d.]+), (?P<word>\w+)\)")
_PATTERNS: Final = (_ARROW, _OF_IMPORTS, _IN_PARENTHESES)


#: Of the last table of the waits: ``| shared | 100 | ...``.
_WAITS: Final = re.compile(r"^\| (shared|one by one|HttpSensor-like) \| (\d+) \|", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Program:
    """A program with a report.

    :param ids: Of the targets that it speaks of.
    """

    module: str
    title: str
    ids: str = ""


PROGRAMS: Final = {
    "imports": Program("benchmarks.imports", "Imports", "I1"),
    "preflight": Program("benchmarks.preflight", "Checking lines", "V1, V4"),
    "processors": Program("benchmarks.two_processors", "Checking and cutting with two processors", "V2"),
    "waiting": Program("benchmarks.waiting", "Many waits in one triggerer", "P2-P4"),
    "triggerer": Program("benchmarks.triggerer", "Many waits in Airflow's triggerer"),
    "tracking": Program("benchmarks.tracking", "Activities sent one by one"),
}


def targets(report: str, ids: str) -> list[dict[str, object]]:
    """Return what a report says of targets."""
    found: list[dict[str, object]] = []
    heading = ""
    for line in report.splitlines():
        match = next(filter(None, (pattern.search(line) for pattern in _PATTERNS)), None)
        if match:
            met = match["word"] in {"reached", "met"}
            what = match["what"].strip()
            what = f"{heading}: {what}" if heading else what
            found.append({"id": ids, "what": what, "target": match["target"], "measured": match["value"], "met": met})
        elif line and not line.startswith((" ", "|", "-")):
            heading = line.partition(";")[0].strip()
    return found


def figures(report: str) -> dict[str, float]:
    """Return what of a report is for the picture: how many requests waits make."""
    title, _, table = report.rpartition(" waits over ")
    group = f"{title.rpartition(chr(10))[2]} waits over {table.partition(' looked at ')[0].rstrip(',')}: requests"
    found = {"this provider" if kind == "shared" else kind: float(count) for kind, count in _WAITS.findall(table)}
    return {f"{group}, an interval|{kind}": count for kind, count in found.items()}


def main(arguments: Sequence[str]) -> None:
    """Run one and keep what it says."""
    name, *options = arguments
    program = PROGRAMS[name]
    part = Part(title=program.title)
    done = subprocess.run(  # noqa: S603 - our own modules
        python(program.module, *options), cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=False
    )
    say(done.stdout)
    part.output = done.stdout
    part.targets = targets(done.stdout, program.ids)
    part.figures = figures(done.stdout)
    keep(name, part)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
