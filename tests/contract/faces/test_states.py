"""What a retry, a clear, a mark and a timeout do to a load, by how far it has come. Airflow's part is played."""

from __future__ import annotations

import concurrent.futures
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowTaskTimeout

from airflow_provider_mics.exceptions import MicsError, MicsRejectedLinesError, MicsWaitError
from airflow_provider_mics.operators.import_files import MicsImportFilesOperator
from airflow_provider_mics.operators.upload import MicsUploadFileOperator
from airflow_provider_mics.sensors.execution import MicsExecutionSensor
from tests.contract.faces.conftest import Night, TaskStateStore
from tests.contract.faces.test_adoption import activity, create, in_the_platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.sandbox import Sandbox

TIMEOUT = "execution_timeout"
LINES = [activity(number) for number in range(10)]
both = pytest.mark.parametrize("kind", ["load", "upload"])


class Task:
    """A task that sends ten activities in four parts, one after the other; and Airflow around it."""

    def __init__(self, sandbox: Sandbox, night: Night, kind: str) -> None:
        self.sandbox = sandbox
        self.night = night
        # It has a retry.
        night.ti.max_tries = 1
        night.store = None
        self.document_import_id = create(night) if kind == "upload" else None
        night.store = TaskStateStore()
        self.path = night.file("a.ndjson", *LINES)
        #: What Airflow says of the task.
        self.state: str | None = "running"
        self._new_try()

    def retry(self) -> None:
        self.night.retry()
        self._new_try()

    def clear(self) -> None:
        self.night.clear()
        # Airflow gives it its retries anew.
        self.night.ti.max_tries += 1
        self._new_try()

    def _new_try(self) -> None:
        ti: Any = self.night.ti
        ti.dag_id, ti.task_id, ti.run_id, ti.map_index = "nightly", "load", "tonight", -1
        ti.get_task_states = lambda **_: {"tonight": {"load": self.state}}

    def operator(self, **arguments: Any) -> Any:
        how = {"path": self.path, "parallel_uploads": 1, "max_part_bytes": 800, **arguments}
        if self.document_import_id:
            return MicsUploadFileOperator(task_id="load", document_import_id=self.document_import_id, **how)
        return MicsImportFilesOperator(
            task_id="load", document_type="USER_ACTIVITY", name="Night", **{"poke_interval": 0.01, **how}
        )

    def run(self, **arguments: Any) -> Any:
        return self.operator(**arguments).execute(self.night.context)

    @contextlib.contextmanager
    def on_its_way(self, *, when: Any = "after_commit", **arguments: Any) -> Iterator[Any]:
        """Give the operator, whose second part is on its way; behind the block it arrives, and the task ends."""
        fault = self.sandbox.faults.plan("hold", kind="create_execution", when=when, after=1)
        operator = self.operator(**arguments)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            running = pool.submit(operator.execute, self.night.context)
            fault.wait_held()
            try:
                yield operator
            finally:
                fault.release()
            with pytest.raises(MicsError, match="nothing more is sent"):
                running.result()

    def end(self, operator: Any, how: str) -> None:
        """Do what Airflow does to a task that somebody marks, or that has run for too long."""

        def execute() -> None:
            raise AirflowTaskTimeout

        if how == TIMEOUT:
            try:
                execute()
            except AirflowTaskTimeout:
                operator.on_kill()
        else:
            self.state = how
            operator.on_kill()

    def statuses(self) -> list[str]:
        ids = sorted((item.id for item in self.sandbox.executions), key=int)
        return [self.sandbox.execution(item)["status"] for item in ids]


@pytest.fixture
def task(sandbox: Sandbox, night: Night, kind: str) -> Task:
    return Task(sandbox, night, kind)


@both
@pytest.mark.parametrize(
    ("state", "statuses"),
    [
        ("failed", ["CANCELED", "CANCELED"]),
        ("success", ["PENDING", "PENDING"]),
        ("restarting", ["CANCELED", "CANCELED"]),
    ],
)
def test_a_load_that_is_ended_while_it_is_sent_sends_nothing_more(
    sandbox: Sandbox, task: Task, state: str, statuses: list[str]
) -> None:
    """Airflow lets it go on for five seconds."""
    sandbox.hold()
    with task.on_its_way() as operator:
        task.state = state
        operator.on_kill()

    assert task.statuses() == statuses
    assert len(sandbox.uploads) == 2


@both
def test_a_clear_while_it_is_sent_is_a_new_load(sandbox: Sandbox, task: Task, caplog: pytest.LogCaptureFixture) -> None:
    """Only the part on its way may come in beside it: the platform does not say what a pending execution holds."""
    sandbox.hold()
    store = task.night.store
    assert store
    with task.on_its_way() as operator:
        task.state = "restarting"
        operator.on_kill()
        operator.cancel_on_kill = False
        intent = store.values["mics_load_1_part_2"]
    store.values["mics_load_1_part_2"] = intent
    assert task.statuses() == ["CANCELED", "PENDING"]
    task.state = "running"
    sandbox.release()
    task.clear()

    task.run()

    assert sorted(in_the_platform(sandbox)) == sorted([*LINES, *LINES[4:7]])


@both
def test_a_worker_that_stops_while_it_sends_leaves_the_rest_to_the_retry(sandbox: Sandbox, task: Task) -> None:
    with task.on_its_way() as operator:
        operator.on_kill()
    assert len(sandbox.executions) == 2
    task.retry()

    task.run()

    assert in_the_platform(sandbox) == LINES


@both
def test_a_timeout_while_it_is_sent_leaves_the_rest_to_the_retry(sandbox: Sandbox, task: Task) -> None:
    with task.on_its_way() as operator:
        task.end(operator, TIMEOUT)
    task.retry()

    task.run()

    assert in_the_platform(sandbox) == LINES


@both
def test_a_retry_that_is_ended_before_it_sends_cancels_what_the_try_before_sent(sandbox: Sandbox, task: Task) -> None:
    sandbox.hold()
    with task.on_its_way() as operator:
        operator.on_kill()
    task.retry()
    fault = sandbox.faults.plan("hold", kind="get_document_import", when="before_body")
    operator = task.operator()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(operator.execute, task.night.context)
        fault.wait_held()
        task.state = "failed"
        operator.on_kill()
        fault.release()
        with pytest.raises(MicsError, match="nothing more is sent"):
            running.result()

    assert task.statuses() == ["CANCELED", "CANCELED"]


@both
@pytest.mark.parametrize("how", ["failed", "success", "restarting", TIMEOUT])
def test_a_load_that_is_ended_before_it_has_begun_asks_nothing(sandbox: Sandbox, task: Task, how: str) -> None:
    before = len(sandbox.requests)
    task.end(task.operator(), how)

    assert len(sandbox.requests) == before


@pytest.mark.parametrize("kind", ["load"])
@pytest.mark.parametrize(
    ("how", "status"),
    [("failed", "CANCELED"), ("restarting", "CANCELED"), ("success", "PENDING"), (TIMEOUT, "PENDING")],
)
def test_a_load_that_is_ended_between_parts_sends_nothing_more(
    sandbox: Sandbox, task: Task, how: str, status: str
) -> None:
    sandbox.hold()
    fault = sandbox.faults.plan("hold", kind="get_execution", when="before_body")
    # It looks at its canary.
    operator = task.operator(canary=True, timeout=0.05)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(operator.execute, task.night.context)
        fault.wait_held()
        task.end(operator, how)
        fault.release()
        with pytest.raises(MicsError):
            running.result()

    assert task.statuses() == [status]
    assert len(sandbox.uploads) == 1


@pytest.mark.parametrize("kind", ["load"])
def test_a_retry_of_a_load_whose_verdict_was_bad_sends_nothing_and_judges_again(sandbox: Sandbox, task: Task) -> None:
    """Airflow makes one only with another ``retry_policy``, or below 3.3."""
    sandbox.settings.reject_if = lambda line: b"crm-3" in line
    with pytest.raises(MicsRejectedLinesError) as first:
        task.run()
    assert not first.value.retryable
    task.retry()
    sent = len(sandbox.uploads)

    with pytest.raises(MicsRejectedLinesError) as second:
        task.run()

    assert str(second.value) == str(first.value)
    assert len(sandbox.uploads) == sent


@both
def test_a_clear_of_what_has_succeeded_sends_everything_again(sandbox: Sandbox, task: Task) -> None:
    task.run()
    for item in sandbox.executions:
        sandbox.set_status(item.id, "SUCCEEDED")
    task.clear()

    task.run()

    assert sorted(in_the_platform(sandbox)) == sorted(LINES * 2)


@pytest.mark.parametrize("kind", ["load"])
def test_a_clear_of_what_has_failed_sends_everything_again(sandbox: Sandbox, task: Task) -> None:
    sandbox.settings.reject_if = lambda line: b"crm-3" in line
    with pytest.raises(MicsRejectedLinesError):
        task.run()
    sandbox.settings.reject_if = None
    task.clear()

    assert task.run()["accepted"] == len(LINES)
    assert sorted(in_the_platform(sandbox)) == sorted(LINES * 2)


@both
def test_a_clear_before_anything_was_sent_sends_everything_once(sandbox: Sandbox, task: Task) -> None:
    sandbox.faults.plan("status", status=400, kind="create_execution", when="before_body")
    with pytest.raises(Exception, match="400"):
        task.run()
    task.clear()

    task.run()

    assert in_the_platform(sandbox) == LINES


@pytest.mark.parametrize("kind", ["upload"])
def test_a_retry_of_an_upload_that_was_complete_sends_nothing(sandbox: Sandbox, task: Task) -> None:
    """Where it is killed when all is in: before Airflow has heard of it."""
    before = task.run()
    task.retry()

    assert task.run() == before
    assert len(sandbox.uploads) == len(before)


@pytest.mark.parametrize("kind", ["load"])
def test_a_load_that_is_ended_while_it_waits_cancels_by_how_it_was_ended(sandbox: Sandbox, task: Task) -> None:
    sandbox.hold()
    statuses = {}
    for state in ("success", "running", "failed"):
        task.state = state
        operator = task.operator(timeout=0.05)
        with pytest.raises(MicsWaitError):
            operator.execute(task.night.context)
        operator.on_kill()
        statuses[state] = set(task.statuses())

    assert statuses == {"success": {"PENDING"}, "running": {"PENDING"}, "failed": {"CANCELED"}}
    assert len(sandbox.uploads) == 4


@pytest.mark.parametrize("kind", ["upload"])
def test_a_cleared_upload_gives_the_wait_behind_it_its_new_executions(sandbox: Sandbox, task: Task) -> None:
    sandbox.hold()
    old = task.run()
    task.clear()
    new = task.run()
    sandbox.release()
    sensor = MicsExecutionSensor(
        task_id="wait", document_import_id=task.document_import_id or "", execution_ids=new, poke_interval=0.01
    )
    sensor.execute(task.night.context)

    assert set(new).isdisjoint(old)
    assert in_the_platform(sandbox) == LINES


@pytest.mark.parametrize("kind", ["upload"])
@pytest.mark.parametrize("again", ["retry", "clear"])
def test_a_wait_that_has_ended_judges_again_and_sends_nothing(sandbox: Sandbox, task: Task, again: str) -> None:
    sandbox.settings.reject_if = lambda line: b"crm-3" in line
    sensor = MicsExecutionSensor(
        task_id="wait",
        document_import_id=task.document_import_id or "",
        execution_ids=task.run(),
        poke_interval=0.01,
    )
    sent = len(sandbox.uploads)
    for _ in range(2):
        with pytest.raises(MicsRejectedLinesError):
            sensor.execute(task.night.context)
        getattr(task, again)()

    assert len(sandbox.uploads) == sent
    assert not [item for item in sandbox.requests if item.kind == "act_on_execution"]
