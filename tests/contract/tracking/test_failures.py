"""Items that do not get in: what is sent again, what is reported, and when sending stops."""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import pytest

from airflow_provider_mics.bulk.items.ending import MAX_FAILURES_IN_A_ROW
from airflow_provider_mics.exceptions import MicsItemsError, MicsSourceError
from airflow_provider_mics.operators.tracking import (
    MicsSendUserActivitiesOperator,
    MicsSetUserChoicesOperator,
    MicsUpsertUserProfilesOperator,
)
from tests.contract.tracking.conftest import activity, choice, profile, unique_key

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.tracking.conftest import Task

ACTIVITY = "create_user_activity"
#: Faults after which nobody knows whether the item is in: how they are planned, and how often the item is in.
LEAVE_UNKNOWN: tuple[tuple[dict[str, Any], int], ...] = (
    ({"action": "reset", "when": "after_commit"}, 1),
    ({"action": "close", "when": "after_body"}, 0),
    ({"action": "status", "when": "after_commit", "status": 502}, 1),
    ({"action": "status", "when": "before_body", "status": 503}, 0),
    ({"action": "not_json"}, 1),
    ({"action": "cut"}, 1),
)
each_unknown = pytest.mark.parametrize(
    ("fault", "is_in"), LEAVE_UNKNOWN, ids=[f"{case[0]['action']}-{case[1]}" for case in LEAVE_UNKNOWN]
)


def test_refused_items_are_put_aside_with_the_answer(sandbox: Sandbox, task: Task) -> None:
    sandbox.faults.plan("status", kind=ACTIVITY, status=422, text="No such site", code="BAD_SITE", after=2)
    lines = [activity(number) for number in range(5)]
    result = task.run(
        MicsSendUserActivitiesOperator,
        path=task.file(lines),
        concurrency=1,
        max_rejected=1,
        dead_letter_path=task.dead_letter_path,
    )

    assert (result["accepted"], result["rejected"], result["unknown"]) == (4, 1, 0)
    assert result["dead_letter"] == {"path": task.dead_letter_path, "lines": 1}
    (aside,) = task.dead_letters()
    assert (aside["line"], json.loads(aside["content"])) == (3, lines[2])
    answer = aside["answer"]
    assert (answer["outcome"], answer["status"], answer["error_code"]) == ("refused", 422, "BAD_SITE")
    assert answer["error_id"]


@pytest.mark.parametrize(
    ("limits", "is_good"),
    [
        ({}, False),
        ({"max_rejected": 1}, False),
        ({"max_rejected": 2}, True),
        ({"max_rejected": "2"}, True),
        ({"max_rejected": None, "max_rejected_ratio": 0.1}, False),
        ({"max_rejected": None, "max_rejected_ratio": 0.2}, True),
    ],
)
def test_limits_decide(sandbox: Sandbox, task: Task, limits: dict[str, Any], *, is_good: bool) -> None:
    sandbox.faults.plan("status", kind="put_user_choice", status=400, text="No such processing", after=5, times=2)
    lines = [choice(number) for number in range(10)]
    if is_good:
        assert task.run(MicsSetUserChoicesOperator, items=lines, **limits)["rejected"] == 2
        return
    with pytest.raises(
        MicsItemsError, match=r"8 of 10 user choices are in, 2 are not.*2 x HTTP 400: No such"
    ) as caught:
        task.run(MicsSetUserChoicesOperator, items=lines, **limits)
    assert not caught.value.retryable


@each_unknown
def test_an_activity_of_which_nobody_knows_is_not_sent_again(
    sandbox: Sandbox, task: Task, fault: dict[str, Any], is_in: int
) -> None:
    sandbox.faults.plan(**fault, kind=ACTIVITY, after=1)
    lines = [activity(number) for number in range(4)]
    with pytest.raises(MicsItemsError, match=r"3 of 4 .* 1 may be \(.*items.ndjson, line 2\)") as caught:
        task.run(
            MicsSendUserActivitiesOperator,
            path=task.file(lines),
            concurrency=1,
            dead_letter_path=task.dead_letter_path,
        )

    assert not caught.value.retryable
    assert sandbox.count(ACTIVITY) == 4
    assert len(sandbox.activities) == 3 + is_in
    (aside,) = task.dead_letters()
    assert (aside["line"], aside["answer"]["outcome"]) == (2, "unknown")
    assert "may be in" in aside["problems"][0]["reason"]


@each_unknown
def test_what_may_be_sent_twice_is_sent_again(sandbox: Sandbox, task: Task, fault: dict[str, Any], is_in: int) -> None:
    sandbox.faults.plan(**fault, after=1)
    assert task.run(MicsUpsertUserProfilesOperator, items=[profile(number) for number in range(4)])["accepted"] == 4

    sandbox.faults.plan(**fault, kind=ACTIVITY, after=1)
    lines = [activity(number, **{"$unique_key": unique_key(number)}) for number in range(4)]
    assert task.run(MicsSendUserActivitiesOperator, items=lines)["accepted"] == 4
    assert sandbox.count(ACTIVITY) == 5


def test_an_activity_that_was_certainly_not_acted_on_is_sent_again(sandbox: Sandbox, task: Task) -> None:
    sandbox.faults.plan("status", kind=ACTIVITY, status=429, times=2, retry_after=0)

    assert task.run(MicsSendUserActivitiesOperator, items=[activity(0), activity(1)])["accepted"] == 2


def test_a_platform_that_is_away_stops_it(sandbox: Sandbox, task: Task) -> None:
    sandbox.faults.plan("status", kind="put_user_choice", times=None, after=100, status=503)
    lines = [choice(number) for number in range(400)]
    with pytest.raises(MicsItemsError, match="Sending stopped") as caught:
        task.run(MicsSetUserChoicesOperator, items=lines)
    assert caught.value.retryable
    assert sandbox.count("status_200") == 100
    received = sandbox.items.received("put_user_choice")
    assert len(received) < 100 + MAX_FAILURES_IN_A_ROW + 16

    sandbox.faults.clear()
    task.retry()
    assert task.run(MicsSetUserChoicesOperator, items=lines)["accepted"] == 400
    committed = sandbox.items.committed("put_user_choice")
    assert len(committed) == 400
    assert set(committed.values()) == {1}


@pytest.mark.parametrize("status", [401, 404])
def test_a_wrong_token_or_datamart_stops_it_for_good(sandbox: Sandbox, task: Task, status: int) -> None:
    sandbox.faults.plan("status", kind=ACTIVITY, status=status, times=None)
    with pytest.raises(MicsItemsError, match=f"HTTP {status}") as caught:
        task.run(MicsSendUserActivitiesOperator, items=[activity(number) for number in range(500)])

    assert not caught.value.retryable
    assert sandbox.count(ACTIVITY) < MAX_FAILURES_IN_A_ROW + 2 * 16


def test_a_file_that_changes_stops_it_and_is_not_mixed_with_the_new_one(sandbox: Sandbox, task: Task) -> None:
    held = sandbox.faults.plan("delay", kind=ACTIVITY, after=10)
    path = task.file([activity(number) for number in range(3000)])
    failures: list[BaseException] = []

    def send() -> None:
        try:
            task.run(MicsSendUserActivitiesOperator, path=path)
        except Exception as error:  # noqa: BLE001 - looked at below
            failures.append(error)

    sending = threading.Thread(target=send)
    sending.start()
    held.wait_fired()
    task.file([activity(number) for number in range(5000, 8000)])
    held.release()
    sending.join()

    (failure,) = failures
    assert isinstance(failure, MicsItemsError | MicsSourceError)
    assert "changed while" in str(failure)
    sent = {name.rpartition("-")[2] for name in sandbox.items.received(ACTIVITY)}
    assert all(int(number) < 3000 for number in sent)


def test_a_task_that_is_ended_waits_for_what_is_under_way_and_goes_on_from_there(sandbox: Sandbox, task: Task) -> None:
    held = sandbox.faults.plan("delay", kind=ACTIVITY, after=50, times=16)
    lines = [activity(number) for number in range(400)]
    failures: list[MicsItemsError] = []

    class Watched(MicsSendUserActivitiesOperator):
        running: ClassVar[list[MicsSendUserActivitiesOperator]] = []

        def execute(self, context: Any) -> dict[str, Any]:
            self.running.append(self)
            return super().execute(context)

    def send() -> None:
        try:
            task.run(Watched, items=lines)
        except MicsItemsError as error:
            failures.append(error)

    sending = threading.Thread(target=send)
    sending.start()
    held.wait_fired(16)
    Watched.running[0].on_kill()
    held.release()
    sending.join()
    assert "66 of 400 user activities are in, 0 are not; 334 were not sent" in str(failures[0])
    assert failures[0].retryable

    task.retry()
    assert task.run(MicsSendUserActivitiesOperator, items=lines)["accepted"] == 400
    assert set(sandbox.items.received(ACTIVITY).values()) == {1}


class TimeIsUpError(BaseException):
    """As Airflow raises on an execution_timeout, from a signal's handler."""


def test_a_timeout_ends_it_as_itself_and_what_is_in_is_known(sandbox: Sandbox, task: Task) -> None:
    held = sandbox.faults.plan("delay", kind=ACTIVITY, after=50, times=16)
    lines = [activity(number) for number in range(400)]

    def time_is_up(*_: object) -> NoReturn:
        # Those under way are answered only now.
        held.release()
        raise TimeIsUpError

    def ring() -> None:
        held.wait_fired(16)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, time_is_up)
    ringing = threading.Thread(target=ring)
    try:
        ringing.start()
        with pytest.raises(TimeIsUpError):
            task.run(MicsSendUserActivitiesOperator, items=lines)
    finally:
        ringing.join()
        signal.signal(signal.SIGUSR1, before)
    assert sandbox.count(ACTIVITY) < 400

    task.retry()
    assert task.run(MicsSendUserActivitiesOperator, items=lines)["accepted"] == 400
    assert set(sandbox.items.received(ACTIVITY).values()) == {1}


def test_nothing_of_a_line_is_in_the_message(sandbox: Sandbox, task: Task) -> None:
    sandbox.faults.plan("status", kind="put_user_profile", status=400, text="No profile for crm-1 <a@b.fr>", times=None)
    with pytest.raises(MicsItemsError) as caught:
        task.run(MicsUpsertUserProfilesOperator, items=[profile(1)])

    assert "crm-1" not in str(caught.value)
    assert "a@b.fr" not in str(caught.value)
