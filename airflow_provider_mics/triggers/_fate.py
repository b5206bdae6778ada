"""What has become of a task that was killed: whether somebody still waits for its executions."""

from __future__ import annotations

from typing import Any, Final

_SUCCESS: Final = "success"
#: States of a task that nobody goes on with.
_OVER: Final = frozenset({"failed", "skipped", "upstream_failed", "removed"})


def is_abandoned(state: str | None, *, goes_on: bool, cancel_on_clear: bool) -> bool:
    """Return whether nobody waits any more for the executions of a task that was killed.

    :param state: The task's state since; None: it was cleared, and has not been scheduled yet.
    :param goes_on: Whether this attempt, or a retry that takes over from it, still waits for them.
    :param cancel_on_clear: Whether a cleared task makes executions of its own, so that these are of no use to it; else
        it waits for the same ones.
    """
    if state == _SUCCESS:
        # Somebody has seen to it; what is pending is to come in.
        return False
    if state in _OVER:
        return True
    return not goes_on and cancel_on_clear


def task_state(get_task_states: Any, ti: Any) -> str | None:
    """Ask Airflow for a task's state now."""
    states = get_task_states(
        dag_id=ti.dag_id,
        task_ids=[ti.task_id],
        run_ids=[ti.run_id],
        map_index=ti.map_index if ti.map_index is not None and ti.map_index >= 0 else None,
    )
    name = ti.task_id if ti.map_index is None or ti.map_index < 0 else f"{ti.task_id}_{ti.map_index}"
    found: str | None = states[ti.run_id][name]
    return None if found is None else str(found)
