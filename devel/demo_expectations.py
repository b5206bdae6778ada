"""What the demo's night must look like. The only place that knows how the example DAG is built."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devel.crm_export import CrmExport, ExportedFile
    from devel.demo_report import ImportOutcome, TaskOutcome

DAG_ID: Final = "nightly_crm"
POOL: Final = "mics"
POOL_SLOTS: Final = 8
#: Airflow's Variable that tells the DAG where the export is.
EXPORT_VARIABLE: Final = "crm_export_dir"
#: Lines of profiles-2.ndjson that the platform rejects; with the default max_rejected=0 that night's profiles are red.
BAD_LINES: Final = 7

#: The state that each task ends in, and whether it defers on the way.
TASKS: Final[Mapping[str, tuple[str, bool]]] = {
    "profiles.create": ("success", False),
    "profiles.upload": ("success", False),
    "profiles.wait": ("failed", True),
    "activities.create": ("success", False),
    "activities.upload": ("success", False),
    "activities.wait": ("success", True),
    "segment.create": ("success", False),
    "segment.upload": ("success", False),
    "segment.wait": ("success", True),
}
RUN_STATE: Final = "failed"
#: What the log of the red task must say, beside the number of rejected lines.
RED_TASK: Final = "profiles.wait"
RED_REASONS: Final = ("No profile id found while upserting a user profile",)
_IMPORT_NAME: Final = re.compile(r".+ - \d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class _ExpectedImport:
    files: tuple[ExportedFile, ...]
    rejected: int


def _imports(export: CrmExport) -> dict[str, _ExpectedImport]:
    return {
        "USER_PROFILE": _ExpectedImport(export.profiles, BAD_LINES),
        "USER_ACTIVITY": _ExpectedImport((export.activities,), 0),
        "USER_SEGMENT": _ExpectedImport((export.segment,), 0),
    }


def problems(
    export: CrmExport,
    run_state: str,
    tasks: Sequence[TaskOutcome],
    imports: Sequence[ImportOutcome],
    red_log: str,
) -> list[str]:
    """Return everything that is not as it should be, in words; nothing: the night was right."""
    return [
        *([] if run_state == RUN_STATE else [f"the run is {run_state}, not {RUN_STATE}"]),
        *_task_problems(tasks),
        *_import_problems(export, imports),
        *_log_problems(red_log),
    ]


def _task_problems(tasks: Sequence[TaskOutcome]) -> list[str]:
    found = []
    by_name = {task.name: task for task in tasks}
    for name, (state, deferred) in TASKS.items():
        task = by_name.get(name)
        if task is None:
            found.append(f"there is no task {name}")
        elif task.state != state:
            found.append(f"{name} is {task.state}, not {state}")
        elif task.deferred != deferred:
            found.append(f"{name} was {'' if task.deferred else 'not '}deferred")
        elif task.tries != 1:
            found.append(f"{name} took {task.tries} tries")
    return found


def _import_problems(export: CrmExport, imports: Sequence[ImportOutcome]) -> list[str]:
    found = []
    expected = _imports(export)
    types = sorted(outcome.document_type for outcome in imports)
    if types != sorted(expected):
        return [f"the document imports are of types {types}, not {sorted(expected)}"]
    for outcome in imports:
        wanted = expected[outcome.document_type]
        lines = sum(file.lines for file in wanted.files)
        counts = (outcome.lines, outcome.accepted, outcome.rejected)
        if counts != (lines, lines - wanted.rejected, wanted.rejected):
            found.append(f"{outcome.name}: lines, accepted, rejected are {counts}")
        if sorted(outcome.sha256) != sorted(file.sha256 for file in wanted.files):
            names = " and ".join(file.path.name for file in wanted.files)
            found.append(f"{outcome.name}: what was received is not, byte for byte, {names}")
        if not _IMPORT_NAME.fullmatch(outcome.name):
            found.append(f"{outcome.name!r} does not end in the night's date")
    return found


def _log_problems(log: str) -> list[str]:
    wanted = [f"{BAD_LINES} of ", *RED_REASONS]
    return [f"the log of {RED_TASK} does not say {text!r}" for text in wanted if text not in log]
