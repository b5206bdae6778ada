"""The sensor in its three modes, and the operator that does all in one task: the same loads, the same verdicts."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowSensorTimeout, TaskDeferred

from airflow_provider_mics.bulk import watch as watching
from airflow_provider_mics.exceptions import (
    MicsConfigurationError,
    MicsCountMismatchError,
    MicsExecutionFailedError,
    MicsExecutionLostError,
    MicsRejectedLinesError,
    MicsWaitError,
)
from airflow_provider_mics.operators.import_files import MicsImportFilesOperator
from airflow_provider_mics.operators.upload import MicsUploadFileOperator
from airflow_provider_mics.sensors.execution import MicsExecutionSensor
from tests.contract.faces.conftest import Night, profile, set_token
from tests.contract.faces.test_upload import create, upload

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_mics.operators._task import MicsTask
    from airflow_provider_mics.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("sandbox")

Run = dict[str, Any]
#: Only the platform can know that there is no such compartment.
BAD = profile(0).replace(b"1201", b"9999")


@pytest.fixture(autouse=True)
def compartments(sandbox: Sandbox) -> None:
    sandbox.settings.compartments = ["1201"]


def event_of(deferred: TaskDeferred) -> dict[str, Any]:
    """Run the trigger as the triggerer does: made anew from what it serialized."""
    _, arguments = deferred.trigger.serialize()
    trigger = type(deferred.trigger)(**arguments)

    async def first() -> dict[str, Any]:
        async for event in trigger.run():
            return dict(event.payload)
        raise AssertionError("no event")

    return asyncio.run(first())


def finish(make: Callable[[], MicsTask], context: Any) -> Run:
    """Execute a task, through a deferral if there is one, on a new instance as Airflow does."""
    try:
        result: Run = make().execute(context)
    except TaskDeferred as deferred:
        resumed: Any = make()
        result = resumed.execute_complete(context, event_of(deferred))
    return result


#: Arguments of the upload, where it is a task of its own.
UPLOAD_ARGUMENTS = {"preflight", "dead_letter_path"}


def by_sensor(night: Night, path: str, **arguments: Any) -> Run:
    document_import_id = create(night)
    for_upload = {name: arguments.pop(name) for name in UPLOAD_ARGUMENTS & arguments.keys()}
    execution_ids = upload(night, document_import_id, path, max_part_bytes=2000, **for_upload)

    def make() -> MicsTask:
        # The sensor looks for what was sent at the tasks directly upstream of it.
        with DAG("night", schedule=None):
            before = MicsUploadFileOperator(task_id="upload", document_import_id=document_import_id, path=path)
            sensor = MicsExecutionSensor(
                task_id="wait",
                document_import_id=document_import_id,
                execution_ids=execution_ids,
                **{"poke_interval": 0.01, "timeout": 30, **arguments},
            )
        before >> sensor
        return sensor

    return finish(make, night.context)


def by_operator(night: Night, path: str, **arguments: Any) -> Run:
    def make() -> MicsTask:
        return MicsImportFilesOperator(
            task_id="load",
            document_type="USER_PROFILE",
            name="Night",
            path=path,
            max_part_bytes=2000,
            **{"poke_interval": 0.01, "timeout": 30, **arguments},
        )

    return finish(make, night.context)


@pytest.fixture(params=["sensor poking", "sensor deferred", "operator waiting", "operator deferred"])
def load(request: pytest.FixtureRequest) -> Callable[..., Run]:
    face, how = request.param.split()
    run = by_sensor if face == "sensor" else by_operator

    def loaded(night: Night, path: str, **arguments: Any) -> Run:
        return run(night, path, deferrable=how == "deferred", **arguments)

    return loaded


def test_a_good_load(sandbox: Sandbox, night: Night, load: Callable[..., Run]) -> None:
    path = night.file("a.ndjson", *[profile(number) for number in range(30)])

    summary = load(night, path)

    duration_s = summary.pop("duration_s")
    assert 0 < duration_s < 60
    assert summary == {
        "document_import_id": sandbox.imports[0].id,
        "document_import_name": "Night - 2026-11-23",
        "execution_ids": [part["execution_id"] for part in night.ti.xcoms["mics_parts"]],
        "parts": 3,
        "lines": 30,
        "bytes": sum(len(profile(number)) + 1 for number in range(30)),
        "accepted": 30,
        "rejected": 0,
        "dead_letter": None,
        "report": None,
    }


def test_one_rejected_line_is_red(sandbox: Sandbox, night: Night, load: Callable[..., Run]) -> None:
    path = night.file("a.ndjson", *[profile(number) for number in range(29)], BAD)

    with pytest.raises(MicsRejectedLinesError) as raised:
        load(night, path)

    assert f"Document import {sandbox.imports[0].id} (Night - 2026-11-23): 1 of 30 lines was rejected" in str(
        raised.value
    )
    assert "1 x No profile id found while upserting a user profile" in str(raised.value)


def test_rejected_lines_may_be_allowed(night: Night, load: Callable[..., Run]) -> None:
    path = night.file("a.ndjson", *[profile(number) for number in range(29)], BAD)

    summary = load(night, path, max_rejected=10)

    assert (summary["accepted"], summary["rejected"]) == (29, 1)


def test_the_number_allowed_is_of_all_parts_together(night: Night, load: Callable[..., Run]) -> None:
    path = night.file("a.ndjson", *[BAD if number % 10 == 0 else profile(number) for number in range(60)])

    with pytest.raises(MicsRejectedLinesError, match="6 of 60 lines"):
        load(night, path, max_rejected=5)


def test_lines_that_the_platform_lost_are_red(sandbox: Sandbox, night: Night, load: Callable[..., Run]) -> None:
    path = night.file("a.ndjson", profile(1), profile(2))
    sandbox.settings.execution_override = {
        "parameters": {"number_of_lines": 1},
        "result": {"total_success": 1, "total_failure": 0},
    }

    with pytest.raises(MicsCountMismatchError, match="2 lines were sent, but the platform accounts for 1"):
        load(night, path)


def test_no_result_is_never_green(sandbox: Sandbox, night: Night, load: Callable[..., Run]) -> None:
    path = night.file("a.ndjson", profile(1))
    sandbox.settings.execution_override = {"result": None}

    with pytest.raises(MicsCountMismatchError, match="without saying what became"):
        load(night, path)


@pytest.mark.parametrize("status", ["FAILED", "CANCELED"])
def test_a_bad_end_is_red(sandbox: Sandbox, night: Night, load: Callable[..., Run], status: str) -> None:
    path = night.file("a.ndjson", profile(1))
    sandbox.settings.life_cycle = [("PENDING", 0.01), (status, 0)]

    with pytest.raises(MicsExecutionFailedError, match=rf"1 of 1 execution did not run to its end: .* {status}"):
        load(night, path)


@pytest.mark.parametrize("status", ["LOST", "EXECUTOR_NOT_RESPONDING"])
def test_lost_executions_are_red_after_a_while_and_may_be_tried_again(
    sandbox: Sandbox, night: Night, load: Callable[..., Run], status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = night.file("a.ndjson", profile(1))
    monkeypatch.setattr(watching, "LOST_GRACE_S", 0.1)
    sandbox.settings.life_cycle = [("PENDING", 0.01), (status, 0)]

    with pytest.raises(MicsExecutionLostError, match="has lost sight of executions of document import") as raised:
        load(night, path)
    assert raised.value.retryable


@pytest.mark.parametrize("way", [["RUNNING", "PENDING", "RUNNING"], ["SOMETHING_NEW"]])
def test_odd_ways_to_a_good_end_are_good(
    sandbox: Sandbox, night: Night, load: Callable[..., Run], way: list[str]
) -> None:
    path = night.file("a.ndjson", profile(1))
    sandbox.settings.life_cycle = [("PENDING", 0.02), *[(status, 0.05) for status in way], ("SUCCEEDED", 0)]
    sandbox.settings.counts_as_strings = True

    assert load(night, path)["accepted"] == 1


def test_bad_looks_decide_nothing(sandbox: Sandbox, night: Night, load: Callable[..., Run]) -> None:
    path = night.file("a.ndjson", profile(1))
    sandbox.faults.plan("status", status=502, kind="get_execution", times=2, retry_after=0)
    sandbox.faults.plan("html", kind="get_execution", times=2)

    assert load(night, path)["accepted"] == 1


def test_the_deadline_is_kept(sandbox: Sandbox, night: Night, load: Callable[..., Run]) -> None:
    path = night.file("a.ndjson", profile(1))
    sandbox.hold()
    started = time.monotonic()

    with pytest.raises((AirflowSensorTimeout, MicsWaitError)):
        load(night, path, timeout=0.2)

    assert time.monotonic() - started < 20
    assert not [item for item in sandbox.requests if item.kind == "act_on_execution"]


def test_a_refused_token_ends_the_wait(sandbox: Sandbox, night: Night, load: Callable[..., Run]) -> None:
    path = night.file("a.ndjson", profile(1))
    sandbox.faults.plan("status", status=401, kind="get_execution", times=None)

    with pytest.raises(MicsWaitError, match=r"cannot be looked at.*HTTP 401"):
        load(night, path)


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_token_that_is_replaced_while_waiting_is_used(
    sandbox: Sandbox, night: Night, monkeypatch: pytest.MonkeyPatch, deferrable: bool
) -> None:
    document_import_id = create(night)
    execution_ids = upload(night, document_import_id, night.file("a.ndjson", profile(1)))
    sandbox.hold()

    def rotate() -> None:
        sandbox.rotate_token()
        set_token(monkeypatch, sandbox)
        sandbox.release()

    summary = wait_meanwhile(sandbox, night, document_import_id, execution_ids, rotate, deferrable=deferrable)

    assert summary["accepted"] == 1
    assert sandbox.count("status_401") > 0


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_lost_execution_that_comes_back_is_waited_for(sandbox: Sandbox, night: Night, deferrable: bool) -> None:
    document_import_id = create(night)
    execution_ids = upload(night, document_import_id, night.file("a.ndjson", profile(1)))
    sandbox.set_status(execution_ids[0], "LOST")

    def come_back() -> None:
        sandbox.set_status(execution_ids[0], None)

    summary = wait_meanwhile(sandbox, night, document_import_id, execution_ids, come_back, deferrable=deferrable)

    assert summary["accepted"] == 1


def wait_meanwhile(
    sandbox: Sandbox,
    night: Night,
    document_import_id: str,
    execution_ids: list[str],
    happen: Callable[[], None],
    **arguments: Any,
) -> Run:
    """Wait, while ``happen`` happens after a few looks."""

    def watch() -> None:
        sandbox.wait_until(lambda it: it.count("get_execution") > 2, 30)
        happen()

    watcher = threading.Thread(target=watch)
    watcher.start()
    summary = finish(
        lambda: MicsExecutionSensor(
            task_id="wait",
            document_import_id=document_import_id,
            execution_ids=execution_ids,
            poke_interval=0.01,
            **arguments,
        ),
        night.context,
    )
    watcher.join()
    return summary


def test_an_end_that_other_servers_do_not_know_of_yet_is_waited_for_again(sandbox: Sandbox, night: Night) -> None:
    document_import_id = create(night)
    execution_ids = upload(night, document_import_id, night.file("a.ndjson", profile(1)))
    sandbox.hold()
    sensor = MicsExecutionSensor(
        task_id="wait", document_import_id=document_import_id, execution_ids=execution_ids, deferrable=True
    )
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute(night.context)
    ended = {
        "status": "ended",
        "document_import_id": document_import_id,
        "execution_ids": execution_ids,
        "deadline": deferred.value.trigger.deadline,
    }

    with pytest.raises(TaskDeferred) as again:
        sensor.execute_complete(night.context, ended)
    assert again.value.trigger.serialize() == deferred.value.trigger.serialize()

    # So it is where the worker cannot look at all.
    sandbox.release()
    sandbox.faults.plan("html", kind="get_execution", times=5)
    with pytest.raises(TaskDeferred):
        sensor.execute_complete(night.context, ended)
    assert sensor.execute_complete(night.context, ended)["accepted"] == 1


def test_without_upload_before_it_the_platforms_own_count_serves(night: Night) -> None:
    document_import_id = create(night)
    upload(night, document_import_id, night.file("a.ndjson", profile(1), profile(2)))
    night.ti.xcoms.clear()

    summary = finish(
        lambda: MicsExecutionSensor(task_id="wait", document_import_id=document_import_id, poke_interval=0.01),
        night.context,
    )

    assert (summary["lines"], summary["accepted"], summary["bytes"]) == (2, 2, None)


def test_a_load_of_nothing_is_good(night: Night) -> None:
    document_import_id = create(night)

    summary = finish(
        lambda: MicsExecutionSensor(
            task_id="wait", document_import_id=document_import_id, execution_ids=[], deferrable=True
        ),
        night.context,
    )

    assert (summary["execution_ids"], summary["lines"]) == ([], 0)


def test_not_waiting_says_what_was_sent(sandbox: Sandbox, night: Night) -> None:
    sandbox.hold()

    summary = by_operator(night, night.file("a.ndjson", profile(1)), wait_for_completion=False)

    assert (summary["parts"], summary["lines"], summary["accepted"], summary["rejected"]) == (1, 1, None, None)


def test_limits_are_checked_before_anything_is_sent(sandbox: Sandbox, night: Night) -> None:
    with pytest.raises(MicsConfigurationError, match="max_rejected"):
        by_operator(night, night.file("a.ndjson", profile(1)), max_rejected=-1)

    assert not sandbox.requests


def test_a_trigger_only_reads(sandbox: Sandbox, night: Night) -> None:
    document_import_id = create(night)
    execution_ids = upload(night, document_import_id, night.file("a.ndjson", profile(1)))
    sandbox.hold()
    sensor = MicsExecutionSensor(
        task_id="wait",
        document_import_id=document_import_id,
        execution_ids=execution_ids,
        deferrable=True,
        poke_interval=0.01,
    )
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute(night.context)
    before = len(sandbox.requests)
    sandbox.release()

    async def twice() -> list[Any]:
        _, arguments = deferred.value.trigger.serialize()
        triggers = [type(deferred.value.trigger)(**arguments) for _ in range(2)]

        async def first(trigger: Any) -> Any:
            return [event.payload async for event in trigger.run()]

        return await asyncio.gather(*[first(trigger) for trigger in triggers])

    events = asyncio.run(twice())

    assert [[event["status"] for event in each] for each in events] == [["ended"], ["ended"]]
    assert {request.method for request in list(sandbox.requests)[before:]} == {"GET"}


@pytest.mark.parametrize("event", [None, {}, {"status": "success"}, {"status": "ended"}])
def test_an_unknown_event_is_never_green(night: Night, event: Any) -> None:
    sensor = MicsExecutionSensor(task_id="wait", document_import_id=create(night))

    with pytest.raises(MicsWaitError, match="does not know"):
        sensor.execute_complete(night.context, event)
