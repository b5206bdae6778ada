"""Items that are made ready before they are asked for, while there is nothing else to do."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")


class LookAhead(Generic[T]):
    """Gives what ``items`` gives, of which one may be fetched before its turn.

    An error that is met so is raised when its turn comes.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)
        self._fetched: collections.deque[T] = collections.deque()
        self._error: Exception | None = None

    def fetch(self) -> None:
        """Fetch the next item now, unless it is there."""
        if self._fetched or self._error:
            return
        try:
            self._fetched.append(next(self._items))
        except Exception as error:  # noqa: BLE001 - kept; that there is no other item is one of them
            self._error = error

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        self.fetch()
        if self._error:
            raise self._error
        return self._fetched.popleft()
