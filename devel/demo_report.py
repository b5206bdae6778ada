"""What happened in the demo's night: gathered from Airflow and from the sandbox, and printed as tables."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from airflow_provider_mics.api.models import Execution
from airflow_provider_mics.bulk.reasons import group_reasons
from devel.airflow_api import TASK_ENDED, task_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from devel.airflow_api import AirflowApi


#: After so many seconds without news a line says what is waited for.
_QUIET_S: Final = 10.0


@dataclass(frozen=True)
class TaskOutcome:
    """How one task ended; ``duration_s`` is from its first start to its end, waiting included."""

    name: str
    state: str
    tries: int
    deferred: bool
    duration_s: float | None


@dataclass(frozen=True)
class ImportOutcome:
    """What one document import received, and what became of it."""

    name: str
    document_type: str
    executions: int
    lines: int
    accepted: int
    rejected: int
    sha256: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass
class Progress:
    """Watches the tasks of a run: says a line whenever one changes its state, and now and then if none does."""

    api: AirflowApi
    dag_id: str
    run_id: str
    say: Callable[[str], None]
    deferred: set[str] = field(default_factory=set)
    _states: dict[str, str | None] = field(default_factory=dict)
    _said_at: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        """Look once."""
        for name, state in sorted(self.api.task_states(self.dag_id, self.run_id).items()):
            if state != self._states.get(name):
                self._states[name] = state
                self._tell(f"{name:<20} {state}")
            if state == "deferred":
                self.deferred.add(name)
        if time.monotonic() - self._said_at >= _QUIET_S:
            waiting = sorted(name for name, state in self._states.items() if state not in TASK_ENDED)
            self._tell(f"... waiting for {', '.join(waiting)}")

    def _tell(self, text: str) -> None:
        self.say(f"  {text}")
        self._said_at = time.monotonic()

    def outcomes(self) -> list[TaskOutcome]:
        """Return how the tasks ended, in the order in which they started."""
        tasks = self.api.task_instances(self.dag_id, self.run_id)
        tasks.sort(key=lambda task: (task["start_date"] is None, task["start_date"]))
        return [
            TaskOutcome(
                name=task_name(task),
                state=str(task["state"]),
                tries=int(task["try_number"]),
                deferred=task_name(task) in self.deferred,
                duration_s=_seconds(task["start_date"], task["end_date"]),
            )
            for task in tasks
        ]


def import_outcomes(state: dict[str, Any]) -> list[ImportOutcome]:
    """Return the document imports that the sandbox has, from its own account of itself."""
    outcomes = []
    for document_import in state["imports"]:
        executions = [item for item in state["executions"] if item["document_import_id"] == document_import["id"]]
        results = [item["result"] or {} for item in executions]
        reasons = group_reasons(msgspec.convert(item, Execution) for item in executions)
        outcomes.append(
            ImportOutcome(
                name=document_import["name"],
                document_type=document_import["document_type"],
                executions=len(executions),
                lines=sum((item["parameters"] or {}).get("number_of_lines", 0) for item in executions),
                accepted=sum(result.get("total_success", 0) for result in results),
                rejected=sum(result.get("total_failure", 0) for result in results),
                sha256=tuple(item["received"]["sha256"] for item in executions),
                reasons=tuple(f"{reason.count} x {reason.text}" for reason in reasons),
            )
        )
    return outcomes


def task_table(tasks: Sequence[TaskOutcome]) -> str:
    """Return the tasks as a table."""
    rows = [
        [
            task.name,
            task.state,
            str(task.tries),
            "yes" if task.deferred else "no",
            "" if task.duration_s is None else f"{task.duration_s:.1f} s",
        ]
        for task in tasks
    ]
    return _table(["task", "state", "tries", "deferred", "duration"], rows, right={2, 4})


def import_table(imports: Sequence[ImportOutcome]) -> str:
    """Return the document imports as a table, the reasons for rejections below their import."""
    rows: list[list[str]] = []
    for outcome in imports:
        counts = [outcome.executions, outcome.lines, outcome.accepted, outcome.rejected]
        first, *others = outcome.reasons or ("",)
        rows.append([outcome.name, outcome.document_type, *(f"{count:,}" for count in counts), first])
        rows.extend(["", "", "", "", "", "", reason] for reason in others)
    header = ["document import", "type", "executions", "lines", "accepted", "rejected", "reasons"]
    return _table(header, rows, right={2, 3, 4, 5})


class Stopwatch:
    """Prints lines with the seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line at once, also into a pipe."""
        print(f"[{time.monotonic() - self._start:6.1f} s] {text}", flush=True)


def _seconds(start: str | None, end: str | None) -> float | None:
    if start is None or end is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _table(header: list[str], rows: list[list[str]], *, right: set[int]) -> str:
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(cells: list[str]) -> str:
        padded = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(padded).rstrip()

    return "\n".join([line(header), line(["-" * width for width in widths]), *map(line, rows)])
