from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.bulk.verdict import Limits, Tally, judge
from airflow_provider_mics.exceptions import (
    MicsConfigurationError,
    MicsCountMismatchError,
    MicsExecutionFailedError,
    MicsLoadError,
    MicsRejectedLinesError,
)
from tests.unit.bulk.executions import execution

if TYPE_CHECKING:
    from airflow_provider_mics.api.models import Execution

# The second sample execution of "Bulk processing": SUCCEEDED with every line failed.
SAMPLE_MESSAGE = (
    "0 success, 4 failures\nSaved errors:\n"
    "No profile id found while upserting a user profile Error id = 9d5016ea-6b7b-4c64-bc74-60ba207e3bed.\n"
    "No profile id found while upserting a user profile Error id = 99f8d9bb-4c94-49ea-8bb2-934bc6056cac.\n"
    "No profile id found while upserting a user profile Error id = d1216b0e-619c-4d92-9098-cc5ae4ac8e16.\n"
    "No profile id found while upserting a user profile Error id = a92d3258-163c-4b9d-949e-94f9006cd77d.\n"
)


def verdict(*executions: Execution, lines_sent: int | None = None, limits: Limits | None = None) -> Tally:
    return judge(executions, load="Document import 7", lines_sent=lines_sent, limits=limits or Limits())


def test_all_lines_in_is_good() -> None:
    tally = verdict(execution(1, success=4, lines=4), execution(2, "SUCCESS", success=3, lines=3), lines_sent=7)

    assert (tally.lines, tally.accepted, tally.rejected, tally.reasons) == (7, 7, 0, ())


def test_nothing_sent_is_good() -> None:
    assert verdict(lines_sent=0).lines == 0


def test_succeeded_with_every_line_failed_is_not_good() -> None:
    sample = execution(11170897, success=0, failure=4, lines=4, message=SAMPLE_MESSAGE)

    with pytest.raises(MicsRejectedLinesError) as raised:
        verdict(sample, lines_sent=4)

    assert str(raised.value).startswith(
        "Document import 7: 4 of 4 lines were rejected, more than max_rejected=0 allows: "
        "4 x No profile id found while upserting a user profile (for example error id 9d5016ea-"
    )


@pytest.mark.parametrize(
    ("limits", "rejected", "good"),
    [
        (Limits(), 0, True),
        (Limits(), 1, False),
        (Limits(max_rejected=10), 10, True),
        (Limits(max_rejected=10), 11, False),
        (Limits(max_rejected=None, max_rejected_ratio=0.1), 10, True),
        (Limits(max_rejected=None, max_rejected_ratio=0.1), 11, False),
        (Limits(max_rejected=5, max_rejected_ratio=0.1), 6, False),
        (Limits(max_rejected=50, max_rejected_ratio=0.1), 11, False),
        (Limits(max_rejected=None, max_rejected_ratio=0.0), 1, False),
        (Limits(max_rejected=None, max_rejected_ratio=1.0), 100, True),
        (Limits(max_rejected=None), 100, True),
    ],
)
def test_limits_hold_over_all_executions_together(limits: Limits, rejected: int, good: bool) -> None:
    half = rejected // 2
    parts = (
        execution(1, success=50 - half, failure=half),
        execution(2, success=50 - (rejected - half), failure=rejected - half),
    )

    if good:
        assert verdict(*parts, lines_sent=100, limits=limits).rejected == rejected
    else:
        with pytest.raises(MicsRejectedLinesError, match=rf"{rejected} of 100 lines"):
            verdict(*parts, lines_sent=100, limits=limits)


def test_a_ratio_beside_the_default_number_says_what_to_set() -> None:
    with pytest.raises(MicsRejectedLinesError, match="Set max_rejected=None"):
        verdict(execution(success=99, failure=1), lines_sent=100, limits=Limits(max_rejected_ratio=0.5))


@pytest.mark.parametrize("status", ["FAILED", "CANCELED", "CANCELLED", "LOST", "EXECUTOR_NOT_RESPONDING"])
def test_an_execution_that_did_not_run_to_its_end_is_not_good(status: str) -> None:
    with pytest.raises(MicsExecutionFailedError, match=rf"1 of 2 executions .*: 2 {status}"):
        verdict(execution(1, success=1), execution(2, status, success=1), lines_sent=2)


@pytest.mark.parametrize(
    "counts",
    [
        {"success": None},
        {"success": 4, "failure": None},
        {"success": -1, "failure": 5},
        {"success": 5, "failure": -1},
    ],
)
def test_missing_and_impossible_counts_are_never_good(counts: dict[str, Any]) -> None:
    with pytest.raises(MicsCountMismatchError, match="execution 1 ended as SUCCEEDED without saying"):
        verdict(execution(1, lines=4, **counts), lines_sent=4, limits=Limits(max_rejected=None))


def test_counts_may_be_texts() -> None:
    assert verdict(execution(success="4", failure="0"), lines_sent=4).accepted == 4


@pytest.mark.parametrize(("success", "sent"), [(3, 4), (5, 4), (0, 4)])
def test_lines_that_are_not_accounted_for_are_never_good(success: int, sent: int) -> None:
    with pytest.raises(MicsCountMismatchError, match=rf"{sent} lines were sent, .* accounts for {success}"):
        verdict(execution(success=success, lines=success), lines_sent=sent, limits=Limits(max_rejected=None))


def test_without_our_own_count_the_received_lines_are_accounted_for() -> None:
    assert verdict(execution(success=4, lines=4)).lines == 4
    with pytest.raises(MicsCountMismatchError, match="5 lines were sent"):
        verdict(execution(success=4, lines=5))


@given(
    st.lists(st.tuples(st.integers(-2, 20), st.integers(-2, 20), st.sampled_from(["SUCCEEDED", "FAILED"]))),
    st.integers(0, 100),
    st.integers(0, 20),
)
def test_green_means_in(parts: list[tuple[int, int, str]], sent: int, most: int) -> None:
    executions = [execution(n, status, success=s, failure=f) for n, (s, f, status) in enumerate(parts)]
    try:
        verdict(*executions, lines_sent=sent, limits=Limits(max_rejected=most))
    except MicsLoadError:
        return
    assert all(status == "SUCCEEDED" for _, _, status in parts)
    assert sum(success + failure for success, failure, _ in parts) == sent
    assert sum(failure for _, failure, _ in parts) <= most


@pytest.mark.parametrize(
    ("number", "ratio", "limits"),
    [
        (0, None, Limits()),
        ("10", None, Limits(max_rejected=10)),
        ("None", "0.5", Limits(max_rejected=None, max_rejected_ratio=0.5)),
        ("", 1, Limits(max_rejected=None, max_rejected_ratio=1.0)),
        (None, None, Limits(max_rejected=None)),
    ],
)
def test_limits_may_come_through_a_template(number: Any, ratio: Any, limits: Limits) -> None:
    assert Limits.of(number, ratio) == limits


@pytest.mark.parametrize(("number", "ratio"), [(-1, None), (0, 1.1), (0, -0.1), ("many", None), (0, "half")])
def test_limits_that_mean_nothing_are_refused(number: Any, ratio: Any) -> None:
    with pytest.raises(MicsConfigurationError, match="max_rejected"):
        Limits.of(number, ratio)
