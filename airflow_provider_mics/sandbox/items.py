"""How often each item arrived: counters instead of bodies, so that 100,000 items cost little."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any


class Items:
    """Counters per kind of request and item, readable from any thread.

    An item is what one unit call is about: an activity by its ``$unique_key`` (or its first identifier), a profile,
    choice or person by its path, a subscriber by id. Datamarts are not told apart.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received: dict[str, Counter[str]] = {}
        self._committed: dict[str, Counter[str]] = {}

    def receive(self, kind: str, key: str) -> None:
        """Count a request whose whole body was read, whatever becomes of it."""
        with self._lock:
            self._received.setdefault(kind, Counter())[key] += 1

    def commit(self, kind: str, key: str) -> None:
        """Count a request that was carried out, whether or not its answer reaches anybody."""
        with self._lock:
            self._committed.setdefault(kind, Counter())[key] += 1

    def received(self, kind: str) -> dict[str, int]:
        """Return how often each item arrived."""
        with self._lock:
            return dict(self._received.get(kind, {}))

    def committed(self, kind: str) -> dict[str, int]:
        """Return how often each item was carried out."""
        with self._lock:
            return dict(self._committed.get(kind, {}))

    def summary(self) -> dict[str, Any]:
        """Return, per kind, the number of items and how many of them arrived (were carried out) how often."""
        with self._lock:
            return {
                kind: {
                    "items": len(received),
                    "received": _histogram(received),
                    "committed": _histogram(self._committed.get(kind, Counter())),
                }
                for kind, received in self._received.items()
            }

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._received.clear()
            self._committed.clear()


def _histogram(counts: Counter[str]) -> dict[str, int]:
    return {str(times): items for times, items in sorted(Counter(counts.values()).items())}
