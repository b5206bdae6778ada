"""What many waits have to say reaches the log little by little."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import time
import weakref
from typing import TYPE_CHECKING

import pytest

from airflow_provider_mics.bulk import telling
from airflow_provider_mics.bulk.telling import AT_ONCE, Line, Scribe, scribe_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WHO: contextvars.ContextVar[int] = contextvars.ContextVar("WHO", default=-1)


class Reader(logging.Handler):
    """Reads lines as a triggerer's supervisor does: by the context that they are written in."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[int, str]] = []
        self.read: Callable[[], None] = lambda: None

    def emit(self, record: logging.LogRecord) -> None:
        """Read a line."""
        self.lines.append((WHO.get(), record.getMessage()))
        self.read()


@pytest.fixture
def reader() -> Iterator[Reader]:
    found = Reader()
    before = telling.log.level
    telling.log.setLevel(logging.INFO)
    telling.log.addHandler(found)
    yield found
    telling.log.removeHandler(found)
    telling.log.setLevel(before)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "BREATH_S", 0.001)


def write(scribe: Scribe, who: int, over: asyncio.Future[object], *, level: int = logging.INFO) -> None:
    context = contextvars.copy_context()
    context.run(WHO.set, who)
    line: Line = (level, "it is %s", (who,))
    scribe.write(line, context, over)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - after each turn of the event loop
        await asyncio.sleep(0)


def test_a_few_lines_are_written_at_once_and_the_rest_in_order_and_in_their_own_contexts(reader: Reader) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        scribe = scribe_of(loop)
        over: asyncio.Future[object] = loop.create_future()
        for who in range(5 * AT_ONCE):
            write(scribe, who, over)
        assert len(reader.lines) == AT_ONCE
        await until(lambda: len(reader.lines) > AT_ONCE)
        # No more than that in one turn of the event loop.
        assert len(reader.lines) == 2 * AT_ONCE
        await until(lambda: len(reader.lines) == 5 * AT_ONCE)

    asyncio.run(main())

    assert reader.lines == [(who, f"it is {who}") for who in range(5 * AT_ONCE)]


def test_who_speaks_after_a_silence_is_heard_at_once(reader: Reader) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        scribe = scribe_of(loop)
        over: asyncio.Future[object] = loop.create_future()
        for who in range(AT_ONCE + 1):
            write(scribe, who, over)
        await until(lambda: scribe.is_quiet)
        write(scribe, 7, over)
        assert reader.lines[-1] == (7, "it is 7")

    asyncio.run(main())


def test_what_is_held_back_is_left_out_when_its_wait_is_over(reader: Reader) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        scribe = scribe_of(loop)
        waits: list[asyncio.Future[object]] = [loop.create_future() for _ in range(2 * AT_ONCE)]
        for who, over in enumerate(waits):
            write(scribe, who, over)
            if who != 2 * AT_ONCE - 1:
                over.set_result(None)
        await until(lambda: scribe.is_quiet)

    asyncio.run(main())

    assert [who for who, _ in reader.lines] == [*range(AT_ONCE), 2 * AT_ONCE - 1]


def test_a_log_that_is_slow_gets_little_of_the_event_loop(reader: Reader) -> None:
    blocks_s = 2 * telling.SLOW_S
    reader.read = lambda: time.sleep(blocks_s)

    async def main() -> float:
        loop = asyncio.get_running_loop()
        scribe = scribe_of(loop)
        over: asyncio.Future[object] = loop.create_future()
        began = time.monotonic()
        for who in range(AT_ONCE):
            write(scribe, who, over)
        # One that had to wait is enough.
        assert len(reader.lines) == 1
        await until(lambda: len(reader.lines) == 3)
        return time.monotonic() - began

    assert asyncio.run(main()) >= 2 * blocks_s / telling.SHARE


def test_what_nobody_wants_to_read_is_not_held(reader: Reader) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        scribe = scribe_of(loop)
        write(scribe, 1, loop.create_future(), level=logging.DEBUG)
        assert scribe.is_quiet

    asyncio.run(main())
    assert not reader.lines


def test_an_event_loop_is_not_kept_alive() -> None:
    loop = asyncio.new_event_loop()
    assert scribe_of(loop) is scribe_of(loop)
    loop.close()
    known = weakref.ref(loop)
    del loop
    gc.collect()
    assert known() is None
