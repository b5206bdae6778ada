"""Tasks that send items one by one, against the sandbox."""

from __future__ import annotations

import json
import types
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api import repeat
from airflow_provider_mics.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class TaskState:
    """Airflow's task state store, as far as it is used."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.is_away = False

    def get(self, key: str) -> Any:
        self._be_there()
        return self.values.get(key)

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:  # noqa: ARG002
        self._be_there()
        text = json.dumps(value)
        assert len(text) < 64_000
        self.values[key] = json.loads(text)

    def _be_there(self) -> None:
        if self.is_away:
            message = "the API server is away"
            raise ConnectionError(message)


class Task:
    """One task of one run, with the state that its tries share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state: TaskState | None = TaskState()
        self.try_number = 1
        self.max_tries = 2

    def run(self, operator: Any, **arguments: Any) -> dict[str, Any]:
        """Make a try."""
        task = operator(task_id="send", retries=2, **arguments)
        ti = types.SimpleNamespace(try_number=self.try_number, max_tries=self.max_tries)
        context: Any = {"ti": ti, "task": task}
        if self.state is not None:
            context["task_state_store"] = self.state
        result = task.execute(context)
        assert json.loads(json.dumps(result)) == result
        return dict(result)

    def retry(self) -> None:
        self.try_number += 1

    def clear(self) -> None:
        self.max_tries = self.try_number + 2
        self.try_number += 1

    def file(self, lines: Iterable[dict[str, Any]], name: str = "items.ndjson") -> str:
        path = self.folder / name
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        return str(path)

    @property
    def dead_letter_path(self) -> str:
        return str(self.folder / "dead.ndjson")

    def dead_letters(self) -> list[dict[str, Any]]:
        with open(self.dead_letter_path) as file:  # noqa: PTH123 - a path as the task has it
            return [json.loads(line) for line in file]


def activity(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "$type": "TOUCH",
        "$session_status": "NO_SESSION",
        "$ts": 1_718_000_000_000,
        "$user_identifiers": [
            {"$type": "USER_ACCOUNT", "$compartment_id": "1201", "$user_account_id": f"crm-{number}"}
        ],
        "$events": [{"$event_name": "store-visit", "$ts": 1_718_000_000_000, "$properties": {"shop": "lyon-2"}}],
        **fields,
    }


def unique_key(number: int) -> str:
    return f"{number:08x}-e39d-11ef-9cd2-0242ac120002"


def profile(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "operation": "UPSERT",
        "compartment_id": "1201",
        "user_account_id": f"crm-{number}",
        "force_replace": False,
        "user_profile": {"$compartment_id": "1201", "$user_account_id": f"crm-{number}", "city": "Lyon"},
        **fields,
    }


def choice(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "operation": "UPSERT",
        "email_hash": f"{number:064x}",
        "force_replace": True,
        "user_choice": {
            "$processing_id": "450", "$choice_ts": 1_718_000_000_000 + number, "$choice_acceptance_value": True
        },
        **fields,
    }  # fmt: skip


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setattr(repeat, "_FIRST_BACKOFF_S", 0.001)
    with Sandbox() as running:
        connection = {
            "conn_type": "mics",
            "host": running.url,
            "password": running.token,
            "extra": {"datamart_id": running.datamart_id},
        }
        monkeypatch.setenv("AIRFLOW_CONN_MICS_DEFAULT", json.dumps(connection))
        yield running


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task(tmp_path)
