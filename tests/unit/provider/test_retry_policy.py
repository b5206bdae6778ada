"""Which failures are worth another try."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow.sdk import RetryAction

from airflow_provider_mics import exceptions
from airflow_provider_mics.retry_policy import MicsRetryPolicy

if TYPE_CHECKING:
    from airflow_provider_mics.exceptions import MicsError


def api_error(status: int) -> MicsError:
    return exceptions.MicsAPIError(call="upload part 1", http_status=status)


HOPELESS = [
    exceptions.MicsConfigurationError("no datamart"),
    exceptions.MicsInputError("line 3"),
    exceptions.MicsRejectedLinesError("3 of 4"),
    exceptions.MicsWaitError("late, and cancelled", retryable=False),
    *[api_error(status) for status in (400, 405, 413, 414, 415, 422)],
]
WORTH_A_TRY = [
    exceptions.MicsSourceError("not there yet"),
    exceptions.MicsStateError("not written"),
    exceptions.MicsWaitError("late"),
    exceptions.MicsExecutionLostError("gone"),
    *[api_error(status) for status in (200, 408, 409, 423, 425)],
    ValueError("somebody else's"),
]


@pytest.mark.parametrize("error", HOPELESS, ids=str)
def test_what_would_fail_again_fails_at_once(error: MicsError) -> None:
    decision = MicsRetryPolicy().evaluate(error, 1, 3)

    assert decision.action is RetryAction.FAIL
    assert decision.reason == f"{type(error).__name__}: another try would fail in the same way"


@pytest.mark.parametrize("error", WORTH_A_TRY, ids=str)
def test_anything_else_is_retried_as_the_task_says(error: Exception) -> None:
    assert MicsRetryPolicy().evaluate(error, 1, 3).action is RetryAction.DEFAULT


def test_it_has_no_state() -> None:
    assert isinstance(MicsRetryPolicy.deserialize(MicsRetryPolicy().serialize()), MicsRetryPolicy)
