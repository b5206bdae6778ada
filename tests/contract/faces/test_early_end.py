"""Ending a bad load before all of it is sent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.exceptions import MicsConfigurationError, MicsError, MicsRejectedLinesError, MicsWaitError
from airflow_provider_mics.operators.import_files import MicsImportFilesOperator
from tests.contract.faces.conftest import Night, TaskStateStore, profile

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox


def load(night: Night, path: str, **arguments: Any) -> Any:
    return MicsImportFilesOperator(
        task_id="load",
        document_type="USER_PROFILE",
        name="Night",
        path=path,
        **{"poke_interval": 0.01, "max_part_bytes": 800, "parallel_uploads": 4, **arguments},
    ).execute(night.context)


def lines(night: Night, *, bad: int, good: int = 20) -> str:
    """Write a file whose first lines are such that only the platform can tell that they are bad."""
    marked = [profile(number).replace(b"Lyon", b"REJECT-ME") for number in range(bad)]
    return night.file("a.ndjson", *marked, *[profile(number) for number in range(100, 100 + good)])


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    sandbox.settings.reject_marker = "REJECT-ME"
    return sandbox


def test_a_bad_canary_is_all_that_is_sent(sandbox: Sandbox, night: Night) -> None:
    with pytest.raises(MicsRejectedLinesError, match=r"The canary .* was sent alone: 1 of 4 lines was rejected"):
        load(night, lines(night, bad=1), canary=True)
    assert len(sandbox.executions) == 1


def test_a_good_canary_is_followed_by_the_rest(sandbox: Sandbox, night: Night) -> None:
    summary = load(night, lines(night, bad=0), canary=True)

    assert summary["accepted"] == 20
    (first, second) = [item for item in sandbox.requests if item.kind == "create_execution"][:2]
    looks = [item for item in sandbox.requests if item.kind in {"get_execution", "list_executions"}]
    assert any(first.number < look.number < second.number for look in looks)


def test_one_part_is_its_own_canary(sandbox: Sandbox, night: Night) -> None:
    assert load(night, lines(night, bad=0, good=1), canary=True)["accepted"] == 1


def test_a_canary_that_does_not_end_is_waited_for_in_the_next_try_and_not_sent_again(
    sandbox: Sandbox, night: Night
) -> None:
    night.store = TaskStateStore()
    path = lines(night, bad=0)
    sandbox.hold()
    with pytest.raises(MicsWaitError, match=r"The canary, execution [0-9]+ .* has not ended") as raised:
        load(night, path, canary=True, timeout=0.05)
    assert raised.value.retryable
    assert len(sandbox.executions) == 1
    sandbox.release()
    night.retry()
    # The first try's deadline stands for the load; the canary has its own.
    for key in [key for key in night.store.values if key == "mics_wait"]:
        del night.store.values[key]

    summary = load(night, path, canary=True, timeout=20)

    assert summary["accepted"] == 20
    assert len(sandbox.executions) == summary["parts"]


def test_a_retry_does_not_extend_the_wait_for_a_canary(sandbox: Sandbox, night: Night) -> None:
    night.store = TaskStateStore()
    path = lines(night, bad=0)
    sandbox.hold()
    with pytest.raises(MicsWaitError):
        load(night, path, canary=True, timeout=0.05)
    night.retry()
    kept = night.store.get("mics_wait")
    night.store.set("mics_wait", {**kept, "started_at": kept["started_at"] - 3600})
    looks = sandbox.count("get_execution")

    with pytest.raises(MicsWaitError, match="The canary"):
        load(night, path, canary=True, timeout=3600)
    assert sandbox.count("get_execution") == looks + 2, "one to see what was cancelled since, one at the end"


@pytest.mark.parametrize(("cancels", "status"), [(False, "PENDING"), (True, "CANCELED")])
def test_the_deadline_of_a_canary_cancels_it_only_if_asked(
    sandbox: Sandbox, night: Night, cancels: bool, status: str
) -> None:
    sandbox.hold()

    with pytest.raises(MicsWaitError, match="The canary") as raised:
        load(night, lines(night, bad=0), canary=True, timeout=0.05, cancel_on_timeout=cancels)

    assert [sandbox.execution(item.id)["status"] for item in sandbox.executions] == [status]
    assert raised.value.retryable is not cancels


def test_sending_stops_beyond_the_rejected_lines_allowed(sandbox: Sandbox, night: Night) -> None:
    sandbox.settings.pending_s = sandbox.settings.running_s = 0.0
    path = lines(night, bad=9, good=300)

    with pytest.raises(
        MicsRejectedLinesError,
        match=r"has rejected \d+ lines so far, in \d executions?, more than abort_after_rejected=2 allows\. No other",
    ) as raised:
        load(night, path, abort_after_rejected=2, parallel_uploads=1, poke_interval=0.0, max_rejected=1000)

    assert not raised.value.retryable
    assert 1 <= len(sandbox.executions) < 10


def test_what_is_pending_is_cancelled_when_sending_stops(sandbox: Sandbox, night: Night) -> None:
    sandbox.settings.pending_s = 600
    path = lines(night, bad=3, good=30)
    plan = sandbox.faults.plan("hold", kind="create_execution", when="after_body", after=4)
    outcome: list[BaseException] = []

    def run() -> None:
        try:
            load(night, path, abort_after_rejected=2, parallel_uploads=1, poke_interval=0.0)
        except MicsError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    plan.wait_held(1)
    first = min(sandbox.executions, key=lambda item: int(item.id)).id
    sandbox.set_status(first, "SUCCEEDED")
    plan.release()
    thread.join(30)

    assert isinstance(outcome[0], MicsRejectedLinesError)
    states = {item.id: sandbox.execution(item.id)["status"] for item in sandbox.executions}
    assert states.pop(first) == "SUCCEEDED"
    assert set(states.values()) == {"CANCELED"}
    assert f"{len(states) + 1} parts had been sent; cancelled, as still pending: {len(states)}." in str(outcome[0])


def test_a_number_that_means_nothing_is_refused(sandbox: Sandbox, night: Night) -> None:
    with pytest.raises(MicsConfigurationError, match="abort_after_rejected must be 0 or more"):
        load(night, lines(night, bad=0), abort_after_rejected=-1)
    assert not sandbox.imports
