"""Waits that share their looks: one list call an interval for all that wait for executions of one document import."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import math
import random
import time
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.api import executions
from airflow_provider_mics.api.constants import ExecutionStatus
from airflow_provider_mics.bulk.looking import Listing
from airflow_provider_mics.bulk.telling import scribe_of
from airflow_provider_mics.bulk.watch import Step
from airflow_provider_mics.exceptions import MicsAPIError, MicsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from contextlib import AbstractAsyncContextManager

    from airflow_provider_mics.api.async_client import AsyncMicsClient
    from airflow_provider_mics.api.models import Execution
    from airflow_provider_mics.bulk.telling import Scribe
    from airflow_provider_mics.bulk.watch import Watch

#: The vendor's own web UI looks every 5 s while an execution runs.
MIN_INTERVAL_S: Final = 5.0
#: Waits that are told of a look before others of the event loop have their turn: some 2 ms.
_TOLD_AT_ONCE: Final = 100


class Rhythm:
    """When to look again: soon after something has moved, more and more rarely while nothing does."""

    def __init__(self) -> None:
        self._interval_s = math.inf
        self._statuses: dict[str, str] = {}

    def looked(self, found: Iterable[Execution]) -> None:
        """Take note of a look that succeeded."""
        before, self._statuses = self._statuses, {item.execution_id: item.status for item in found}
        # What is seen for the first time is expected to be waiting for its turn still.
        moved = any(before.get(item, ExecutionStatus.PENDING) != status for item, status in self._statuses.items())
        self._interval_s = MIN_INTERVAL_S if moved else self._interval_s * 2

    def failed(self) -> None:
        """Take note of a look that did not succeed."""
        self._interval_s *= 2

    def interval(self, asked_s: float) -> float:
        """Return the time to the next look, in s.

        :param asked_s: What a wait asks for at most; less than :data:`MIN_INTERVAL_S` is taken at its word.
        """
        return min(self._interval_s, asked_s)


def spread(interval_s: float) -> float:
    """Return an interval a little longer, so that what began together does not go on looking together."""
    return interval_s * random.uniform(1.0, 1.1)  # noqa: S311 - not a secret


class Poller:
    """Looks at one document import for all that wait for its executions, while anybody does.

    Waits come and go without disturbing others. A look that fails is told to each wait it was for, and each has its own
    patience with that. Belongs to one event loop.

    :param use_client: Opens, or joins in using, the client of the connection.
    :param on_idle: Called once, when the last wait has left or none can be served: the poller is not used again.
    """

    def __init__(
        self,
        datamart_id: str,
        document_import_id: str,
        use_client: Callable[[], AbstractAsyncContextManager[AsyncMicsClient]],
        on_idle: Callable[[], None],
    ) -> None:
        self._datamart_id = datamart_id
        self._document_import_id = document_import_id
        self._use_client = use_client
        self._on_idle = on_idle
        self._loop = asyncio.get_running_loop()
        self._scribe = scribe_of(self._loop)
        self._waits: set[_Wait] = set()
        self._task: asyncio.Task[None] | None = None
        self._rhythm = Rhythm()
        self._listing = Listing()
        self._began_at = self._not_before = self._loop.time()
        self._looked_at = -math.inf
        self._due_at = 0.0
        self._sooner = asyncio.Event()
        self._is_retired = False

    async def wait(self, watch: Watch, *, interval_s: float, first_wait_s: float) -> tuple[Step, str]:
        """Wait until ``watch`` is over; return how that is, and why where a look did not succeed.

        :param interval_s: Longest time between two looks, in s.
        :param first_wait_s: Time before which it does not end, in s.
        """
        now = self._loop.time()
        wait = _Wait(watch, interval_s, now + first_wait_s, self._loop.create_future(), self._scribe)
        wait.expire_at(max(now + first_wait_s, now + watch.deadline - time.time()), self._loop)
        self._waits.add(wait)
        if self._task is None:
            # Of no wait's context: else all of it would be logged as that one's.
            self._task = self._loop.create_task(self._look_on(), context=contextvars.Context())
        elif self._due(wait) < self._due_at:
            self._sooner.set()
        try:
            return await wait.over
        finally:
            wait.expires.cancel()
            self._waits.discard(wait)
            if not self._waits:
                self._retire()
                self._task.cancel()
                # Until its client is closed.
                await asyncio.wait([self._task])

    def _due(self, wait: _Wait) -> float:
        """Return when to look for a wait."""
        interval_s = self._rhythm.interval(wait.interval_s)
        return max(self._looked_at + interval_s, wait.not_before, self._not_before)

    async def _look_on(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            client: AsyncMicsClient | None = None
            while True:
                await self._until_due()
                now = self._loop.time()
                waits = [wait for wait in self._waits if wait.not_before <= now]
                self._looked_at = now
                try:
                    if client is None:
                        client = await stack.enter_async_context(self._use_client())
                    found, failed = await self._look(client, waits)
                except MicsError as error:
                    self._rhythm.failed()
                    self._leave_alone([error])
                    await _tell(waits, functools.partial(_Wait.failed, error=error))
                except Exception as error:  # noqa: BLE001 - none of the platform's: it ends the waits
                    self._retire()
                    for wait in self._waits:
                        wait.break_off(error)
                    return
                else:
                    self._rhythm.looked(found.values())
                    self._leave_alone(failed.values())
                    await _tell(waits, functools.partial(_Wait.saw, found=found, failed=failed))

    async def _until_due(self) -> None:
        while True:
            self._sooner.clear()
            earliest = min((self._due(wait) for wait in self._waits), default=0.0)
            before = max(self._looked_at, self._began_at)
            self._due_at = before + spread(max(earliest - before, 0.0))
            try:
                async with asyncio.timeout_at(self._due_at):
                    await self._sooner.wait()
            except TimeoutError:
                return

    async def _look(
        self, client: AsyncMicsClient, waits: Collection[_Wait]
    ) -> tuple[dict[str, Execution], dict[str, MicsError]]:
        """Return the executions that are waited for, and why any of them could not be read."""
        named = {item for wait in waits for item in wait.watch.execution_ids or ()}
        wants_all = any(wait.watch.execution_ids is None for wait in waits)
        found = await client.run(
            self._listing.read(self._datamart_id, self._document_import_id, None if wants_all else named)
        )
        failed: dict[str, MicsError] = {}

        async def get(execution_id: str) -> None:
            try:
                found[execution_id] = await client.send(
                    executions.get(self._datamart_id, self._document_import_id, execution_id)
                )
            except MicsError as error:
                failed[execution_id] = error

        await asyncio.gather(*[get(execution_id) for execution_id in named - found.keys()])
        return found, failed

    def _leave_alone(self, errors: Iterable[MicsError]) -> None:
        """Look no sooner than the platform has asked for."""
        asked_s = [error.retry_after_s or 0.0 for error in errors if isinstance(error, MicsAPIError)]
        self._not_before = self._loop.time() + max(asked_s, default=0.0)

    def _retire(self) -> None:
        if not self._is_retired:
            self._is_retired = True
            self._on_idle()


class _Wait:
    """One that waits."""

    __slots__ = ("_context", "_message", "_scribe", "expires", "interval_s", "not_before", "over", "watch")

    expires: asyncio.TimerHandle

    def __init__(
        self,
        watch: Watch,
        interval_s: float,
        not_before: float,
        over: asyncio.Future[tuple[Step, str]],
        scribe: Scribe,
    ) -> None:
        self.watch = watch
        self.interval_s = interval_s
        self.not_before = not_before
        self.over = over
        # What it has to say belongs into its own task's log.
        self._context = contextvars.copy_context()
        self._scribe = scribe
        self._message = ""

    def saw(self, found: dict[str, Execution], failed: dict[str, MicsError]) -> None:
        ids = self.watch.execution_ids
        if ids is not None and failed:
            for execution_id in ids:
                if execution_id in failed:
                    self.failed(failed[execution_id])
                    return
        self._message = ""
        seen = list(found.values()) if ids is None else [found[execution_id] for execution_id in ids]
        self._take(self.watch.saw(seen, time.time()))

    def failed(self, error: MicsError) -> None:
        self._message = str(error)
        self._take(self.watch.failed(error, time.time()))

    def expire_at(self, moment: float, loop: asyncio.AbstractEventLoop) -> None:
        self.expires = loop.call_at(min(moment, loop.time() + _LONGEST_S), self._expire, loop)

    def break_off(self, error: Exception) -> None:
        if not self.over.done():
            self.over.set_exception(error)

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        left_s = self.watch.deadline - time.time()
        if left_s <= 0:
            self._take(Step.TIMEOUT)
        else:
            # The clock was set back, or it is very long.
            self.expire_at(loop.time() + left_s, loop)

    def _take(self, step: Step) -> None:
        if self.watch.lines:
            for line in self.watch.lines:
                self._scribe.write(line, self._context, self.over)
            self.watch.lines.clear()
        if step is not Step.WAIT and not self.over.done():
            self.over.set_result((step, self._message))


#: Event loops do not take any time: a day, in s.
_LONGEST_S: Final = 86_400.0


async def _tell(waits: Collection[_Wait], tell: Callable[[_Wait], None]) -> None:
    for number, wait in enumerate(waits, 1):
        if not wait.over.done():
            tell(wait)
        if number % _TOLD_AT_ONCE == 0:
            await asyncio.sleep(0)
