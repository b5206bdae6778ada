"""Operators and sensor as a worker calls them, against the sandbox."""

from __future__ import annotations

import json
import types
from typing import TYPE_CHECKING, Any

import pendulum
import pytest

from airflow_provider_mics.sandbox import Sandbox
from airflow_provider_mics.triggers import execution as execution_trigger

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path


class TaskInstance:
    """The part of Airflow's task instance that the provider uses: XComs of one run, tries."""

    def __init__(self, *, try_number: int = 1, max_tries: int = 0) -> None:
        self.xcoms: dict[str, Any] = {}
        self.try_number = try_number
        self.max_tries = max_tries
        self.first_reschedule_date: dt.datetime | None = None

    def get_first_reschedule_date(self, context: Any) -> dt.datetime | None:  # noqa: ARG002 - Airflow's signature
        return self.first_reschedule_date

    def xcom_push(self, key: str, value: Any) -> None:
        # Airflow stores JSON.
        self.xcoms[key] = json.loads(json.dumps(value))

    def xcom_pull(self, task_ids: list[str], key: str) -> list[Any]:
        return [self.xcoms.get(key) for _ in task_ids]


class TaskStateStore:
    """Airflow's state store of one task instance: JSON values that outlive tries and clears."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(self.values[key]) if key in self.values else default

    def set(self, key: str, value: Any, *, retention: dt.timedelta | None = None) -> None:  # noqa: ARG002 - Airflow's signature
        self.values[key] = json.dumps(value)
        assert self.get(key) == value, "Airflow refuses what is not plain JSON, such as a tuple"


class Night:
    """One run of a Dag, and the files it loads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ti = TaskInstance()
        self.store: TaskStateStore | None = None
        self.logical_date: dt.datetime | None = pendulum.datetime(2026, 11, 23, 1, tz="UTC")
        self.run_after = pendulum.datetime(2026, 11, 24, 12, tz="UTC")
        self.timezone = pendulum.timezone("Europe/Paris")

    @property
    def context(self) -> Any:
        return {
            **({"task_state_store": self.store} if self.store else {}),
            "ti": self.ti,
            "dag_run": types.SimpleNamespace(logical_date=self.logical_date, run_after=self.run_after),
            "dag": types.SimpleNamespace(timezone=self.timezone),
        }

    def retry(self) -> None:
        """Go on as Airflow does after a try has failed: without its XComs."""
        self.ti = TaskInstance(try_number=self.ti.try_number + 1, max_tries=self.ti.max_tries)

    def clear(self) -> None:
        """Go on as Airflow does when somebody clears the task."""
        self.ti = TaskInstance(try_number=self.ti.try_number + 1, max_tries=self.ti.try_number)

    def file(self, name: str, *lines: bytes, end: bytes = b"\n") -> str:
        path = self.folder / name
        path.write_bytes(b"\n".join(lines) + (end if lines else b""))
        return str(path)


def profile(number: int) -> bytes:
    return (
        b'{"operation":"UPSERT","compartment_id":"1201","user_account_id":"crm-%d","force_replace":false,'
        b'"user_profile":{"$compartment_id":"1201","$user_account_id":"crm-%d","city":"Lyon"}}' % (number, number)
    )


@pytest.fixture(autouse=True)
def no_first_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_trigger, "FIRST_WAIT_S", 0.0)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.settings.pending_s = running.settings.running_s = 0.02
        set_token(monkeypatch, running)
        yield running


def set_token(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """Put the sandbox's present token into the Airflow connection."""
    connection = {
        "conn_type": "mics",
        "host": sandbox.url,
        "password": sandbox.token,
        "extra": {"datamart_id": sandbox.datamart_id, "list_lag": 0.3},
    }
    monkeypatch.setenv("AIRFLOW_CONN_MICS_DEFAULT", json.dumps(connection))


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


ACTIVITY = (
    b'{"$type":"TOUCH","$session_status":"NO_SESSION","$ts":1718000000000,"$user_identifiers":[{"$type":"USER_ACCOUNT",'
    b'"$compartment_id":"1201","$user_account_id":"crm-77"}],"$events":[]}'
)
