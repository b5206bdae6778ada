"""A task that is stopped while it sends, and whose process lives on for a while: Airflow's timeouts do that."""

from __future__ import annotations

import contextlib
import json
import signal
import threading
import types
from typing import TYPE_CHECKING, Any

import pendulum
import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout

from airflow_provider_mics.operators.import_files import MicsImportFilesOperator
from airflow_provider_mics.sandbox import Sandbox
from tests.faults.invariants import RecordHere, arrived

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Far more than the buffers of a connection hold.
PART_BYTES = 40_000_000


class State:
    """Airflow's state store of a task."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:  # noqa: ARG002 - Airflow's signature
        self.values[key] = value


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox() as running:
        connection = {
            "conn_type": "mics",
            "host": running.url,
            "password": running.token,
            "extra": {"datamart_id": running.datamart_id, "list_lag": 0.3},
        }
        monkeypatch.setenv("AIRFLOW_CONN_MICS_DEFAULT", json.dumps(connection))
        yield running


@contextlib.contextmanager
def timeout_when(held: Any) -> Iterator[None]:
    """Raise Airflow's timeout in the main thread, as its alarm does, once a request is held."""

    def ring(*_: object) -> None:
        raise AirflowTaskTimeout

    before = signal.signal(signal.SIGUSR1, ring)
    main = threading.main_thread().ident
    assert main is not None

    def wait() -> None:
        held.wait_held(1)
        signal.pthread_kill(main, signal.SIGUSR1)

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        yield
    finally:
        waiting.join()
        signal.signal(signal.SIGUSR1, before)


def test_what_was_being_sent_at_a_timeout_does_not_come_in_behind_the_next_try(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    line = (
        b'{"$type":"TOUCH","$session_status":"NO_SESSION","$ts":1718000000000,"$events":[],"$user_account_id":"%d"}\n'
    )
    path = tmp_path / "activities.ndjson"
    path.write_bytes(b"".join(line % number for number in range(PART_BYTES // len(line))))
    held = sandbox.faults.plan("hold", kind="create_execution", when="mid_body", after_bytes=100_000)
    context: Any = {
        "task_state_store": State(),
        "ti": types.SimpleNamespace(try_number=1, max_tries=1, xcom_push=lambda **_: None),
        "dag_run": types.SimpleNamespace(logical_date=pendulum.datetime(2026, 11, 23, tz="UTC")),
        "dag": types.SimpleNamespace(timezone=pendulum.UTC),
    }
    task = MicsImportFilesOperator(
        task_id="load", document_type="USER_ACTIVITY", name="Night", path=str(path), preflight="off"
    )

    with timeout_when(held), pytest.raises(AirflowTaskTimeout):
        task.execute(context)
    held.release()
    for thread in threading.enumerate():
        if thread.name.startswith("mics-upload"):
            thread.join()

    assert held.fired
    assert arrived(RecordHere(sandbox)) == []
    # Nobody has waited for an answer, so nobody may say that nothing was sent.
    assert not context["task_state_store"].get("mics_load_1_part_1").get("is_withdrawn")
