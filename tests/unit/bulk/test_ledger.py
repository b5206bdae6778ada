"""What tries of a task know of each other, and what a new load must not take from an old one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_mics.bulk.ledger import Ledger, PartRecord
from airflow_provider_mics.bulk.state_store import MemoryStore
from tests.unit.bulk.script import stored

#: Airflow's state store takes values of less than this, in bytes ("Task and asset state store", Airflow 3.3).
LARGEST_VALUE = 64 * 1024


class Store(MemoryStore):
    survives = True


def record(execution_id: str | None = None, **fields: Any) -> PartRecord:
    return PartRecord(identity="sha256:1", file="a.ndjson", number=1, execution_id=execution_id, **fields)


def test_the_next_try_knows_what_was_written() -> None:
    store = Store()
    ledger = Ledger.open(store, generation=3)
    ledger.note(document_import_id="7", parts=2)
    ledger.note_part(1, record("12", lines=2, ranges=((0, 5), (9, 3)), version=("size=12",)))
    ledger.note_part(2, record())

    again = Ledger.open(store, generation=3)

    assert again.load.document_import_id == "7"
    assert again.parts() == ledger.parts()
    assert again.parts()[0].sent().ranges == ((0, 5), (9, 3))
    assert again.claimed() == {"12"}
    assert again.earlier_loads() == []


def test_a_clear_begins_a_new_load_that_knows_the_old_ones_executions() -> None:
    store = Store()
    old = Ledger.open(store, generation=0)
    old.note(document_import_id="7")
    old.note_part(1, record("12"))

    new = Ledger.open(store, generation=1)

    assert new.parts() == []
    assert new.load.document_import_id is None
    assert new.claimed() == {"12"}
    (earlier,) = new.earlier_loads(unsettled=True)
    assert (earlier.load.document_import_id, earlier.parts) == ("7", [record("12")])
    new.settle([earlier.id])
    assert Ledger.open(store, generation=1).earlier_loads(unsettled=True) == []
    assert len(Ledger.open(store, generation=1).earlier_loads()) == 1


class CountingStore(Store):
    """Knows which keys were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def get(self, key: str) -> Any:
        self.asked.append(key)
        return super().get(key)


def parts_asked_for(store: CountingStore) -> list[str]:
    asked = [key for key in store.asked if "_part_" in key]
    store.asked.clear()
    return asked


def test_a_new_load_asks_for_no_part() -> None:
    store = CountingStore()
    ledger = Ledger.open(store, generation=0)

    ledger.read()
    for index in (1, 2):
        assert ledger.part(index) is None
        ledger.note_part(index, record())
    assert len(ledger.parts()) == 2

    assert parts_asked_for(store) == []


def test_no_part_is_asked_for_that_is_known_not_to_be_there() -> None:
    store = CountingStore()
    ledger = Ledger.open(store, generation=0)
    ledger.note_part(1, record("12"))
    ledger.note_part(2, record("13"))
    ledger.note(document_import_id="7", parts=2)
    both = ["mics_load_1_part_1", "mics_load_1_part_2"]

    again = Ledger.open(store, generation=0)
    assert len(again.parts()) == len(again.parts()) == 2
    assert again.part(3) is None
    assert parts_asked_for(store) == both

    assert len(Ledger.open(store, generation=1).earlier_loads()[0].parts) == 2
    assert parts_asked_for(store) == both


def test_a_part_beyond_those_that_were_all_is_found_by_the_next_try() -> None:
    store = Store()
    ledger = Ledger.open(store, generation=0)
    ledger.note_part(1, record("12"))
    ledger.note(document_import_id="7", parts=1)
    ledger.note_part(2, record())

    again = Ledger.open(store, generation=0)

    assert again.load.parts is None
    assert [found.is_doubtful for found in again.parts()] == [False, True]
    assert again.leaves_doubt("7") is False
    assert Ledger.open(store, generation=1).leaves_doubt("7")


def test_a_load_that_begins_anew_leaves_the_old_one_to_be_settled() -> None:
    ledger = Ledger.open(Store(), generation=0)
    ledger.note(document_import_id="7", parts=1)
    ledger.note_part(1, record("12"))

    ledger.begin()

    assert ledger.load.parts is None
    assert ledger.part(1) is None
    assert ledger.claimed() == {"12"}
    assert len(ledger.earlier_loads(unsettled=True)) == 1


@pytest.mark.parametrize(
    ("found", "leaves_doubt"), [(record(), True), (record("12"), False), (record(is_withdrawn=True), False)]
)
def test_a_doubtful_part_of_an_earlier_load_leaves_doubt(found: PartRecord, leaves_doubt: bool) -> None:
    store = Store()
    ledger = Ledger.open(store, generation=0)
    ledger.note(document_import_id="7")
    ledger.note_part(1, found)
    assert not ledger.leaves_doubt("7")

    cleared = Ledger.open(store, generation=1)

    assert cleared.leaves_doubt("7") is leaves_doubt
    assert not cleared.leaves_doubt("8")


def test_what_was_there_before_is_foreign() -> None:
    ledger = Ledger.open(Store(), generation=0)
    ledger.note(listed_before=("10",), oldest_listed=1000)
    ledger.note_part(1, record("12"))

    assert ledger.is_foreign(stored(10, creation_date=2000))
    assert ledger.is_foreign(stored(12, creation_date=3000))
    assert ledger.is_foreign(stored(9, creation_date=999))
    # It may have been on the page behind the one that was listed.
    assert ledger.is_foreign(stored(8, creation_date=1000))
    assert not ledger.is_foreign(stored(13, creation_date=3000))
    assert not ledger.is_foreign(stored(14))


@pytest.mark.parametrize("status", ["CANCELED", "CANCELLED"])
def test_what_was_cancelled_is_as_good_as_absent(status: str) -> None:
    assert Ledger.open(Store(), generation=0).is_foreign(stored(1, status=status))


def test_a_store_that_does_not_last_makes_a_retry_blind() -> None:
    assert Ledger.open(MemoryStore(), generation=0, is_retry=True).is_blind
    assert not Ledger.open(MemoryStore(), generation=0, is_retry=False).is_blind
    assert not Ledger.open(Store(), generation=0, is_retry=True).is_blind


def test_each_value_is_small() -> None:
    sizes: list[int] = []

    class Measuring(Store):
        def set(self, key: str, value: Any) -> None:
            sizes.append(len(json.dumps(value)))
            super().set(key, value)

    ledger = Ledger.open(Measuring(), generation=0)
    ledger.note(listed_before=tuple(str(10**9 + number) for number in range(50)))
    many = tuple((10**12 + number, 10**8) for number in range(1000))
    ledger.note_part(1, record("12", ranges=many, version=("size=1", "mtime_ns=2", "inode=3")))

    assert max(sizes) < LARGEST_VALUE
