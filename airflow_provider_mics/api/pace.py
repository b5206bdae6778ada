"""Keeping to a rate of requests."""

from __future__ import annotations

import threading


class Pace:
    """Gives each request its moment, evenly spaced, to all threads or tasks of a process that share it.

    :param rate: Most requests per second; None: no limit.
    """

    def __init__(self, rate: float | None) -> None:
        self._interval_s = 1 / rate if rate else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def delay(self, now: float) -> float:
        """Take the next moment and return how long to wait for it, in s.

        :param now: Time in s, from any clock that does not jump.
        """
        with self._lock:
            moment = max(self._next, now)
            self._next = moment + self._interval_s
            return moment - now
