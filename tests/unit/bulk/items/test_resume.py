"""What a try does with what earlier ones have left."""

from __future__ import annotations

import pytest

from airflow_provider_mics.bulk.items.progress import Progress, Standing
from airflow_provider_mics.bulk.items.resume import begin
from airflow_provider_mics.exceptions import MicsInputError


def left_by(*, generation: int = 3, source: str = "s", counts_twice: bool = True, is_complete: bool = False) -> dict:  # type: ignore[type-arg]
    progress = Progress(source, generation)
    if counts_twice:
        progress.announce([0, 1])
    progress.accept(0)
    progress.is_complete = is_complete
    return progress.as_json()


def test_the_first_try_sends_all() -> None:
    begun = begin(None, source="s", generation=3, is_blind_retry=False)

    assert begun.standing(0) is Standing.TO_SEND
    assert (begun.source, begun.generation) == ("s", 3)


@pytest.mark.parametrize("counts_twice", [True, False])
@pytest.mark.parametrize("is_complete", [True, False])
def test_a_retry_goes_on(*, counts_twice: bool, is_complete: bool) -> None:
    left = left_by(counts_twice=counts_twice, is_complete=is_complete)
    begun = begin(left, source="s", generation=3, is_blind_retry=False)

    assert begun.standing(0) is Standing.ENDED
    assert begun.standing(1) is (Standing.MAY_BE_IN if counts_twice else Standing.TO_SEND)


def test_a_retry_that_could_be_left_nothing_takes_everything_for_sent() -> None:
    begun = begin(None, source="s", generation=3, is_blind_retry=True)

    assert begun.standing(5) is Standing.MAY_BE_IN


def test_a_retry_with_another_source_is_refused_where_items_count_twice() -> None:
    with pytest.raises(MicsInputError, match="1 items are in"):
        begin(left_by(), source="other", generation=3, is_blind_retry=False)


def test_elsewhere_it_starts_over() -> None:
    begun = begin(left_by(counts_twice=False), source="other", generation=3, is_blind_retry=False)

    assert begun.standing(0) is Standing.TO_SEND


def test_a_clear_of_a_finished_run_sends_all_again_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    begun = begin(left_by(is_complete=True), source="s", generation=4, is_blind_retry=False)

    assert begun.standing(0) is Standing.TO_SEND
    assert "counts again" in caplog.text


def test_a_clear_of_an_unfinished_run_does_not_send_again_what_counts_twice(caplog: pytest.LogCaptureFixture) -> None:
    begun = begin(left_by(), source="s", generation=4, is_blind_retry=False)

    assert begun.standing(0) is Standing.ENDED
    assert begun.generation == 4
    assert "would count twice" in caplog.text


def test_a_clear_sends_again_what_may_be_sent_twice() -> None:
    begun = begin(left_by(counts_twice=False), source="s", generation=4, is_blind_retry=False)

    assert begun.standing(0) is Standing.TO_SEND


def test_a_clear_with_another_source_sends_it_all_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    begun = begin(left_by(), source="other", generation=4, is_blind_retry=False)

    assert begun.standing(0) is Standing.TO_SEND
    assert "all of it is sent" in caplog.text
