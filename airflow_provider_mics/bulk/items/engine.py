"""Sending items side by side, on one event loop."""

from __future__ import annotations

import asyncio
import collections
import itertools
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.bulk.items.progress import Standing
from airflow_provider_mics.exceptions import MicsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.bulk.items.checkpoint import Checkpoint
    from airflow_provider_mics.bulk.items.item import Item
    from airflow_provider_mics.bulk.items.record import Record

#: Items taken from their source together. What is announced together may be under way when a task is killed, so it is
#: about what is sent in this time, in s: a state is written about so often.
_BATCH_S: Final = 0.5
_MIN_BATCH: Final = 100
_MAX_BATCH: Final = 2000
#: Bytes of lines after which a batch ends.
_MAX_BATCH_BYTES: Final = 4 * 1024 * 1024

#: An item, and the call that sends it; why none could be made; or None, where it is not to be sent.
Prepared = tuple["Item", "Call[Any] | MicsError | None"]


class Engine:
    """Sends items until there are no more, or it is not worth going on.

    Items are read, and their calls made, ahead of being sent, in batches; each worker then takes the next item as soon
    as its last one has ended. PUTs to one address are sent in their order, one after the other, as the last one stays.

    :param send: Sends a call, and repeats it where it may be repeated; raises :class:`MicsError`.
    :param concurrency: Calls under way at the same time.
    """

    def __init__(
        self,
        send: Callable[[Call[Any]], Awaitable[Any]],
        *,
        checkpoint: Checkpoint,
        record: Record,
        concurrency: int,
    ) -> None:
        self._send = send
        self._checkpoint = checkpoint
        self._progress = checkpoint.progress
        self._record = record
        self._health = record.health
        self._concurrency = concurrency
        self._ready: collections.deque[tuple[Item, Call[Any]]] = collections.deque()
        # Addresses of PUTs that an earlier try could not bring in.
        self._overdue: set[str] = set()
        # By address, the PUTs that wait for one that is under way.
        self._behind: dict[str, collections.deque[tuple[Item, Call[Any]]]] = {}
        self._is_fed = False
        # Set when there is something ready, or nothing will be any more.
        self._filled = asyncio.Event()
        # Set when an item has ended and no more than so many are ready.
        self._ended = asyncio.Event()
        self._wake_at = -1

    async def run(self, items: Iterator[Prepared]) -> None:
        """Send items.

        Whether sending stopped before the end, and why, is in the record's health.

        :param items: Read in a thread, while earlier ones are under way.
        """
        async with self._checkpoint.kept():
            async with asyncio.TaskGroup() as group:
                group.create_task(self._feed(items))
                for _ in range(self._concurrency):
                    group.create_task(self._work())
            self._progress.withdraw()

    async def _feed(self, items: Iterator[Prepared]) -> None:
        try:
            await self._feed_batches(items)
        except MicsError as error:
            # The calls that are under way are waited for.
            self._health.stop = self._health.stop or error
        self._is_fed = True
        self._filled.set()

    async def _feed_batches(self, items: Iterator[Prepared]) -> None:
        size = _MIN_BATCH
        started = time.monotonic()
        while not self._health.stop and (batch := await asyncio.to_thread(_take, items, size)):
            to_send = self._sorted_out(batch)
            if unsafe := [item.number for item, call in to_send if not call.repeatable]:
                await self._checkpoint.announce(unsafe)
            await self._hand_out(to_send)
            # The next batch is read and announced while this one is under way.
            while len(self._ready) > size // 2 and not self._health.stop:
                await self._an_end(size // 2)
            now = time.monotonic()
            rate, started = len(batch) / max(now - started, 1e-6), now
            size = max(_MIN_BATCH, min(int(rate * _BATCH_S), 2 * size, _MAX_BATCH))

    def _sorted_out(self, batch: list[Prepared]) -> list[tuple[Item, Call[Any]]]:
        """Return what of a batch is to be sent, and settle the rest of it."""
        to_send: list[tuple[Item, Call[Any]]] = []
        for item, call in batch:
            standing = self._progress.standing(item.number)
            if standing is Standing.ENDED and not self._must_follow(item, call):
                continue
            if call is None:
                self._record.pass_over(item)
            elif isinstance(call, MicsError):
                self._record.fail(item, None, call)
            elif standing is not Standing.UNKNOWN and (standing is not Standing.MAY_BE_IN or call.repeatable):
                if call.method == "PUT" and self._progress.was_refused(item.number):
                    self._overdue.add(call.path)
                to_send.append((item, call))
            else:
                self._record.give_up_unknown(item, is_new=standing is Standing.MAY_BE_IN)
        return to_send

    def _must_follow(self, item: Item, call: Call[Any] | MicsError | None) -> bool:
        """Return whether an item that is in must be sent again: behind one to its address that comes late."""
        is_behind = bool(self._overdue) and not isinstance(call, MicsError) and call and call.path in self._overdue
        return bool(is_behind) and self._progress.take_back(item.number)

    async def _hand_out(self, batch: list[tuple[Item, Call[Any]]]) -> None:
        for prepared in batch:
            while not self._progress.has_room_for(prepared[0].number) and not self._health.stop:
                await self._an_end(sys.maxsize)
            self._ready.append(prepared)
            if not self._filled.is_set():
                self._filled.set()

    async def _an_end(self, most_ready: int) -> None:
        self._ended.clear()
        self._wake_at = most_ready
        await self._ended.wait()
        self._wake_at = -1

    async def _work(self) -> None:
        ready, health = self._ready, self._health
        while not health.stop:
            if not ready:
                if self._is_fed:
                    break
                self._filled.clear()
                await self._filled.wait()
                continue
            item, call = ready.popleft()
            if call.method == "PUT":
                await self._send_in_order(item, call)
            else:
                await self._send_one(item, call)
        # For those that wait for what this one will not do any more.
        self._ended.set()
        self._filled.set()

    async def _send_in_order(self, item: Item, call: Call[Any]) -> None:
        """Send a PUT, and those to the same address that come meanwhile; or leave it to who is sending one."""
        if (behind := self._behind.get(call.path)) is not None:
            behind.append((item, call))
            return
        behind = self._behind[call.path] = collections.deque()
        await self._send_one(item, call)
        while behind and not self._health.stop:
            await self._send_one(*behind.popleft())
        del self._behind[call.path]

    async def _send_one(self, item: Item, call: Call[Any]) -> None:
        try:
            await self._send(call)
        except MicsError as error:
            self._record.fail(item, call, error)
        else:
            self._record.accept(item)
        if len(self._ready) <= self._wake_at:
            self._ended.set()


def _take(items: Iterator[Prepared], most: int) -> list[Prepared]:
    batch: list[Prepared] = []
    size = 0
    for prepared in itertools.islice(items, most):
        batch.append(prepared)
        size += len(prepared[0].content)
        if size > _MAX_BATCH_BYTES:
            break
    return batch
