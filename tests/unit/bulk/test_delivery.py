"""Sending a part so that it is in once: what is written before, what after, and what is looked for."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_provider_mics.bulk.delivery import (
    MAX_SENDS,
    SendingStoppedError,
    SourceChangedError,
    Target,
    deliver,
    prepare,
    stop_if_lines_count_again,
)
from airflow_provider_mics.bulk.ledger import Ledger, PartRecord
from airflow_provider_mics.bulk.state_store import MemoryStore
from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsError,
    MicsSourceError,
    MicsStateError,
    MicsUploadError,
)
from tests.unit.bulk.script import ACTIVITIES, Script, away, cut, not_sent, part_of, stored

if TYPE_CHECKING:
    from airflow_provider_mics.bulk.delivery import Job

PART = b"one\ntwo\n"
OTHER = b"six\nten\n"


class Store(MemoryStore):
    """A store that survives, and may be away."""

    survives = True

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False

    def set(self, key: str, value: Any) -> None:
        if self.is_away:
            raise MicsStateError("away")
        super().set(key, value)


class Load:
    """A load over a script."""

    def __init__(self, document_type: str = "USER_ACTIVITY") -> None:
        self.script = Script()
        self.store = Store()
        self.document_type = document_type
        self.begin_try()

    def begin_try(self) -> None:
        self.ledger = Ledger.open(self.store, generation=0)
        self.target = Target(
            datamart_id="1",
            document_import=msgspec.structs.replace(ACTIVITIES, document_type=self.document_type),
            ledger=self.ledger,
            list_lag_s=10.0,
            began=self.script.now,
            now=self.script.time,
        )

    def prepare(self, content: bytes = PART, index: int = 1, canceled: frozenset[str] = frozenset()) -> Job:
        return prepare(self.target, index, *part_of(content, index), canceled)

    def deliver(self, job: Job) -> Any:
        return self.script.hold(deliver(self.target, job))

    def record(self, index: int = 1) -> PartRecord:
        """Return what the next try will know."""
        found = Ledger.open(self.store, generation=0).part(index)
        assert found is not None
        return found


@pytest.fixture
def load() -> Load:
    return Load()


def test_the_intent_is_written_before_the_request_and_the_id_behind_it(load: Load) -> None:
    job = load.prepare()
    assert load.record().is_doubtful

    def answer() -> Any:
        assert load.record().is_doubtful
        return stored(12, PART)

    load.script.posts = [answer]
    sent = load.deliver(job)

    assert sent.execution_id == load.record().execution_id == "12"
    assert (sent.lines, sent.bytes) == (2, 8)


def test_nothing_is_sent_without_a_written_intent(load: Load) -> None:
    load.store.is_away = True

    with pytest.raises(MicsStateError):
        load.prepare()
    assert load.script.calls == []


def test_an_id_that_cannot_be_written_is_no_failure_and_is_found_by_the_next_try(load: Load) -> None:
    job = load.prepare()

    def answer() -> Any:
        load.store.is_away = True
        return stored(12, PART)

    load.script.posts = [answer]
    assert load.deliver(job).execution_id == "12"

    load.store.is_away = False
    load.script.listed, load.script.contents = [stored(12, PART)], {"12": PART}
    load.begin_try()
    assert load.deliver(load.prepare()).execution_id == "12"
    assert load.record().execution_id == "12"


def test_what_is_in_is_not_sent_again(load: Load) -> None:
    load.script.posts = [stored(12, PART)]
    load.deliver(load.prepare())
    load.begin_try()

    assert load.deliver(load.prepare()).execution_id == "12"
    assert len(load.script.calls) == 1


def test_what_was_cancelled_is_sent_again(load: Load) -> None:
    load.script.posts = [stored(12, PART), stored(13, PART)]
    load.deliver(load.prepare())
    load.begin_try()

    assert load.deliver(load.prepare(canceled=frozenset({"12"}))).execution_id == "13"


def test_another_part_in_its_place_is_refused(load: Load) -> None:
    load.prepare()
    load.begin_try()

    with pytest.raises(SourceChangedError):
        load.prepare(OTHER)


@pytest.mark.parametrize("error", [not_sent(), MicsAPIError(call="upload", http_status=413)])
def test_what_was_refused_or_never_left_is_known_not_to_be_in(load: Load, error: MicsError) -> None:
    load.script.posts = [error, stored(12, PART)]
    with pytest.raises(type(error)):
        load.deliver(load.prepare())
    assert load.record().is_withdrawn

    load.begin_try()
    assert load.deliver(load.prepare()).execution_id == "12"
    assert load.script.pauses == []
    assert not load.record().is_withdrawn


def test_a_part_whose_file_changed_on_the_way_is_known_not_to_be_in(load: Load) -> None:
    part, file = part_of(PART)
    job = prepare(load.target, 1, part, file)
    file.content = OTHER

    with pytest.raises(MicsSourceError):
        load.deliver(job)
    assert load.record().is_withdrawn


@pytest.mark.parametrize("error", [cut(), away()])
def test_a_part_of_unknown_outcome_is_looked_for(load: Load, error: MicsError) -> None:
    load.script.posts = [error]
    load.script.listed, load.script.contents = [stored(11, OTHER), stored(12, PART)], {"11": OTHER, "12": PART}

    assert load.deliver(load.prepare()).execution_id == "12"
    assert load.script.posts == []


def test_it_is_sent_again_only_when_it_is_shown_absent(load: Load) -> None:
    def late() -> Any:
        assert load.script.now >= began + 10
        return stored(13, PART)

    began = load.script.now
    load.script.posts = [cut(), late]
    load.script.listed, load.script.contents = [stored(11, OTHER)], {"11": OTHER}

    assert load.deliver(load.prepare()).execution_id == "13"
    assert load.record().times_sent == 2


def test_it_is_not_sent_again_and_again(load: Load) -> None:
    load.script.posts = [cut() for _ in range(10)]

    with pytest.raises(MicsUploadError) as caught:
        load.deliver(load.prepare())

    assert 10 - len(load.script.posts) == MAX_SENDS
    assert caught.value.retryable
    assert load.record().is_doubtful


def test_a_killed_try_leaves_what_the_next_one_looks_for(load: Load) -> None:
    load.prepare()
    load.begin_try()
    load.script.listed, load.script.contents = [stored(12, PART)], {"12": PART}

    assert load.deliver(load.prepare()).execution_id == "12"
    assert load.script.posts == []


def test_an_execution_of_another_part_is_not_taken(load: Load) -> None:
    load.script.posts = [stored(12, PART), cut(), stored(14, PART)]
    load.script.listed, load.script.contents = [stored(12, PART)], {"12": PART}
    load.deliver(load.prepare())

    assert load.deliver(load.prepare(index=2)).execution_id == "14"


def test_parts_of_the_same_bytes_wait_for_the_last_of_them(load: Load) -> None:
    """One may be found in the other's execution, and its own be listed later still."""
    one, other = load.prepare(), load.prepare(index=2)
    script = load.script
    script.listed, script.contents = [stored(12, PART), stored(13, PART)], {"12": PART, "13": PART}
    began = script.now
    script.listed_from = {"12": began + 1, "13": began + 8 + 9.9}
    script.posts = [cut(), cut()]

    conversation = deliver(load.target, one)
    with pytest.raises(MicsError):
        script.perform(next(conversation))
    conversation.throw(cut())
    # While the first is looked for, the second is cut, 8 s later, and found in the execution of the first.
    script.now += 8
    assert load.deliver(other).execution_id == "12"
    conversation.close()
    first = dataclasses.replace(one, may_be_in=began)
    assert load.deliver(first).execution_id == "13"


@pytest.mark.parametrize("document_type", ["USER_ACTIVITY", "USER_PROFILE"])
def test_what_cannot_be_told_stops_activities_and_sends_profiles_again(document_type: str) -> None:
    load = Load(document_type)
    load.script.posts = [cut(), stored(13, PART)]
    load.script.listed = [stored(11, status="FAILED"), stored(12, PART)]
    load.script.contents = {"12": MicsAPIError(call="read", http_status=403)}

    if document_type == "USER_PROFILE":
        assert load.deliver(load.prepare()).execution_id == "13"
        return
    with pytest.raises(MicsUploadError, match="executions 11, 12") as caught:
        load.deliver(load.prepare())
    assert caught.value.execution_ids == ["11", "12"]
    assert "count again" in str(caught.value)
    assert load.record().is_doubtful


def test_a_platform_that_is_away_while_it_is_looked_for_sends_nothing_again(load: Load) -> None:
    load.script.posts = [cut()]
    load.script.listed, load.script.contents = [stored(12, PART)], {"12": away()}

    with pytest.raises(MicsUploadError, match="could not be looked for") as caught:
        load.deliver(load.prepare())
    assert caught.value.retryable
    assert load.record().is_doubtful


def test_a_part_that_nobody_waits_for_any_more_does_not_leave(load: Load) -> None:
    load.target.is_stopped.set()
    load.script.posts = [stored(12, PART)]

    with pytest.raises(SendingStoppedError):
        load.deliver(load.prepare())
    # How much of it had left is not known.
    assert load.record().is_doubtful


def test_without_a_lasting_state_every_part_of_a_retry_is_looked_for() -> None:
    load = Load()
    load.target = dataclasses.replace(load.target, ledger=Ledger.open(MemoryStore(), generation=0, is_retry=True))
    load.script.listed, load.script.contents = [stored(12, PART)], {"12": PART}

    assert load.deliver(load.prepare()).execution_id == "12"


def test_a_load_begins_anew_only_where_nothing_may_be_in_or_lines_may_be_sent_twice() -> None:
    activities, profiles = Load(), Load("USER_PROFILE")
    for load in (activities, profiles):
        stop_if_lines_count_again("It changed.", load.target.document_import, load.ledger)
        load.script.posts = [not_sent()]
        with pytest.raises(MicsError):
            load.deliver(load.prepare())
        stop_if_lines_count_again("It changed.", load.target.document_import, load.ledger)
        load.prepare()

    stop_if_lines_count_again("It changed.", profiles.target.document_import, profiles.ledger)
    with pytest.raises(MicsUploadError, match="It changed") as caught:
        stop_if_lines_count_again("It changed.", activities.target.document_import, activities.ledger)
    assert not caught.value.retryable
