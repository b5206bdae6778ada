"""Time as the stand-in sees it: real or moved by hand, with a life cycle that can be held."""

from __future__ import annotations

import threading
import time
from typing import Literal

ClockKind = Literal["real", "manual"]


def milliseconds(seconds: float) -> int:
    """Convert seconds to whole milliseconds, in which everything is reckoned: sums of them are exact."""
    return round(seconds * 1000)


class Clock:
    """Two readings of one time, both in milliseconds since the epoch.

    ``now`` is what date fields, tokens and list lags use. ``progress`` is what moves executions along: it equals
    ``now`` until somebody holds it, stands still while held, and goes on from where it stood afterwards.

    :param kind: "real" follows the machine's clock; "manual" moves only by ``advance``.
    :param start: first reading of a manual clock, seconds since the epoch; None: the machine's time at creation.
    """

    def __init__(self, kind: ClockKind = "real", start: float | None = None) -> None:
        self.kind = kind
        self._lock = threading.Lock()
        #: Real clock: what is added to the machine's. Manual clock: all of it.
        self._offset = 0
        if kind == "manual":
            self._offset = milliseconds(time.time() if start is None else start)
        self._held_since: int | None = None
        #: Finished holds: (reading of progress during the hold, its length).
        self._holds: list[tuple[int, int]] = []

    def now(self) -> int:
        """Milliseconds since the epoch."""
        with self._lock:
            return self._now()

    def progress(self) -> int:
        """Milliseconds on the life cycle's clock: ``now`` less all time spent held."""
        with self._lock:
            return self._progress(self._now() if self._held_since is None else self._held_since)

    def date_of(self, progress: int) -> int:
        """Milliseconds since the epoch at which ``progress`` was (or will be) read, given the holds so far."""
        with self._lock:
            return progress + sum(length for held_at, length in self._holds if held_at < progress)

    def advance(self, seconds: float) -> None:
        """Move the time forward; while held, executions do not follow."""
        if seconds < 0:
            message = "The clock only goes forward"
            raise ValueError(message)
        with self._lock:
            self._offset += milliseconds(seconds)

    def hold(self) -> None:
        """Stop every execution where it is, until ``release``."""
        with self._lock:
            if self._held_since is None:
                self._held_since = self._now()

    def release(self) -> None:
        """Let executions go on."""
        with self._lock:
            if self._held_since is not None:
                self._holds.append((self._progress(self._held_since), self._now() - self._held_since))
                self._held_since = None

    @property
    def held(self) -> bool:
        """Whether executions stand still."""
        return self._held_since is not None

    def _now(self) -> int:
        return self._offset if self.kind == "manual" else time.time_ns() // 1_000_000 + self._offset

    def _progress(self, at: int) -> int:
        return at - sum(length for _, length in self._holds)
