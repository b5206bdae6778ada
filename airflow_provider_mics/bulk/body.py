"""The body of one upload: the bytes of a part, neither more nor less."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_mics.bulk.files import changed
from airflow_provider_mics.bulk.lines import LineCounter, RecordScanner

if TYPE_CHECKING:
    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.parts import Part


class PartBody:
    """Reads the ranges of a part one behind the other.

    A body longer than its Content-Length would be taken for the next request on the connection, and a shorter one
    would hang. So it never gives more than the part has, and a file that has less, or is no longer the one that was
    planned, ends the request before its last byte.
    """

    def __init__(self, file: SourceFile, part: Part) -> None:
        self._file = file
        self._part = part
        self._left = part.size
        self._ranges = iter(part.ranges)
        self._left_in_range = 0
        # Of CSV, a line end may be inside quotes, and the header is no command.
        self._counter = RecordScanner() if part.header_bytes else LineCounter()
        self._uncounted = part.header_bytes
        file.check_unchanged()
        self._reader = file.open()

    def __len__(self) -> int:
        return self._part.size

    @property
    def lines(self) -> int:
        """Commands read so far, or all there are where they were counted before."""
        return self._counter.count if self._part.lines is None else self._part.lines

    def read(self, size: int = -1, /) -> bytes:
        """Return ``size`` bytes, fewer at the end only, and none behind it.

        :raises MicsSourceError: The file has changed since it was planned.
        """
        wanted = self._left if size < 0 else min(size, self._left)
        blocks: list[bytes] = []
        # Where bad lines were left out, ranges are short, and each block that is given becomes a packet.
        while wanted:
            blocks.append(self._read_on(wanted))
            wanted -= len(blocks[-1])
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def _read_on(self, size: int) -> bytes:
        """Return some bytes, ``size`` at most."""
        if not self._left_in_range:
            offset, self._left_in_range = next(self._ranges)
            self._reader.seek(offset)
        block = self._reader.read(min(size, self._left_in_range))
        if not block:
            raise changed(self._file.name)
        self._left -= len(block)
        self._left_in_range -= len(block)
        if not self._left:
            self._file.check_unchanged()
        if self._uncounted:
            self._uncounted -= len(block)
        elif self._part.lines is None:
            self._counter.feed(block)
        return block

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
