"""What this provider costs whoever parses Dag files: ``make bench-imports``, or ``python -m benchmarks.imports``.

Each figure is the median of several fresh interpreters, in milliseconds beyond ``from airflow.sdk import DAG,
BaseOperator``, byte code warm, all subjects taking turns. ``airflow.providers.http`` is measured in the same run, as a
yardstick; it needs to be importable, here or in the folder that ``--yardstick`` names.

Exit code 1: parsing an example Dag, or importing all that Dags import, brought in what has no place there.
"""

from __future__ import annotations

import argparse
import json
import os
import pkgutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

REPOSITORY: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = "airflow_provider_mics"
EXAMPLES: Final = tuple(sorted((REPOSITORY / "dags_examples").glob("*.py")))
#: Packages of the provider that a Dag author imports from.
FACES: Final = ("hooks", "operators", "sensors", "transfers", "decorators", "task_groups", "links", "triggers")
#: What parsing a Dag file must not import.
FORBIDDEN: Final = ("requests", "urllib3", "aiohttp", "pyarrow", f"{PACKAGE}.sandbox")
#: What our hooks, operators, links, sensors and decorators derive from, and how they come to it.
BASES: Final = (
    "airflow.providers.common.compat.sdk",
    "airflow.providers.common.compat.version_compat",
    "airflow.sdk.bases.hook",
    "airflow.sdk.bases.operatorlink",
    "airflow.sdk.bases.sensor",
    "airflow.sdk.bases.decorator",
)
ON_PARSING: Final = "all public modules without triggers"
FLOOR: Final = "Airflow's own of these"
YARDSTICK: Final = ("airflow.providers.http.hooks.http", "airflow.providers.http.operators.http")
TARGET_MS: Final = 10


@dataclass
class Subject:
    """One line of the table."""

    name: str
    kind: str
    targets: Sequence[str]
    path: Path | None = None
    ms: list[float] = field(default_factory=list)
    modules: frozenset[str] = frozenset()

    def measure(self, environ: Mapping[str, str]) -> None:
        """Take one more measurement."""
        if self.path is not None:
            environ = {**environ, "PYTHONPATH": str(self.path)}
        answer = probe(self.kind, *self.targets, environ=environ)
        self.ms.append(answer[0])
        self.modules = answer[1]

    @property
    def median(self) -> float:
        """The figure."""
        return statistics.median(self.ms)


def probe(kind: str, *targets: str, environ: Mapping[str, str]) -> tuple[float, frozenset[str]]:
    """Return milliseconds and new modules of one fresh interpreter; see :mod:`benchmarks.import_probe`."""
    command = [sys.executable, "-m", "benchmarks.import_probe", kind, *targets]
    done = subprocess.run(command, cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with code {done.returncode}:\n{done.stderr[-3000:]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return float(answer["ms"]), frozenset(answer["modules"])


def environment(home: Path) -> dict[str, str]:
    """Return the environment for :func:`probe`: nobody's Airflow settings, and ``home`` for what Airflow writes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
    return kept | {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}


def public_modules() -> list[str]:
    """Return the modules that a Dag author imports from."""
    return sorted(
        f"{PACKAGE}.{face}.{module.name}"
        for face in FACES
        for module in pkgutil.iter_modules([str(REPOSITORY / PACKAGE / face)])
        if not module.name.startswith("_")
    )


def forbidden(modules: Iterable[str]) -> list[str]:
    """Return which of the modules have no place in a process that parses Dag files, by their packages."""
    found = {name for name in FORBIDDEN for module in modules if module == name or module.startswith(f"{name}.")}
    return sorted(found)


def subjects(yardstick: Path | None) -> list[Subject]:
    """Return what is measured, in the order of the table."""
    modules = public_modules()
    found = []
    for file in EXAMPLES:
        found += [
            Subject(file.name, "parse", [str(file)]),
            Subject(f"{file.name}, empty operators", "skeleton", [str(file)]),
        ]
    found += [Subject(name, "import", [name]) for name in modules]
    # The trigger is imported where it is used: by the triggerer, and by a task that defers.
    on_parsing = [name for name in modules if ".triggers." not in name]
    found += [Subject(ON_PARSING, "import", on_parsing), Subject(FLOOR, "import", BASES)]
    found += [Subject(name, "import", [name], yardstick) for name in YARDSTICK]
    return found


def measure(found: list[Subject], *, rounds: int, home: Path) -> list[Subject]:
    """Measure everything ``rounds`` times in turn, after one turn that warms up; returns what could be measured."""
    environ = environment(home)
    done = []
    for subject in found:
        try:
            subject.measure(environ)
        except RuntimeError as error:
            if subject.targets[0] not in YARDSTICK:
                raise
            _say(f"{subject.name} is not there: {str(error).splitlines()[-1]}")
            continue
        subject.ms.clear()
        done.append(subject)
    for number in range(rounds):
        _say(f"round {number + 1} of {rounds}")
        for subject in done:
            subject.measure(environ)
    return done


def report(done: Sequence[Subject]) -> bool:
    """Print the table and the targets; returns whether nothing that Dags import brings in what it must not."""
    by_name = {subject.name: subject for subject in done}
    measured = [by_name[name].median for name in YARDSTICK if name in by_name]
    yardstick = max(measured, default=None)
    width = max(len(subject.name) for subject in done)
    _print(f"{'ms beyond airflow.sdk':<{width}}  median    min    max  modules  x http")
    for subject in done:
        ratio = "" if yardstick is None else f"{subject.median / yardstick:7.2f}"
        _print(
            f"{subject.name:<{width}} {subject.median:7.1f}{min(subject.ms):7.1f}{max(subject.ms):7.1f}"
            f"{len(subject.modules):9}{ratio}"
        )
    good = True
    _print("\nBeyond airflow.sdk; the target is for what is ours")
    for name, floor in [*((file.name, f"{file.name}, empty operators") for file in EXAMPLES), (ON_PARSING, FLOOR)]:
        whole, bare = by_name[name], by_name[floor]
        ours = whole.median - bare.median
        _print(
            f"\n{name}: {whole.median:.1f} ms, {bare.median:.1f} of them Airflow's own, {ours:.1f} ours "
            f"(target: {TARGET_MS}, {'met' if ours <= TARGET_MS else 'missed'})"
        )
        heavy = forbidden(whole.modules)
        good = good and not heavy
        _print(
            f"  must not be imported, and {'IS: ' + ', '.join(heavy) if heavy else 'is not: ' + ', '.join(FORBIDDEN)}"
        )
    return good


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--yardstick", type=Path, help="folder with airflow.providers.http")
    arguments = parser.parse_args()
    yardstick = None if arguments.yardstick is None else arguments.yardstick.resolve()
    with tempfile.TemporaryDirectory(prefix="imports-") as home:
        done = measure(subjects(yardstick), rounds=arguments.rounds, home=Path(home))
    sys.exit(0 if report(done) else 1)


if __name__ == "__main__":
    main()
