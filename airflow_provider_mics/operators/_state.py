"""Airflow's task state store (3.3 and later), as the layers below see it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.bulk.state_store import MemoryStore
from airflow_provider_mics.exceptions import MicsStateError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_mics.bulk.state_store import StateStore


def state_store(context: Context) -> StateStore:
    """Return what keeps the state of this task from try to try; below Airflow 3.3, of this try only."""
    store: Any = context.get("task_state_store")
    return MemoryStore() if store is None else _TaskStateStore(store)


def generation(context: Context) -> int:
    """Return a number that stays the same from try to try, and is another after a clear.

    A clear raises ``max_tries``, a retry does not (Airflow's ``clear_task_instances``; of a task that is running, its
    scheduler when the task has ended). State itself survives a clear in Airflow 3.3.
    """
    return int(getattr(context["ti"], "max_tries", 0) or 0)


def is_retry(context: Context) -> bool:
    """Return whether an earlier try of the same generation has run: for stores that do not survive it."""
    ti: Any = context["ti"]
    # Both a first run and a clear leave exactly the task's retries behind the try that follows.
    tries_left = int(getattr(ti, "max_tries", 0) or 0) - int(getattr(ti, "try_number", 1) or 1) + 1
    return tries_left < int(getattr(context.get("task"), "retries", 0) or 0)


class _TaskStateStore:
    survives = True

    def __init__(self, store: Any) -> None:
        self._store = store

    def get(self, key: str) -> Any:
        try:
            return self._store.get(key)
        except Exception as error:
            raise _unreachable("read", key, error) from error

    def set(self, key: str, value: Any) -> None:
        from airflow.sdk import NEVER_EXPIRE  # type: ignore[attr-defined]  # its stub lacks it

        try:
            # A Dag run may be looked at again after any time, and the default would forget after 30 days. Airflow takes
            # what JSON has and nothing else: no tuple.
            self._store.set(key, json.loads(json.dumps(value)), retention=NEVER_EXPIRE)
        except Exception as error:
            raise _unreachable("written", key, error) from error


def _unreachable(done: str, key: str, error: Exception) -> MicsStateError:
    return MicsStateError(
        f"The state of this task could not be {done} ({key}): {type(error).__name__}.",
        hint="Nothing is sent without it, so that nothing is sent twice. Look at Airflow's API server and, if one is "
        "set, at [workers] state_store_backend.",
    )
