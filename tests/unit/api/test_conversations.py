from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.api import document_imports, executions
from airflow_provider_mics.api.call import Call
from airflow_provider_mics.api.conversation import Conversation, every_page, hold, hold_async
from airflow_provider_mics.api.models import DocumentImport, Execution, Page
from airflow_provider_mics.exceptions import MicsNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence


def call_at(first_result: int) -> Call[Page[int]]:
    return Call(what=str(first_result), method="GET", path="/", read=lambda _: Page(items=()))


class FakeList:
    """A list that is read page by page, and the offsets it was asked for."""

    def __init__(self, items: Sequence[int], *, size: int, tells_total: bool = True, tells_size: bool = True) -> None:
        self.items, self.size, self.tells_total, self.tells_size = items, size, tells_total, tells_size
        self.offsets: list[int] = []

    def perform(self, call: Call[Any]) -> Page[int]:
        first = int(call.what)
        self.offsets.append(first)
        return Page(
            items=tuple(self.items[first : first + self.size]),
            total=len(self.items) if self.tells_total else None,
            max_results=self.size if self.tells_size else None,
        )


@pytest.mark.parametrize(
    ("count", "offsets_with_total", "offsets_without"),
    [
        (0, [0], [0]),
        (1, [0], [0]),
        (49, [0], [0]),
        (50, [0], [0, 50]),
        (51, [0, 50], [0, 50]),
        (100, [0, 50], [0, 50, 100]),
        (120, [0, 50, 100], [0, 50, 100]),
    ],
)
def test_a_list_is_read_in_as_few_calls_as_it_takes(
    count: int, offsets_with_total: list[int], offsets_without: list[int]
) -> None:
    for tells_total, offsets in ((True, offsets_with_total), (False, offsets_without)):
        fake = FakeList(range(count), size=50, tells_total=tells_total)
        assert hold(every_page(call_at), fake.perform) == list(range(count))
        assert fake.offsets == offsets


def test_a_route_without_pages_sends_all_at_once() -> None:
    fake = FakeList(range(120), size=1000, tells_total=False, tells_size=False)
    assert hold(every_page(call_at), fake.perform) == list(range(120))
    assert fake.offsets == [0]


@given(count=st.integers(0, 200), size=st.integers(1, 60), tells_total=st.booleans())
def test_every_element_is_read_once_whatever_the_size(count: int, size: int, tells_total: bool) -> None:
    fake = FakeList(range(count), size=size, tells_total=tells_total)
    assert hold(every_page(call_at), fake.perform) == list(range(count))
    assert len(fake.offsets) <= count // size + 1


def test_smaller_pages_than_asked_for_are_followed() -> None:
    sizes = iter([50, 20, 20, 20, 10])
    pages = FakeList(range(120), size=50)

    def perform(call: Call[Any]) -> Page[int]:
        pages.size = next(sizes)
        return pages.perform(call)

    assert hold(every_page(call_at), perform) == list(range(120))
    assert pages.offsets == [0, 50, 70, 90, 110]


def test_a_list_that_grows_at_its_head_loses_nothing() -> None:
    fake = FakeList(range(10, 70), size=50)

    def perform(call: Call[Any]) -> Page[int]:
        page = fake.perform(call)
        fake.items = range(8, 70)
        return page

    assert sorted(set(hold(every_page(call_at), perform))) == list(range(10, 70))


def test_a_list_that_shrinks_ends() -> None:
    fake = FakeList(range(120), size=50)

    def perform(call: Call[Any]) -> Page[int]:
        page = fake.perform(call)
        fake.items = range(60)
        return page

    assert hold(every_page(call_at), perform) == [*range(50), *range(50, 60)]


def test_reading_stops_when_it_is_enough() -> None:
    fake = FakeList(range(500), size=50)
    found = hold(every_page(call_at, enough=lambda items: 60 in items), fake.perform)
    assert len(found) == 100
    assert fake.offsets == [0, 50]


class FakeExecutions:
    """The executions of one import, newest first; some may be missing from the list."""

    def __init__(self, count: int, *, unlisted: Sequence[str] = ()) -> None:
        self.all = {str(number): Execution(id=str(number), status="RUNNING") for number in range(count, 0, -1)}
        self.listed = [item for item in self.all.values() if item.execution_id not in unlisted]
        self.calls: list[str] = []

    def perform(self, call: Call[Any]) -> Any:
        if call.query:
            query = dict(call.query)
            first, most = int(query["first_result"]), int(query["max_results"])
            self.calls.append(f"list {first}")
            return Page(items=tuple(self.listed[first : first + most]), total=len(self.listed), max_results=most)
        execution_id = call.path.rsplit("/", 1)[1]
        self.calls.append(f"get {execution_id}")
        if execution_id not in self.all:
            raise MicsNotFoundError(call=call.what, http_status=404)
        return self.all[execution_id]


@pytest.mark.parametrize(
    ("wanted", "unlisted", "calls"),
    [
        ([], [], []),
        (["7"], [], ["get 7"]),
        (["7", "8", "9"], [], ["get 7", "get 8", "get 9"]),
        (["7", "7", "7", "7"], [], ["get 7"]),
        (["97", "98", "99", "100"], [], ["list 0"]),
        (["1", "98", "99", "100"], [], ["list 0", "list 50"]),
        (["97", "98", "99", "100"], ["98"], ["list 0", "list 50", "get 98"]),
        # Pages are as large as what is waited for.
        ([str(number) for number in range(1, 101)], [], ["list 0"]),
    ],
)
def test_some_executions_are_read_in_few_calls(wanted: list[str], unlisted: list[str], calls: list[str]) -> None:
    fake = FakeExecutions(100, unlisted=unlisted)
    found = hold(executions.read_some("1", "2", wanted), fake.perform)
    assert sorted(fake.calls) == sorted(calls)
    assert list(found) == list(dict.fromkeys(wanted))
    assert all(found[item].execution_id == item for item in wanted)


@pytest.mark.parametrize("wanted", [["999"], ["1", "2", "3", "999"]])
def test_an_execution_that_does_not_exist_is_an_error(wanted: list[str]) -> None:
    with pytest.raises(MicsNotFoundError):
        hold(executions.read_some("1", "2", wanted), FakeExecutions(5).perform)


def test_all_executions_are_read_newest_first_without_doubles() -> None:
    fake = FakeExecutions(60)
    fake.listed.insert(50, fake.listed[49])
    assert list(hold(executions.read_all("1", "2"), fake.perform)) == [str(number) for number in range(60, 0, -1)]


def test_an_import_is_found_by_its_exact_name_type_and_mime_type() -> None:
    def found(id_: str, name: str, document_type: str = "USER_PROFILE", mime_type: str = "TEXT_CSV") -> DocumentImport:
        return DocumentImport(id=id_, name=name, document_type=document_type, mime_type=mime_type)

    name = "Profiles - 2026-11-23"
    items = [
        found("10", name),
        found("9", name),
        found("8", f"{name} bis"),
        found("7", name.lower()),
        found("6", name, document_type="USER_SEGMENT"),
        found("5", name, mime_type="APPLICATION_X_NDJSON"),
    ]
    asked: list[Call[Any]] = []

    def perform(call: Call[Any]) -> Any:
        asked.append(call)
        return Page(items=tuple(items), total=len(items))

    conversation = document_imports.find_by_name("1", name=name, document_type="USER_PROFILE", mime_type="TEXT_CSV")
    assert [item.id for item in hold(conversation, perform)] == ["9", "10"]
    assert dict(asked[0].query) == {
        "keywords": name,
        "mime_type": "TEXT_CSV",
        "document_types": "USER_PROFILE",
        "first_result": "0",
        "max_results": "50",
    }


class TestHold:
    """Both ways to hold a conversation do the same."""

    @staticmethod
    def conversation() -> Conversation[list[object]]:
        heard: list[object] = [(yield call_at(1))]
        try:
            yield call_at(2)
        except MicsNotFoundError as error:
            heard.append(type(error))
        heard.append((yield call_at(3)))
        return heard

    @staticmethod
    def perform(call: Call[Any]) -> str:
        if call.what == "2":
            raise MicsNotFoundError(call="x", http_status=404)
        return f"answer {call.what}"

    async def perform_async(self, call: Call[Any]) -> str:
        return self.perform(call)

    def test_results_are_sent_and_errors_thrown_in(self) -> None:
        expected = ["answer 1", MicsNotFoundError, "answer 3"]
        assert hold(self.conversation(), self.perform) == expected
        assert asyncio.run(hold_async(self.conversation(), self.perform_async)) == expected

    def test_what_is_no_error_of_ours_goes_straight_out(self) -> None:
        def perform(_: Call[Any]) -> str:
            raise KeyError

        async def perform_async(_: Call[Any]) -> str:
            raise KeyError

        with pytest.raises(KeyError):
            hold(self.conversation(), perform)
        with pytest.raises(KeyError):
            asyncio.run(hold_async(self.conversation(), perform_async))
