"""What a new try knows of the items of those before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.bulk.items.progress import MAX_AHEAD, MAX_KEPT, Progress, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable


def written_and_read(progress: Progress) -> Progress:
    text = json.dumps(progress.as_json())
    # Airflow advises to keep a state below 64 KB.
    assert len(text) < 64_000
    read = Progress.of_json(json.loads(text))
    assert read is not None
    return read


def standings(progress: Progress, numbers: Iterable[int]) -> list[str]:
    return [progress.standing(number).value for number in numbers]


def test_before_anything_all_is_to_be_sent() -> None:
    assert standings(Progress("s", 0), (0, 7)) == ["to send", "to send"]


def test_what_is_in_is_not_sent_again_whatever_the_order_it_ended_in() -> None:
    progress = Progress("s", 0)
    for number in (2, 0, 5):
        progress.accept(number)

    assert standings(written_and_read(progress), range(7)) == [
        "ended", "to send", "ended", "to send", "to send", "ended", "to send"
    ]  # fmt: skip


def test_what_was_announced_and_has_not_ended_may_be_in() -> None:
    progress = Progress("s", 0)
    progress.announce([0, 1, 2])
    progress.accept(1)

    assert standings(written_and_read(progress), range(4)) == ["may be in", "ended", "may be in", "to send"]


def test_what_was_announced_and_taken_back_is_to_be_sent() -> None:
    progress = Progress("s", 0)
    progress.announce(range(100))
    progress.accept(0)
    progress.withdraw()

    read = written_and_read(progress)
    assert standings(read, (0, 1, 99)) == ["ended", "to send", "to send"]
    assert read.counts_twice


def test_what_was_refused_is_sent_again_and_may_be_in_once_it_is_announced_again() -> None:
    first = Progress("s", 0)
    first.announce([0, 1])
    first.refuse(0)
    first.accept(1)
    second = written_and_read(first)
    assert standings(second, (0, 1)) == ["to send", "ended"]

    second.announce([0])
    third = written_and_read(second)
    assert standings(third, (0, 1)) == ["may be in", "ended"]

    third.leave_unknown(0)
    fourth = written_and_read(third)
    assert standings(fourth, (0, 1)) == ["unknown", "ended"]
    assert (fourth.accepted, fourth.unknown) == (1, 1)


def test_what_an_earlier_try_announced_stays_open_when_this_one_stops_before_it() -> None:
    first = Progress("s", 0)
    first.announce(range(10))
    second = written_and_read(first)
    second.leave_unknown(0)
    second.withdraw()

    assert standings(written_and_read(second), (0, 1, 9, 10)) == ["unknown", "may be in", "may be in", "to send"]


def test_where_nothing_is_known_everything_may_be_in() -> None:
    progress = Progress("s", 0)
    progress.assume_all_announced()

    assert standings(progress, (0, 10**9)) == ["may be in", "may be in"]


def test_very_many_refusals_are_counted() -> None:
    progress = Progress("s", 0)
    for number in range(2 * MAX_KEPT):
        progress.refuse(number)
    read = written_and_read(progress)

    assert read.not_in == MAX_KEPT
    assert standings(read, (MAX_KEPT - 1, MAX_KEPT)) == ["to send", "ended"]


def test_a_state_of_another_form_is_none() -> None:
    assert Progress.of_json(None) is None
    assert Progress.of_json({"format": 0}) is None
    assert Progress.of_json(["format"]) is None  # type: ignore[arg-type]


def test_the_worst_that_can_be_fits_into_a_state() -> None:
    progress = Progress("f" * 64, 12)
    start = 10**9
    progress._base = start
    for number in range(start, start + 2 * MAX_KEPT, 2):
        progress.refuse(number)
        progress.leave_unknown(number + 1)
    for number in range(start + 2 * MAX_KEPT + 1, start + 2 * MAX_KEPT + MAX_AHEAD, 2):
        assert progress.has_room_for(number)
        progress.accept(number)
    assert not progress.has_room_for(start + 2 * MAX_KEPT + MAX_AHEAD)

    written_and_read(progress)


#: What may happen to an item, in the order in which the items are taken up.
_FATES = st.sampled_from(["accept", "refuse", "leave_unknown", "pass_over", "in flight"])


@given(st.lists(_FATES, max_size=60), st.randoms(use_true_random=False))
def test_nothing_is_lost_and_nothing_that_may_be_in_is_to_be_sent(fates: list[str], dice: object) -> None:
    progress = Progress("s", 0)
    progress.announce(range(len(fates)))
    order = list(enumerate(fates))
    dice.shuffle(order)  # type: ignore[attr-defined]
    for number, fate in order:
        if fate != "in flight":
            getattr(progress, fate)(number)
    expected = {
        "accept": Standing.ENDED,
        "refuse": Standing.TO_SEND,
        "leave_unknown": Standing.UNKNOWN,
        "pass_over": Standing.ENDED,
        "in flight": Standing.MAY_BE_IN,
    }
    read = written_and_read(progress)

    assert [read.standing(number) for number in range(len(fates))] == [expected[fate] for fate in fates]
    assert read.accepted == fates.count("accept")
    assert read.unknown == fates.count("leave_unknown")
    assert read.standing(len(fates)) is Standing.TO_SEND
