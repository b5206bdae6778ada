"""Waiting for a condition, with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T | None],
    *,
    what: str,
    timeout_s: float,
    interval_s: float = 0.2,
    last_seen: Callable[[], object] = lambda: None,
) -> T:
    """Ask ``condition`` every ``interval_s`` seconds until it answers with something true, and return that.

    ``last_seen`` is asked only at the deadline: what it returns goes into the error, so that a test that times out
    says what it saw.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        if answer := condition():
            return answer
        if time.monotonic() >= deadline:
            seen = last_seen()
            note = "" if seen is None else f"; last seen: {seen}"
            raise TimeoutError(f"{what}: not within {timeout_s:g} s{note}")
        time.sleep(interval_s)
