"""Which items are in, which are not, and of which nobody knows: what another try must know of this one.

Items are numbered from 0, in the order of their source. Nearly all of them end in about their order, so what is known
is a number below which every item has ended, and a short list of what has ended beyond it.
"""

from __future__ import annotations

import itertools
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: How far sending may run ahead of the first item that has not ended. It bounds what has to be kept.
MAX_AHEAD: Final = 10_000
#: Most items that are kept by number because they failed, or nobody knows; those beyond are only counted. With
#: :data:`MAX_AHEAD` this keeps the JSON below 64 KB, Airflow's limit for a state.
MAX_KEPT: Final = 1000
_FORMAT: Final = 1


class Standing(StrEnum):
    """What is known of an item, seen from a new try."""

    #: It has never been announced, or it is certainly not in.
    TO_SEND = "to send"
    #: It is in, or one of very many that were refused.
    ENDED = "ended"
    #: A call for it ended without an answer that tells.
    UNKNOWN = "unknown"
    #: A try that was broken off had announced it: nobody knows whether it was sent.
    MAY_BE_IN = "may be in"


class Progress:
    """The items of one source, and what became of them.

    :param source: Tells this source's content from others.
    :param generation: Tells a run of the task, with all its retries, from the one after a clear.
    """

    def __init__(self, source: str, generation: int) -> None:
        self.source = source
        self.generation = generation
        #: Whether all of it was done, and well.
        self.is_complete = False
        #: Items that are in.
        self.accepted = 0
        #: How often it has changed; tells whether it has since it was written down.
        self.changes = 0
        #: Whether some of what is in, or may be, would count twice if it were sent again.
        self.counts_twice = False
        # Every item below has ended, but for those in ``_not_in`` and ``_reopened``.
        self._base = 0
        # Of the items from the base on, 1 for those that have ended.
        self._ended = bytearray()
        # Items below may be under way.
        self._announced = 0
        # Items that are certainly not in: the next try sends them again.
        self._not_in: dict[int, None] = {}
        self._not_in_beyond = 0
        # Items of ``_not_in`` that this try sends again.
        self._reopened: dict[int, None] = {}
        self._unknown: dict[int, None] = {}
        self._unknown_beyond = 0
        # Up to here, what was announced may be under way from a try before this one.
        self._announced_before = 0
        self._reopened_before: frozenset[int] = frozenset()

    @property
    def not_in(self) -> int:
        """Items that were refused, and are not sent again."""
        return self._not_in_beyond

    @property
    def unknown(self) -> int:
        """Items of which nobody knows."""
        return len(self._unknown) + self._unknown_beyond

    def standing(self, number: int) -> Standing:
        """Return what earlier tries have left known of an item."""
        if number in self._unknown:
            return Standing.UNKNOWN
        if number in self._not_in:
            return Standing.TO_SEND
        if number in self._reopened_before:
            return Standing.MAY_BE_IN
        if number < self._base or self._has_ended(number):
            return Standing.ENDED
        return Standing.MAY_BE_IN if number < self._announced_before else Standing.TO_SEND

    def has_room_for(self, number: int) -> bool:
        """Return whether an item may be sent already, or has to wait for those far before it."""
        return number < self._base + MAX_AHEAD

    def announce(self, numbers: Iterable[int]) -> None:
        """Take note that items which must not be sent twice will be under way from now on.

        Saved before they are, it tells a later try of which of them nobody knows.
        """
        self.changes += 1
        self.counts_twice = True
        for number in numbers:
            if number in self._not_in:
                del self._not_in[number]
                self._reopened[number] = None
            elif number >= self._announced:
                self._announced = number + 1

    def withdraw(self) -> None:
        """Take back what was announced and has not ended: nothing is under way any more."""
        self.changes += 1
        self._announced = self._announced_before
        self._not_in |= self._reopened
        self._reopened.clear()

    def was_refused(self, number: int) -> bool:
        """Return whether an item was under way before, and is not in."""
        return number in self._not_in

    def take_back(self, number: int) -> bool:
        """Take note that an item which is in will be sent again; return False if there are too many such."""
        if self._kept >= MAX_KEPT:
            return False
        self.changes += 1
        self.accepted -= 1
        self._not_in[number] = None
        return True

    def accept(self, number: int) -> None:
        """Take note that an item is in."""
        self.accepted += 1
        self._not_in.pop(number, None)
        self._end(number)

    def pass_over(self, number: int) -> None:
        """Take note that an item is not to be sent at all."""
        self._end(number)

    def refuse(self, number: int) -> None:
        """Take note that an item is certainly not in, or may be sent again without harm."""
        self._end(number)
        if self._kept < MAX_KEPT:
            self._not_in[number] = None
        else:
            self._not_in_beyond += 1

    def leave_unknown(self, number: int) -> None:
        """Take note that nobody knows of an item."""
        self._end(number)
        if len(self._unknown) < MAX_KEPT:
            self._unknown[number] = None
        else:
            self._unknown_beyond += 1

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        lengths = [len(list(run)) for _, run in itertools.groupby(self._ended)]
        return {
            "format": _FORMAT,
            "source": self.source,
            "generation": self.generation,
            "complete": self.is_complete,
            "counts_twice": self.counts_twice,
            "accepted": self.accepted,
            "base": self._base,
            # Lengths of runs of items that have not ended and that have, in turn, from the base on.
            "ended": lengths,
            "announced": self._announced,
            "not_in": sorted(self._not_in),
            "not_in_beyond": self._not_in_beyond,
            "reopened": sorted({*self._reopened, *self._reopened_before}),
            "unknown": sorted(self._unknown),
            "unknown_beyond": self._unknown_beyond,
        }

    def assume_all_announced(self) -> None:
        """Take it that every item may be under way from a try before this one, of which nothing is known."""
        self._announced_before = sys.maxsize

    @classmethod
    def of_json(cls, value: Mapping[str, Any] | None) -> Self | None:
        """Return what :meth:`as_json` gave to an earlier try; None if it is not readable to this version."""
        if not isinstance(value, dict) or value.get("format") != _FORMAT:
            return None
        progress = cls(value["source"], value["generation"])
        progress.is_complete = value["complete"]
        progress.counts_twice = value["counts_twice"]
        progress.accepted = value["accepted"]
        progress._base = value["base"]
        for index, length in enumerate(value["ended"]):
            progress._ended += bytes([index % 2]) * length
        progress._announced = progress._announced_before = value["announced"]
        progress._not_in = dict.fromkeys(value["not_in"])
        progress._not_in_beyond = value["not_in_beyond"]
        progress._reopened_before = frozenset(value["reopened"])
        progress._unknown = dict.fromkeys(value["unknown"])
        progress._unknown_beyond = value["unknown_beyond"]
        return progress

    @property
    def _kept(self) -> int:
        return len(self._not_in) + len(self._reopened) + len(self._reopened_before)

    def _has_ended(self, number: int) -> bool:
        index = number - self._base
        return index < len(self._ended) and bool(self._ended[index])

    def _end(self, number: int) -> None:
        self.changes += 1
        self._reopened.pop(number, None)
        if self._reopened_before:
            self._reopened_before -= {number}
        index = number - self._base
        if index < 0:
            return
        ended = self._ended
        if index >= len(ended):
            ended += bytes(index + 1 - len(ended))
        ended[index] = 1
        if not index:
            # The first that has not ended, or the end.
            first = ended.find(0)
            done = len(ended) if first < 0 else first
            del ended[:done]
            self._base += done
