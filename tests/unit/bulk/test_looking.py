from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.api.conversation import hold
from airflow_provider_mics.api.models import Page
from airflow_provider_mics.bulk.looking import Listing
from tests.unit.bulk.executions import execution

if TYPE_CHECKING:
    from airflow_provider_mics.api.models import Execution


class Import:
    """The list of an import with so many executions, of which the highest id is the newest."""

    def __init__(self, count: int, largest_page: int = 1000, *, tells_total: bool = True) -> None:
        self.ids = range(count, 0, -1)
        self.largest_page = largest_page
        self.tells_total = tells_total
        self.pages: list[int] = []

    def answer(self, call: Any) -> Page[Execution]:
        query = dict(call.query)
        size = min(int(query["max_results"]), self.largest_page)
        self.pages.append(size)
        first = int(query["first_result"])
        items = tuple(execution(item, "RUNNING") for item in self.ids[first : first + size])
        return Page(items=items, total=len(self.ids) if self.tells_total else None, max_results=size)

    def read(self, listing: Listing, wanted: set[int] | None) -> set[int]:
        ids = None if wanted is None else {str(item) for item in wanted}
        return {int(item) for item in hold(listing.read("1", "2", ids), self.answer)}


def test_the_newest_take_one_page_however_long_the_list() -> None:
    huge = Import(100_000)
    wanted = set(range(99_901, 100_001))

    assert huge.read(Listing(), wanted) == wanted
    assert huge.pages == [100]


def test_few_are_not_listed() -> None:
    huge = Import(100_000)

    assert huge.read(Listing(), {100_000, 99_999}) == set()
    assert huge.pages == []


def test_old_ones_are_looked_for_no_longer_than_it_pays_and_then_not_again() -> None:
    huge, listing = Import(100_000), Listing()

    assert huge.read(listing, set(range(1, 11))) == set()
    assert len(huge.pages) <= 4
    huge.pages.clear()
    assert huge.read(listing, set(range(1, 11))) == set()
    assert huge.pages == []


def test_new_waits_make_the_list_pay_again() -> None:
    huge, listing = Import(100_000), Listing()
    huge.read(listing, set(range(1, 11)))
    wanted = {*range(1, 11), *range(99_901, 100_001)}

    assert huge.read(listing, wanted) >= set(range(99_901, 100_001))


def test_all_of_an_import_are_all() -> None:
    for tells_total in (True, False):
        every = Import(1234, tells_total=tells_total)
        assert every.read(Listing(), None) == set(range(1, 1235))


@given(
    count=st.integers(0, 400),
    wanted=st.sets(st.integers(1, 500), max_size=120),
    largest_page=st.integers(1, 600),
    tells_total=st.booleans(),
)
def test_only_what_is_wanted_and_never_dearer_than_one_by_one(
    count: int, wanted: set[int], largest_page: int, tells_total: bool
) -> None:
    some = Import(count, largest_page, tells_total=tells_total)
    found = some.read(Listing(), wanted)

    assert found <= wanted
    asked = min(max(len(wanted), 50), 500)
    assert len(some.pages) <= 1 or len(some.pages) * (1 + asked / 33) <= 2 * len(wanted)


@pytest.mark.parametrize("size", [50, 100, 500])
def test_a_page_is_as_large_as_what_is_wanted(size: int) -> None:
    huge = Import(10_000)
    huge.read(Listing(), set(range(10_001 - size, 10_001)))

    assert huge.pages == [size]
