"""How long the sensor waits in all, over tries."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pendulum
import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout, TaskDeferred
from airflow.sdk.exceptions import AirflowRescheduleException

from airflow_provider_mics.bulk import watch as watching
from airflow_provider_mics.exceptions import MicsExecutionLostError, MicsWaitError
from airflow_provider_mics.sensors.execution import MicsExecutionSensor
from tests.contract.faces.conftest import Night, profile
from tests.contract.faces.test_upload import create, upload

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("sandbox")

HOUR_S = 3600.0


class Store(dict[str, Any]):
    """Airflow's task state store."""

    def set(self, key: str, value: Any, *, retention: Any) -> None:  # noqa: ARG002 - Airflow's signature
        self[key] = value


class BrokenStore:
    """It, with the API server away."""

    def get(self, key: str) -> Any:
        raise ConnectionError(key)

    def set(self, key: str, value: Any, *, retention: Any) -> None:  # noqa: ARG002 - Airflow's signature
        raise ConnectionError(key)


class Waiting:
    """A sensor whose execution never moves, tried again and again."""

    def __init__(self, night: Night, sandbox: Sandbox) -> None:
        self.night = night
        self.document_import_id = create(night)
        self.execution_ids = upload(night, self.document_import_id, night.file("a.ndjson", profile(1)))
        self.store: Any = Store()
        sandbox.hold()

    def sensor(self, **arguments: Any) -> MicsExecutionSensor:
        return MicsExecutionSensor(
            task_id="wait",
            document_import_id=self.document_import_id,
            execution_ids=self.execution_ids,
            **{"poke_interval": 0.01, "timeout": HOUR_S, **arguments},
        )

    @property
    def context(self) -> Any:
        return {**self.night.context, "task_state_store": self.store}

    def deadline(self) -> float:
        with pytest.raises(TaskDeferred) as deferred:
            self.sensor(deferrable=True).execute(self.context)
        return float(deferred.value.trigger.deadline)

    def begun_earlier(self, seconds: float) -> None:
        self.store["mics_wait"]["started_at"] -= seconds


@pytest.fixture
def waiting(night: Night, sandbox: Sandbox) -> Waiting:
    return Waiting(night, sandbox)


def test_a_retry_has_what_is_left(waiting: Waiting) -> None:
    first = waiting.deadline()
    assert waiting.deadline() == first

    waiting.begun_earlier(1000)
    assert waiting.deadline() == pytest.approx(first - 1000)


def test_a_clear_begins_anew(waiting: Waiting) -> None:
    first = waiting.deadline()
    waiting.begun_earlier(1000)
    waiting.night.ti.max_tries += 1

    assert waiting.deadline() >= first


@pytest.mark.parametrize("mode", ["poke", "reschedule"])
def test_a_retry_has_no_time_left_in_any_mode(waiting: Waiting, mode: str) -> None:
    waiting.deadline()
    waiting.begun_earlier(HOUR_S)

    with pytest.raises(AirflowSensorTimeout, match="did not end in time"):
        waiting.sensor(mode=mode).execute(waiting.context)


def test_a_resumed_task_looks_once_more_before_it_fails(waiting: Waiting, sandbox: Sandbox) -> None:
    event = {
        "status": "timeout",
        "document_import_id": waiting.document_import_id,
        "execution_ids": waiting.execution_ids,
    }
    with pytest.raises(AirflowSensorTimeout):
        waiting.sensor().execute_complete(waiting.context, event)

    sandbox.release()
    while sandbox.execution(waiting.execution_ids[0])["status"] != "SUCCEEDED":
        sandbox.advance(1)
    assert waiting.sensor().execute_complete(waiting.context, event)["accepted"] == 1


@pytest.mark.parametrize("store", [None, BrokenStore()])
def test_without_a_store_each_try_has_the_whole_time(
    waiting: Waiting, store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    waiting.store = store

    assert waiting.deadline() == pytest.approx(time.time() + HOUR_S, abs=60)
    assert ("a retry begins it anew (ConnectionError)" in caplog.text) is (store is not None)


def test_without_a_store_the_looks_of_a_try_have_the_time_together(waiting: Waiting) -> None:
    waiting.store = None
    waiting.night.ti.first_reschedule_date = pendulum.now("UTC").subtract(seconds=HOUR_S)

    with pytest.raises(AirflowSensorTimeout, match="did not end in time"):
        waiting.sensor(mode="reschedule").execute(waiting.context)


def look(waiting: Waiting) -> None:
    with pytest.raises(AirflowRescheduleException):
        waiting.sensor(mode="reschedule").execute(waiting.context)


def test_looks_in_processes_of_their_own_are_counted_together(waiting: Waiting, sandbox: Sandbox) -> None:
    sandbox.faults.plan("status", status=404, kind="get_execution", times=None)
    look(waiting)
    look(waiting)

    with pytest.raises(MicsWaitError, match="cannot be looked at"):
        waiting.sensor(mode="reschedule").execute(waiting.context)


def test_where_nothing_is_kept_between_looks_the_first_refusal_ends_it(waiting: Waiting, sandbox: Sandbox) -> None:
    waiting.store = None
    sandbox.faults.plan("status", status=404, kind="get_execution", times=None)

    with pytest.raises(MicsWaitError, match="cannot be looked at"):
        waiting.sensor(mode="reschedule").execute(waiting.context)


def test_the_lost_are_given_up_over_looks_in_processes_of_their_own(
    waiting: Waiting, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.set_status(waiting.execution_ids[0], "LOST")
    look(waiting)
    look(waiting)
    monkeypatch.setattr(watching, "LOST_GRACE_S", 0.0)

    with pytest.raises(MicsExecutionLostError):
        waiting.sensor(mode="reschedule").execute(waiting.context)
