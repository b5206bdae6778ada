from __future__ import annotations

import threading

import pytest

from airflow_provider_mics.api.pace import Pace


@pytest.mark.parametrize("rate", [None, 0])
def test_without_a_rate_nobody_waits(rate: float | None) -> None:
    pace = Pace(rate)
    assert [pace.delay(10.0) for _ in range(100)] == [0.0] * 100


def test_requests_at_once_are_spread_evenly() -> None:
    pace = Pace(4)
    assert [pace.delay(10.0) for _ in range(5)] == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_time_that_has_passed_counts_and_none_is_saved_up() -> None:
    pace = Pace(2)
    assert pace.delay(10.0) == 0
    assert pace.delay(10.3) == pytest.approx(0.2)
    assert [pace.delay(100.0), pace.delay(100.0)] == [0, 0.5]


def test_threads_share_one_sequence() -> None:
    pace, delays, barrier = Pace(1000), list[float](), threading.Barrier(8)

    def take() -> None:
        barrier.wait()
        delays.extend([pace.delay(10.0) for _ in range(50)])

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(delays) == pytest.approx([number / 1000 for number in range(400)])
