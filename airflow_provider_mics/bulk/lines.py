"""Counting lines that are not blank, and finding where records of a CSV file end, in blocks of any size."""

from __future__ import annotations

import io
from typing import Final

_BLANK: Final = b" \t\r"
#: All bytes but those that matter for where a record ends.
_NO_MARKS: Final = bytes(set(range(256)) - set(b'"\n'))


class LineCounter:
    """Counts the lines of a text that are not blank: what the platform counts as commands."""

    def __init__(self) -> None:
        self._count = 0
        self._is_blank_so_far = True

    @property
    def ended(self) -> int:
        """Lines that a newline has ended."""
        return self._count

    @property
    def count(self) -> int:
        """Lines so far, with the last one even if no newline ends it."""
        return self._count + (not self._is_blank_so_far)

    def skip(self, lines: int, *, goes_on: bool) -> None:
        """Go on behind lines of which none is blank.

        :param goes_on: Whether another one has begun behind them.
        """
        self._count += lines
        self._is_blank_so_far = not goes_on

    def feed(self, block: bytes) -> None:
        """Go on with the next bytes."""
        first = block.find(b"\n")
        if first < 0:
            self._is_blank_so_far = self._is_blank_so_far and not block.strip(_BLANK)
            return
        if not self._is_blank_so_far or block[:first].strip(_BLANK):
            self._count += 1
        self._is_blank_so_far = not block[block.rfind(b"\n") + 1 :].strip(_BLANK)
        # The last line is among them, and counts when it has ended.
        self._count += _filled(block, first + 1) - (not self._is_blank_so_far)


def _filled(block: bytes, start: int) -> int:
    """Return how many lines from ``start`` on are not blank."""
    lines = io.BytesIO(block)
    lines.seek(start)
    # No step of this is Python code, and none makes an object for each line but the line: 1 for a blank one, else 0.
    blank = bytes(map(bytes.isspace, lines))
    if 1 in blank and (b"\v" in block or b"\f" in block):
        # White space to Python, and nothing that JSON allows between its parts (RFC 8259 section 2).
        lines.seek(start)
        return sum(1 for line in lines if line.strip(_BLANK + b"\n"))
    return len(blank) - blank.count(1)


class RecordEnds:
    """Finds the ends of CSV records: the newlines outside quotes (RFC 4180).

    A quote character inside an unquoted field, which RFC 4180 forbids, would mislead it.
    """

    def __init__(self) -> None:
        self._in_quotes = False

    def feed(self, block: bytes) -> int:
        """Go on with the next bytes, and return the offset in ``block`` behind the last end of a record, or 0."""
        if b'"' in block:
            self._in_quotes ^= block.count(b'"') % 2 == 1
        return _last_end(block, in_quotes=self._in_quotes)


def _last_end(block: bytes, *, in_quotes: bool) -> int:
    """Return the offset behind the last newline outside quotes, or 0.

    :param in_quotes: Whether the end of the block is inside quotes.
    """
    end = len(block)
    while True:
        quote = block.rfind(b'"', 0, end)
        if not in_quotes and (newline := block.rfind(b"\n", quote + 1, end)) >= 0:
            return newline + 1
        if quote < 0:
            return 0
        end, in_quotes = quote, not in_quotes


class RecordScanner:
    """Finds the ends of CSV records as :class:`RecordEnds` does, and counts the records."""

    def __init__(self) -> None:
        self._counter = LineCounter()
        self._in_quotes = False

    @property
    def ended(self) -> int:
        """Records up to the last end of a record; blank lines are none."""
        return self._counter.ended

    @property
    def count(self) -> int:
        """Records so far, with the last one even if no newline ends it."""
        return self._counter.count

    def feed(self, block: bytes) -> int:
        """Go on with the next bytes, and return the offset in ``block`` behind the last end of a record, or 0."""
        if not block or (not self._in_quotes and b'"' not in block):
            return self._unquoted(block)
        if True in map(bytes.isspace, io.BytesIO(block)):
            return self._piece_by_piece(block)
        # Two quotes side by side leave what follows as it was, also with others of the record's bytes between them.
        marks = block.translate(None, _NO_MARKS).replace(b'""', b"").split(b'"')
        ended = sum(map(len, marks[self._in_quotes :: 2]))
        self._in_quotes ^= len(marks) % 2 == 0
        end = _last_end(block, in_quotes=self._in_quotes)
        self._counter.skip(ended, goes_on=end < len(block))
        return end

    def _piece_by_piece(self, block: bytes) -> int:
        """Do the same where a line may be blank."""
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
        self._counter.feed(piece)
        return piece.rfind(b"\n") + 1
