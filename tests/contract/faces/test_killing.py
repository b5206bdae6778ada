"""What killed, cleared and timed-out waits do at the platform. Airflow's part is played; all of it is in tests/e2e."""

from __future__ import annotations

import asyncio
import logging
import time
import types
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout, AirflowTaskTimeout, TaskDeferred

from airflow_provider_mics.operators import _killing as on_worker
from airflow_provider_mics.sensors.execution import MicsExecutionSensor
from airflow_provider_mics.triggers import _killing as in_triggerer
from airflow_provider_mics.triggers.execution import MicsExecutionTrigger
from tests.contract.faces.conftest import Night, profile
from tests.contract.faces.test_upload import create, upload
from tests.contract.faces.test_waiting import event_of

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox


@pytest.fixture(autouse=True)
def _told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


class Load:
    """Three executions that stay PENDING, and a task that waits for them."""

    def __init__(self, sandbox: Sandbox, night: Night) -> None:
        self.sandbox = sandbox
        self.night = night
        sandbox.hold()
        self.document_import_id = create(night)
        path = night.file("a.ndjson", *[profile(number) for number in range(25)])
        self.execution_ids = upload(night, self.document_import_id, path, max_part_bytes=2000)
        assert len(self.execution_ids) == 3
        self.state: str | None = "failed"
        ti: Any = night.ti
        ti.dag_id, ti.task_id, ti.run_id, ti.map_index = "nightly", "wait", "tonight", -1
        ti.get_task_states = self.get_task_states

    def get_task_states(self, **asked: Any) -> dict[str, dict[str, str | None]]:
        assert asked == {"dag_id": "nightly", "task_ids": ["wait"], "run_ids": ["tonight"], "map_index": None}
        return {"tonight": {"wait": self.state}}

    def statuses(self) -> list[str]:
        return [self.sandbox.execution(item)["status"] for item in self.execution_ids]

    def running(self, **arguments: Any) -> MicsExecutionSensor:
        """Return a sensor in the middle of its wait."""
        arguments = {"execution_ids": self.execution_ids, **arguments}
        sensor = MicsExecutionSensor(task_id="wait", document_import_id=self.document_import_id, **arguments)
        assert not sensor.poke(self.night.context)
        return sensor

    def deferred(self, **arguments: Any) -> MicsExecutionTrigger:
        """Return the trigger of a deferred one, as the triggerer makes it."""
        with pytest.raises(TaskDeferred) as deferred:
            self.running(deferrable=True, **arguments).execute(self.night.context)
        return self.anew(deferred.value.trigger)

    def anew(self, deferred: Any, **arguments: Any) -> MicsExecutionTrigger:
        _, kept = deferred.serialize()
        trigger = MicsExecutionTrigger(**{**kept, **arguments})
        trigger.task_instance = self.night.ti  # type: ignore[assignment]
        return trigger


@pytest.fixture
def load(sandbox: Sandbox, night: Night, monkeypatch: pytest.MonkeyPatch) -> Load:
    made = Load(sandbox, night)
    monkeypatch.setattr(
        "airflow.sdk.execution_time.task_runner.RuntimeTaskInstance.get_task_states", made.get_task_states
    )
    return made


def kill(load: Load, how: str, **arguments: Any) -> None:
    if how == "running":
        load.running(**arguments).on_kill()
    else:
        asyncio.run(load.deferred(**arguments).on_kill())


both = pytest.mark.parametrize("how", ["running", "deferred"])


@both
@pytest.mark.parametrize("refusal", ["error", "unchanged"])
def test_killing_cancels_what_is_pending_and_says_what_it_could_not(
    load: Load, caplog: pytest.LogCaptureFixture, how: str, refusal: Any
) -> None:
    load.sandbox.settings.cancel_refusal = refusal
    first, second, third = load.execution_ids
    load.sandbox.set_status(second, "RUNNING")

    kill(load, how)

    assert load.statuses() == ["CANCELED", "RUNNING", "CANCELED"]
    assert f"cancelled {first}, {third}" in caplog.text
    assert f"too late to cancel, these go on at the platform: {second} RUNNING" in caplog.text


@both
def test_one_that_starts_between_look_and_cancel_is_told(
    load: Load, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    """The list shows it PENDING, and the platform knows better."""
    load.sandbox.set_status(load.execution_ids[0], "RUNNING")
    load.sandbox.faults.plan("rewrite", kind="get_execution", times=3, data={"status": "PENDING"})
    load.running()

    kill(load, how)

    assert load.statuses() == ["RUNNING", "CANCELED", "CANCELED"]
    assert f"{load.execution_ids[0]} RUNNING" in caplog.text


@both
@pytest.mark.parametrize("state", ["success", "deferred", "restarting", "queued", None])
def test_what_is_still_wanted_is_kept(
    load: Load, caplog: pytest.LogCaptureFixture, how: str, state: str | None
) -> None:
    load.state = state

    kill(load, how)

    assert load.statuses() == ["PENDING"] * 3
    assert "still waited for" in caplog.text


@both
def test_cancel_on_kill_can_be_switched_off(load: Load, how: str) -> None:
    kill(load, how, cancel_on_kill=False)

    assert load.statuses() == ["PENDING"] * 3


@both
def test_what_is_not_named_is_not_cancelled(load: Load, how: str) -> None:
    kill(load, how, execution_ids=None)
    kill(load, how, execution_ids=load.execution_ids[1:2])

    assert load.statuses() == ["PENDING", "CANCELED", "PENDING"]


@both
def test_a_platform_that_fails_is_told_and_no_error(load: Load, caplog: pytest.LogCaptureFixture, how: str) -> None:
    killed = load.running() if how == "running" else load.deferred()
    load.sandbox.faults.plan("status", status=403, times=None)

    if isinstance(killed, MicsExecutionSensor):
        killed.on_kill()
    else:
        asyncio.run(killed.on_kill())

    assert "not known whether these are cancelled" in caplog.text
    assert "HTTP 403" in caplog.text


@both
def test_a_platform_that_hangs_is_left_in_time(
    load: Load, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(on_worker, "KILL_S", 0.5)
    monkeypatch.setattr(in_triggerer, "KILL_S", 1.0)
    killed = load.running() if how == "running" else load.deferred()
    fault = load.sandbox.faults.plan("delay", kind="act_on_execution", when="before_body", times=None)

    if isinstance(killed, MicsExecutionSensor):
        killed.on_kill()
    else:
        asyncio.run(killed.on_kill())

    assert "not known whether these are cancelled" in caplog.text or "took too long" in caplog.text
    fault.release()


def test_a_worker_that_stops_leaves_them_to_the_retry(load: Load, night: Night) -> None:
    load.state = "running"
    night.ti.max_tries = 1
    load.running().on_kill()
    assert load.statuses() == ["PENDING"] * 3

    night.ti.try_number = 2
    load.running().on_kill()
    assert load.statuses() == ["CANCELED"] * 3


@pytest.mark.parametrize(("cancels", "status"), [(False, "PENDING"), (True, "CANCELED")])
def test_execution_timeout_is_a_timeout(load: Load, cancels: bool, status: str) -> None:
    sensor = load.running(cancel_on_timeout=cancels)

    def execute() -> None:
        raise AirflowTaskTimeout

    try:
        execute()
    except AirflowTaskTimeout:
        # As Airflow does.
        sensor.on_kill()

    assert load.statuses() == [status] * 3


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize(("cancels", "status"), [(False, "PENDING"), (True, "CANCELED")])
def test_the_deadline_cancels_only_if_asked(
    load: Load, night: Night, deferrable: bool, cancels: bool, status: str
) -> None:
    sensor = MicsExecutionSensor(
        task_id="wait",
        document_import_id=load.document_import_id,
        execution_ids=load.execution_ids,
        deferrable=deferrable,
        poke_interval=0.01,
        timeout=0.1,
        cancel_on_timeout=cancels,
    )

    def wait() -> None:
        try:
            sensor.execute(night.context)
        except TaskDeferred as deferred:
            sensor.execute_complete(night.context, event_of(deferred))

    with pytest.raises(AirflowSensorTimeout):
        wait()
    assert load.statuses() == [status] * 3


def test_after_its_deadline_a_trigger_leaves_it_to_the_worker(load: Load) -> None:
    trigger = load.anew(load.deferred(), deadline=time.time() - 1)
    asyncio.run(trigger.on_kill())

    assert load.statuses() == ["PENDING"] * 3


def test_it_goes_on_though_airflow_cancels_it_each_second(load: Load) -> None:
    """Airflow 3.3.2 does; here without the pauses."""
    trigger = load.deferred()
    fault = load.sandbox.faults.plan("delay", kind="act_on_execution", when="before_body")

    async def main() -> None:
        killing = asyncio.ensure_future(trigger.on_kill())
        cancelled = 0
        while not killing.done():
            await asyncio.sleep(0.01)
            if fault.fired and cancelled < 20:
                killing.cancel()
                cancelled += 1
                if cancelled == 20:
                    fault.release()
        await asyncio.gather(killing, return_exceptions=True)

    asyncio.run(main())
    assert load.statuses() == ["CANCELED"] * 3


@pytest.mark.parametrize(("parts", "status"), [("the same", "PENDING"), ("others", "CANCELED"), (None, "CANCELED")])
def test_a_load_that_was_cleared_is_cancelled_and_one_that_was_handed_over_is_not(
    load: Load, monkeypatch: pytest.MonkeyPatch, parts: str | None, status: str
) -> None:
    """A cleared load makes executions of its own, and hands them over under the same key."""
    load.state = "deferred"
    ids = load.execution_ids if parts == "the same" else ["1"]
    handed_over = None if parts is None else [{"execution_id": item} for item in ids]
    monkeypatch.setattr(
        "airflow.providers.common.compat.sdk.XCom", types.SimpleNamespace(get_one=lambda **_: handed_over)
    )

    asyncio.run(load.anew(load.deferred(), cancel_on_clear=True).on_kill())

    assert load.statuses() == [status] * 3


def test_triggers_that_an_older_version_left_still_run_and_cancel_nothing(load: Load) -> None:
    kept = load.deferred().serialize()[1]
    del kept["cancel_on_kill"], kept["cancel_on_clear"]
    trigger = MicsExecutionTrigger(**kept)

    asyncio.run(trigger.on_kill())

    assert load.statuses() == ["PENDING"] * 3
