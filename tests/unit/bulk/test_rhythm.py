from __future__ import annotations

from airflow_provider_mics.bulk.polling import MIN_INTERVAL_S, Rhythm, spread
from tests.unit.bulk.executions import execution


def test_what_waits_for_its_turn_is_looked_at_as_rarely_as_asked() -> None:
    rhythm = Rhythm()
    for _ in range(5):
        assert rhythm.interval(60) == 60
        rhythm.looked([execution(1, "PENDING")])


def test_after_something_has_moved_the_next_looks_come_soon_and_then_more_rarely() -> None:
    rhythm = Rhythm()
    rhythm.looked([execution(1, "PENDING"), execution(2, "PENDING")])
    rhythm.looked([execution(1, "RUNNING"), execution(2, "PENDING")])
    intervals = []
    for _ in range(6):
        intervals.append(rhythm.interval(60))
        rhythm.looked([execution(1, "RUNNING"), execution(2, "PENDING")])

    assert intervals == [MIN_INTERVAL_S, 10, 20, 40, 60, 60]


def test_what_runs_at_the_first_look_is_near_its_end() -> None:
    rhythm = Rhythm()
    rhythm.looked([execution(1, "RUNNING")])

    assert rhythm.interval(60) == MIN_INTERVAL_S


def test_failures_do_not_hurry() -> None:
    rhythm = Rhythm()
    rhythm.looked([execution(1, "RUNNING")])
    rhythm.failed()

    assert rhythm.interval(60) == 2 * MIN_INTERVAL_S


def test_whoever_asks_for_less_gets_it() -> None:
    rhythm = Rhythm()
    rhythm.looked([execution(1, "RUNNING")])

    assert rhythm.interval(1) == 1


def test_an_interval_is_never_shorter_and_a_tenth_longer_at_most() -> None:
    spreads = {spread(30) for _ in range(100)}

    assert all(30 <= item <= 33 for item in spreads)
    assert len(spreads) > 10
