from __future__ import annotations

import json
import logging
import math
from typing import TYPE_CHECKING

import pytest

from airflow_provider_mics.bulk.watch import LOST_GRACE_S, MAX_LOOKS_WITHOUT_RESULT, MAX_REFUSALS, Look, Step, Watch
from airflow_provider_mics.exceptions import (
    MicsAuthenticationError,
    MicsNotFoundError,
    MicsServerError,
    MicsTransportError,
    Outcome,
)
from tests.unit.bulk.executions import execution

if TYPE_CHECKING:
    from airflow_provider_mics.api.models import Execution

DOWN = MicsServerError(call="look", http_status=503)
CUT = MicsTransportError("cut.", call="look", outcome=Outcome.UNKNOWN)
UNKNOWN_TOKEN = MicsAuthenticationError(call="look", http_status=401)
GONE = MicsNotFoundError(call="look", http_status=404)


def watch(execution_ids: list[str] | None = None, deadline: float = 100.0) -> Watch:
    return Watch(document_import_id="7", execution_ids=execution_ids, deadline=deadline)


@pytest.mark.parametrize(
    "status", ["PENDING", "RUNNING", "SCHEDULED", "WAITING_DEPENDENT_JOB", "NEW_WORD", "succeeded", ""]
)
def test_waits_while_one_has_not_ended(status: str) -> None:
    assert watch().saw([execution(1, success=1), execution(2, status)], now=0) is Step.WAIT


@pytest.mark.parametrize("status", ["SUCCEEDED", "SUCCESS", "FAILED", "CANCELED", "CANCELLED"])
def test_ends_when_all_have_ended(status: str) -> None:
    assert watch().saw([execution(1, success=1), execution(2, status, success=0)], now=0) is Step.ENDED


def test_a_result_while_still_pending_is_no_end() -> None:
    # The sample of "Sending documents" shows status PENDING with result and end_date.
    assert watch().saw([execution(1, "PENDING", success=1, end_date=5)], now=0) is Step.WAIT


def test_an_end_seen_after_the_deadline_is_an_end() -> None:
    assert watch(deadline=10).saw([execution(1, success=1)], now=99) is Step.ENDED


def test_the_deadline_ends_waiting() -> None:
    assert watch(deadline=10).saw([execution(1, "RUNNING")], now=9.9) is Step.WAIT
    assert watch(deadline=10).saw([execution(1, "RUNNING")], now=10) is Step.TIMEOUT
    assert watch(deadline=10).failed(DOWN, now=10) is Step.TIMEOUT


def test_all_of_an_import_is_at_least_one() -> None:
    assert watch(None).saw([], now=0) is Step.WAIT
    assert watch([]).saw([], now=0) is Step.ENDED


def test_success_without_a_result_is_looked_at_again_but_not_for_ever() -> None:
    following = watch()
    steps = [following.saw([execution(1)], now=0) for _ in range(MAX_LOOKS_WITHOUT_RESULT + 1)]

    assert steps == [Step.WAIT] * MAX_LOOKS_WITHOUT_RESULT + [Step.ENDED]


@pytest.mark.parametrize("status", ["LOST", "EXECUTOR_NOT_RESPONDING"])
def test_a_lost_execution_has_time_to_come_back(status: str) -> None:
    following = watch(deadline=math.inf)
    found = [execution(1, success=1), execution(2, status)]

    assert following.saw(found, now=5) is Step.WAIT
    assert following.saw(found, now=5 + LOST_GRACE_S - 0.1) is Step.WAIT
    assert following.saw(found, now=5 + LOST_GRACE_S) is Step.LOST


@pytest.mark.parametrize("status", ["RUNNING", "PENDING"])
def test_one_that_comes_back_or_another_that_runs_begins_the_time_anew(status: str) -> None:
    following = watch(deadline=math.inf)
    following.saw([execution(1, success=1), execution(2, "LOST")], now=0)
    following.saw([execution(1, status), execution(2, "LOST")], now=LOST_GRACE_S)
    following.saw([execution(1, success=1), execution(2, status)], now=LOST_GRACE_S + 1)

    assert following.saw([execution(1, success=1), execution(2, "LOST")], now=2 * LOST_GRACE_S) is Step.WAIT
    assert following.saw([execution(1, success=1), execution(2, success=1)], now=2 * LOST_GRACE_S) is Step.ENDED


def test_a_lost_execution_does_not_outlive_the_deadline() -> None:
    assert watch(deadline=10).saw([execution(1, "LOST")], now=10) is Step.TIMEOUT


def test_failed_looks_neither_spend_nor_renew_the_time_of_the_lost() -> None:
    following = watch(deadline=math.inf)
    following.saw([execution(1, "LOST")], now=0)
    following.failed(DOWN, now=LOST_GRACE_S)

    assert following.saw([execution(1, "LOST")], now=LOST_GRACE_S) is Step.LOST


def test_running_and_then_pending_again_is_no_end() -> None:
    following = watch()
    for status in ["PENDING", "RUNNING", "PENDING", "RUNNING"]:
        assert following.saw([execution(1, status)], now=0) is Step.WAIT
    assert following.saw([execution(1, success=1)], now=0) is Step.ENDED


def test_another_process_goes_on_with_what_earlier_looks_have_seen() -> None:
    first, second, third = watch(deadline=math.inf), watch(deadline=math.inf), watch(deadline=math.inf)
    assert first.memory is None

    first.saw([execution(1, "LOST")], now=7)
    second.memory = json.loads(json.dumps(first.memory))
    second.failed(GONE, now=8)
    third.memory = json.loads(json.dumps(second.memory))

    assert third.failed(GONE, now=9) is Step.WAIT
    assert third.failed(GONE, now=9) is Step.GIVE_UP
    assert third.saw([execution(1, "LOST")], now=7 + LOST_GRACE_S) is Step.LOST


@pytest.mark.parametrize(
    ("step", "status"), [(Step.ENDED, "SUCCEEDED"), (Step.LOST, "LOST"), (Step.TIMEOUT, "RUNNING")]
)
def test_who_takes_over_does_not_wait_again(step: Step, status: str) -> None:
    following = watch()
    following.take_over(step)

    assert following.saw([execution(1, status)], now=0) is step


@pytest.mark.parametrize("step", [Step.LOST, Step.TIMEOUT])
def test_who_takes_over_sees_an_end_that_came_meanwhile(step: Step) -> None:
    following = watch()
    following.take_over(step)

    assert following.saw([execution(1, success=1)], now=0) is Step.ENDED


@pytest.mark.parametrize("error", [DOWN, CUT])
def test_a_failed_look_decides_nothing(error: MicsServerError | MicsTransportError) -> None:
    following = watch()

    assert {following.failed(error, now=0) for _ in range(100)} == {Step.WAIT}


def test_a_look_is_judged_by_the_time_at_which_it_ended() -> None:
    clock = 5.0
    running = {"1": execution(1, "RUNNING")}

    def slowly(_: object) -> dict[str, Execution]:
        nonlocal clock
        clock = 11.0
        return running

    def in_vain(_: object) -> dict[str, Execution]:
        slowly(_)
        raise DOWN

    assert watch(deadline=10).look(slowly, "1", lambda: clock) == Look(Step.TIMEOUT, running)
    clock = 5.0
    assert watch(deadline=10).look(in_vain, "1", lambda: clock) == Look(Step.TIMEOUT, failure=str(DOWN))


def test_refusals_in_a_row_end_waiting() -> None:
    following = watch()
    steps = [following.failed(error, now=0) for error in [UNKNOWN_TOKEN, GONE, UNKNOWN_TOKEN]]

    assert steps == [Step.WAIT, Step.WAIT, Step.GIVE_UP]
    assert len(steps) == MAX_REFUSALS


def test_a_good_look_or_another_failure_ends_a_row_of_refusals() -> None:
    following = watch()
    for _ in range(2 * MAX_REFUSALS):
        assert following.failed(GONE, now=0) is Step.WAIT
        assert following.failed(GONE, now=0) is Step.WAIT
        following.saw([execution(1, "RUNNING")], now=0)
        assert following.failed(GONE, now=0) is Step.WAIT
        assert following.failed(DOWN, now=0) is Step.WAIT


def test_tells_a_change_once_and_failures_more_and_more_rarely(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    following = watch()
    for _ in range(5):
        following.saw([execution(1, "RUNNING"), execution(2, "NEW_WORD")], now=0)
    for _ in range(9):
        following.failed(DOWN, now=0)

    told = [record.getMessage().split(";")[0] for record in caplog.records]
    assert told == [
        "Execution 2 has the status 'NEW_WORD', which this provider does not know",
        "Document import 7: 1 NEW_WORD, 1 RUNNING",
        "Look 1 in a row failed",
        "Look 2 in a row failed",
        "Look 4 in a row failed",
        "Look 8 in a row failed",
    ]


def test_a_pause_is_spread_and_ends_at_the_deadline() -> None:
    pauses = {watch().pause(10, now=0) for _ in range(50)}

    assert all(9 <= pause <= 11 for pause in pauses)
    assert len(pauses) > 10
    assert watch(deadline=10).pause(60, now=8) == 2
    assert watch(deadline=10).pause(60, now=12) == 0
