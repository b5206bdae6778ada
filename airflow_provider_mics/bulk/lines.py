"""Counting lines that are not blank, and finding where records of a CSV file end, in blocks of any size."""

from __future__ import annotations

import re
from typing import Final

_BLANK: Final = b" \t\r"
#: A newline after which a blank line follows. The blank line's own newline is looked at, not taken, as it may be the
#: start of the next match.
_BEFORE_BLANK_LINE: Final = re.compile(rb"\n(?=[ \t\r]*\n)")


class LineCounter:
    """Counts the lines of a text that are not blank: what the platform counts as commands."""

    def __init__(self) -> None:
        self._count = 0
        self._is_blank_so_far = True

    @property
    def count(self) -> int:
        """Lines so far, with the last one even if no newline ends it."""
        return self._count + (not self._is_blank_so_far)

    def feed(self, block: bytes) -> None:
        """Go on with the next bytes."""
        first = block.find(b"\n")
        if first < 0:
            self._is_blank_so_far = self._is_blank_so_far and not block.strip(_BLANK)
            return
        last = block.rfind(b"\n")
        if not self._is_blank_so_far or block[:first].strip(_BLANK):
            self._count += 1
        inner = block[first : last + 1]
        self._count += inner.count(b"\n") - 1 - len(_BEFORE_BLANK_LINE.findall(inner))
        self._is_blank_so_far = not block[last + 1 :].strip(_BLANK)


class RecordScanner:
    """Finds the ends of CSV records, which are the newlines outside quotes (RFC 4180), and counts the records.

    A quote character inside an unquoted field, which RFC 4180 forbids, would mislead it.
    """

    def __init__(self) -> None:
        self._counter = LineCounter()
        self._in_quotes = False
        #: Records up to the last end of a record; blank lines are none.
        self.ended = 0

    @property
    def count(self) -> int:
        """Records so far, with the last one even if no newline ends it."""
        return self._counter.count

    def feed(self, block: bytes) -> int:
        """Go on with the next bytes, and return the offset in ``block`` behind the last end of a record, or 0."""
        if not self._in_quotes and b'"' not in block:
            return self._unquoted(block)
        end = position = 0
        for index, piece in enumerate(block.split(b'"')):
            if index:
                self._in_quotes = not self._in_quotes
                position += 1
                # The quote itself shows that the record is not blank.
                self._counter.feed(b'"')
            if not self._in_quotes and (offset := self._unquoted(piece)):
                end = position + offset
            position += len(piece)
        return end

    def _unquoted(self, piece: bytes) -> int:
        offset = piece.rfind(b"\n") + 1
        if offset:
            self._counter.feed(piece[:offset])
            self.ended = self._counter.count
        self._counter.feed(piece[offset:])
        return offset
