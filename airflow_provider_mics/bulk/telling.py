"""Lines for the log of many waits in one event loop, written at a pace that a triggerer's log takes."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import logging
import time
import weakref
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import contextvars

log = logging.getLogger(__name__)

#: Lines that are written without delay, and then in each :data:`BREATH_S`.
AT_ONCE: Final = 20
#: Time between two batches of lines that were held back, in s.
BREATH_S: Final = 0.2
#: Most of the event loop's time that writing takes.
SHARE: Final = 0.05
#: A line that takes longer, in s, has had to wait for who reads the log.
SLOW_S: Final = 0.01

#: A line as :meth:`logging.Logger.log` takes it.
Line = tuple[int, str, tuple[object, ...]]


class Scribe:
    """Writes what the waits of one event loop have to say: some lines at once, and the rest little by little.

    In a triggerer each line goes to its supervisor through a socket, written by the event loop itself. Between two
    rounds of its database work Airflow 3.3.2's supervisor reads 4 KiB of that, about ten lines; while the socket is
    full nothing else in the event loop runs. So thousands of waits that learn something in the same second must not
    all say it in that second.

    A line that is still held back when its wait is over is left out: what came of it is for the worker to say.
    """

    def __init__(self) -> None:
        self._held: collections.deque[_Held] = collections.deque()
        self._room = 0
        self._spent_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has been written lately, and nothing is held back."""
        return self._timer is None

    def write(self, line: Line, context: contextvars.Context, over: asyncio.Future[Any]) -> None:
        """Write a line, now or later.

        :param context: That of the wait: Airflow tells by it whose log a line belongs to.
        :param over: Done when the wait is over.
        """
        if not log.isEnabledFor(line[0]):
            return
        if self.is_quiet:
            self._room = AT_ONCE
            self._timer = asyncio.get_running_loop().call_later(BREATH_S, self._go_on)
        held = _Held(line, context, over)
        if self._room and not self._held:
            self._write(held)
        else:
            self._held.append(held)

    def _go_on(self) -> None:
        loop = asyncio.get_running_loop()
        rest_s, self._spent_s = self._spent_s / SHARE - BREATH_S, 0.0
        if rest_s > 0:
            self._room = 0
            self._timer = loop.call_later(rest_s, self._go_on)
            return
        self._room = AT_ONCE
        while self._held and self._room:
            held = self._held.popleft()
            if not held.over.done():
                self._write(held)
        self._timer = None if self._room == AT_ONCE else loop.call_later(BREATH_S, self._go_on)

    def _write(self, held: _Held) -> None:
        began = time.monotonic()
        level, message, arguments = held.line
        held.context.run(log.log, level, message, *arguments)
        took_s = time.monotonic() - began
        self._spent_s += took_s
        self._room = 0 if took_s > SLOW_S else self._room - 1


@dataclasses.dataclass(slots=True, frozen=True)
class _Held:
    line: Line
    context: contextvars.Context
    over: asyncio.Future[Any]


_scribes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Scribe] = weakref.WeakKeyDictionary()


def scribe_of(loop: asyncio.AbstractEventLoop) -> Scribe:
    """Return the one of an event loop."""
    return _scribes.setdefault(loop, Scribe())
