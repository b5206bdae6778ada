"""The quick look at many lines: which may be good, and which need the slow look that says why.

What makes it quick: a line is decoded straight into a small typed structure, free-form objects into an empty one, so
that their JSON is checked but not built; a C decoder does most of the rules that way, and a few comparisons the rest.
It never passes a line that the rules refuse.
"""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from airflow_provider_mics.bulk.checks.values import MAX_INTEGER, MIN_INTEGER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: What a judge says of a decoded line.
REFUSED: Final = 0
GOOD: Final = 1
DELETES: Final = 2

#: Guesses that are left out at most after some that were wrong.
_LONGEST_PAUSE: Final = 63
_REFUSALS: Final = (msgspec.MsgspecError, ValueError, RecursionError)

Text = Annotated[str, msgspec.Meta(min_length=1)]
QuickId = Text | int
Moment = Annotated[int, msgspec.Meta(ge=MIN_INTEGER, le=MAX_INTEGER)]
#: From 0.
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]


class Opaque(msgspec.Struct, gc=False):
    """A JSON object whose properties do not matter. It must be JSON all through."""


#: Reads any object. What it accepts is what JSON is to us: RFC 8259, in UTF-8 if the bytes are, without lone
#: surrogates, which UTF-8 cannot hold. Of a number's size it says nothing: 1e999 is JSON.
decode_object: Final = msgspec.json.Decoder(Opaque).decode


def look_over(
    lines: Sequence[bytes], decode: Callable[[bytes], Any], judge: Callable[[Any], int]
) -> tuple[list[int], int]:
    """Return the indexes of the lines that are refused, and how many of the others delete something.

    That the bytes are UTF-8 is not looked at.
    """
    refused = []
    deletions = 0
    for index, line in enumerate(lines):
        try:
            verdict = judge(decode(line))
        except _REFUSALS:
            refused.append(index)
            continue
        if verdict != GOOD:
            if verdict == DELETES:
                deletions += 1
            else:
                refused.append(index)
    return refused, deletions


class Hunch:
    """Guesses that some lines are all of the commonest kind, which needs no judge.

    A guess that was wrong costs the time it took, so that it is not repeated soon.

    :param decode: Decodes such a line, and raises for others, good or bad.
    """

    def __init__(self, decode: Callable[[bytes], Any]) -> None:
        self._decode = decode
        self._pause = self._left = 0

    def holds(self, lines: Iterable[bytes]) -> bool:
        """Tell whether it is so; False: it is not, or was not looked at. That they are UTF-8 is not looked at."""
        if self._left:
            self._left -= 1
            return False
        try:
            collections.deque(map(self._decode, lines), maxlen=0)
        except _REFUSALS:
            self._pause = self._left = min(2 * self._pause + 1, _LONGEST_PAUSE)
            return False
        self._pause = 0
        return True


def judge_any(_: Any) -> int:
    """Take whatever was decoded."""
    return GOOD
