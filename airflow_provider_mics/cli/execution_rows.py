"""Executions, as tables and documents show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.api.constants import FAILURE_STATUSES, SUCCESS_STATUSES, ExecutionStatus
from airflow_provider_mics.cli.screen import Styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_mics.api.models import Execution

#: Columns of a table of executions, and how many of them hold text.
HEADS: Final = ("execution", "status", "created (UTC)", "lines", "accepted", "rejected", "seconds")
TEXTS: Final = 3


def row_of(execution: Execution) -> Sequence[object]:
    """Return the cells of an execution."""
    facts = facts_of(execution)
    return (
        execution.execution_id,
        status_of(execution),
        f"{execution.created_at:%Y-%m-%d %H:%M:%S}" if execution.created_at else None,
        facts["lines"],
        facts["accepted"],
        facts["rejected"],
        None if facts["duration_s"] is None else f"{facts['duration_s']:.1f}",
    )


def status_of(execution: Execution) -> Styled:
    """Return the status in its colour. One that has succeeded with rejected lines is not green."""
    if execution.status in SUCCESS_STATUSES:
        rejected = execution.result.total_failure if execution.result else None
        return Styled(execution.status, "yellow" if rejected else "green")
    if execution.status in FAILURE_STATUSES:
        return Styled(execution.status, "red")
    return Styled(execution.status, "cyan" if execution.status == ExecutionStatus.RUNNING else "dim")


def facts_of(execution: Execution) -> dict[str, Any]:
    """Return what a document says of an execution. Until it has ended there may be no counts, or no final ones."""
    result = execution.result if execution.is_ended else None
    return {
        "id": execution.execution_id,
        "status": execution.status,
        "lines": execution.parameters.number_of_lines if execution.parameters else None,
        "accepted": result.total_success if result else None,
        "rejected": result.total_failure if result else None,
        "created": _iso(execution.created_at),
        "started": _iso(execution.started_at),
        "ended": _iso(execution.ended_at),
        "duration_s": None if execution.duration is None else execution.duration / 1000,
    }


def _iso(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat()
