"""What becomes of executions whose wait is killed, cleared, or handed to another triggerer, in a real Airflow."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from devel.airflow_rest import ApiError
from devel.cluster import TRIGGERER
from devel.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devel.cluster import LocalAirflow
    from devel.crm_export import CrmExport
    from devel.sandbox_process import SandboxProcess

DEFERRED, RUNNING, LOAD = "killing_deferred", "killing_running", "killing_load"


@pytest.fixture(autouse=True)
def held(sandbox: SandboxProcess) -> Iterator[None]:
    """Executions stay PENDING until a test lets them go on."""
    sandbox.control("POST", "reset")
    sandbox.control("POST", "hold")
    yield
    sandbox.control("POST", "release")


class Wait:
    """A run that waits for an upload."""

    def __init__(self, airflow: LocalAirflow, sandbox: SandboxProcess, dag_id: str, path: str) -> None:
        self.airflow = airflow
        self.sandbox = sandbox
        self.dag_id = dag_id
        airflow.api.wait_dag(dag_id)
        self.run_id = airflow.api.trigger(dag_id, conf={"path": path})

    def until(self, *states: str) -> None:
        self.airflow.api.wait_task(self.dag_id, self.run_id, "wait", states=states)

    def triggerer(self) -> int:
        """Return the triggerer that has the trigger, as soon as one runs it."""

        def running() -> int | None:
            job = self.airflow.api.task_instance(self.dag_id, self.run_id, "wait")["triggerer_job"]
            return int(job["id"]) if job and "trigger" in self.log() else None

        return wait_until(running, what="the trigger runs", timeout_s=60)

    def log(self, try_number: int = 1) -> str:
        try:
            return self.airflow.api.log(self.dag_id, self.run_id, "wait", try_number=try_number)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            # There is no such try yet.
            return ""

    def until_log(self, text: str, try_number: int = 1) -> str:
        wait_until(lambda: text in self.log(try_number), what=f"{text!r} in the log", timeout_s=60, last_seen=self.log)
        return self.log(try_number)

    def mark(self, state: str) -> None:
        self.airflow.api.set_task_state(self.dag_id, self.run_id, "wait", state)

    def statuses(self) -> dict[str, str]:
        return {item["id"]: item["status"] for item in self.sandbox.control("GET", "state")["executions"]}

    def cancellations(self) -> list[Any]:
        return [item for item in self.sandbox.control("GET", "requests") if item["kind"] == "act_on_execution"]


def waiting(airflow: LocalAirflow, sandbox: SandboxProcess, export: CrmExport, dag_id: str = DEFERRED) -> Wait:
    wait = Wait(airflow, sandbox, dag_id, str(export.profiles[0].path))
    if dag_id == RUNNING:
        wait.until("running")
        wait.until_log("PENDING")
    else:
        wait.until("deferred")
        wait.triggerer()
    return wait


@pytest.mark.parametrize("dag_id", [DEFERRED, RUNNING, LOAD])
def test_marked_failed_cancels_what_is_pending_and_says_what_it_could_not(
    airflow: LocalAirflow, sandbox: SandboxProcess, export: CrmExport, dag_id: str
) -> None:
    wait = waiting(airflow, sandbox, export, dag_id)
    started, *pending = wait.statuses()
    assert pending
    sandbox.control("POST", f"executions/{started}/status", {"status": "RUNNING"})

    wait.mark("failed")

    wait_until(
        lambda: {wait.statuses()[item] for item in pending} == {"CANCELED"},
        what="cancelled",
        timeout_s=120,
        last_seen=wait.statuses,
    )
    log = wait.until_log("too late to cancel")
    assert f"{started} RUNNING" in log
    assert wait.statuses()[started] == "RUNNING"
    assert wait.airflow.api.task_instance(dag_id, wait.run_id, "wait")["state"] == "failed"


def test_a_cleared_wait_cancels_nothing_and_goes_on(
    airflow: LocalAirflow, sandbox: SandboxProcess, export: CrmExport
) -> None:
    wait = waiting(airflow, sandbox, export)

    airflow.api.clear(DEFERRED, wait.run_id, ["wait"])
    wait.until_log("still waited for")
    wait.until_log("Pausing task as DEFERRED", try_number=2)

    assert not wait.cancellations()
    sandbox.control("POST", "release")
    assert airflow.api.wait_run(DEFERRED, wait.run_id) == "success"


def test_a_cleared_load_is_cancelled_and_sent_anew(
    airflow: LocalAirflow, sandbox: SandboxProcess, export: CrmExport
) -> None:
    wait = waiting(airflow, sandbox, export, LOAD)
    first = wait.statuses()

    airflow.api.clear(LOAD, wait.run_id, ["wait"])
    wait.until_log("Pausing task as DEFERRED", try_number=2)
    sandbox.control("POST", "release")

    assert airflow.api.wait_run(LOAD, wait.run_id) == "success"
    statuses = wait.statuses()
    assert {statuses.pop(item) for item in first} == {"CANCELED"}
    assert len(statuses) == len(first)
    assert set(statuses.values()) == {"SUCCEEDED"}


def test_marked_success_cancels_nothing(airflow: LocalAirflow, sandbox: SandboxProcess, export: CrmExport) -> None:
    wait = waiting(airflow, sandbox, export)
    # What the triggerer sees for all is in the log of each: the worker has told it once before.
    wait_until(lambda: wait.log().count(" PENDING") >= 2, what="a look", timeout_s=60, last_seen=wait.log)

    wait.mark("success")

    wait.until_log("still waited for")
    assert not wait.cancellations()


def triggerers(airflow: LocalAirflow) -> set[int]:
    """Return the ids of all triggerers that have ever begun."""
    return {int(job["id"]) for job in airflow.api.jobs() if job["job_type"] == "TriggererJob"}


def test_a_triggerer_that_was_taken_for_dead_cancels_nothing(
    airflow: LocalAirflow, sandbox: SandboxProcess, export: CrmExport
) -> None:
    known = triggerers(airflow)
    second = airflow.add_triggerer()
    try:
        ids_of_second = wait_until(lambda: triggerers(airflow) - known, what="the second triggerer", timeout_s=60)
        wait = waiting(airflow, sandbox, export)
        owner = wait.triggerer()
        frozen = second if owner in ids_of_second else TRIGGERER
        airflow.freeze(frozen)
        try:
            wait_until(lambda: wait.triggerer() != owner, what="the other triggerer has it", timeout_s=90, interval_s=1)
        finally:
            airflow.thaw(frozen)
        wait.until_log("still waited for")

        sandbox.control("POST", "release")
        assert airflow.api.wait_run(DEFERRED, wait.run_id) == "success"
        assert not wait.cancellations()
        assert set(wait.statuses().values()) == {"SUCCEEDED"}
        # Both had it for a while, and the task was resumed once.
        assert wait.log().count("Trigger fired event") == 1
    finally:
        airflow.stop_component(second)
