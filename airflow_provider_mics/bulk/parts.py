"""Cutting files into parts that the platform takes: byte ranges that end where a line ends, planned without copying."""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.api.constants import DEFAULT_MAX_PART_BYTES, MimeType
from airflow_provider_mics.bulk.files import changed
from airflow_provider_mics.bulk.lines import RecordEnds
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.bulk.files import Reader, SourceFile

#: Bytes looked at before a limit to find a line end; doubled until there is one.
_WINDOW: Final = 64 * 1024
_BLOCK: Final = 256 * 1024


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a file that becomes one execution.

    :param file: Name of the file.
    :param number: Position among the parts of this file, from 1.
    :param of: Number of parts of this file; None: not known, as it is cut while it is read.
    :param ranges: What is sent, one behind the other: byte offset and length of each range.
    :param header_bytes: Bytes of the header that the part of a CSV file begins with, by a range of its own; 0: none.
    :param lines: Commands in it, where they have been counted; None: they are counted while it is sent.
    :param sha256: Hash of what is sent, in hex, where it is known before.
    """

    file: str
    number: int
    of: int | None
    ranges: tuple[tuple[int, int], ...]
    header_bytes: int = 0
    lines: int | None = None
    sha256: str | None = None

    @property
    def size(self) -> int:
        """Bytes that are sent."""
        return sum(length for _, length in self.ranges)

    def __str__(self) -> str:
        """Name it for messages."""
        if self.of == 1:
            return self.file
        if self.of is None:
            return f"{self.file} (part {self.number})"
        offset, length = self.ranges[-1]
        return f"{self.file} (part {self.number} of {self.of}, bytes {offset}-{offset + length - 1})"


def plan_parts(file: SourceFile, *, mime_type: str, max_part_bytes: int = DEFAULT_MAX_PART_BYTES) -> list[Part]:
    """Cut a file into parts; none if there is no command in it.

    NDJSON is cut at line ends found by looking at a few bytes before each limit. CSV has to be read, because a line
    end inside quotes ends no record, and its header is repeated in every part. Commands are not counted: that takes
    longer than all the rest, and is done while a part is sent.

    :raises MicsInputError: A single line is larger than a part may be.
    """
    if max_part_bytes < 1:
        raise MicsConfigurationError(f"max_part_bytes must be at least 1, not {max_part_bytes}.")
    start = beginning_of(file)
    header_bytes = 0
    if mime_type == MimeType.CSV:
        header_bytes = csv_header_end(file, start, max_part_bytes) - start
        pieces = _cut_csv(file, start + header_bytes, max_part_bytes - header_bytes)
    else:
        pieces = _cut_lines(file, start, max_part_bytes)
    header = ((start, header_bytes),) if header_bytes else ()
    filled = [piece for piece in pieces if not _is_blank(file, piece)]
    return [
        Part(file=file.name, number=number, of=len(filled), ranges=(*header, piece), header_bytes=header_bytes)
        for number, piece in enumerate(filled, start=1)
    ]


def beginning_of(file: SourceFile) -> int:
    """Return the offset of a file's first line: behind a byte order mark.

    It is no part of the line, where JSON forbids it (RFC 8259 section 8.1).
    """
    return len(codecs.BOM_UTF8) if file.read_range(0, len(codecs.BOM_UTF8)) == codecs.BOM_UTF8 else 0


def csv_header_end(file: SourceFile, start: int, max_part_bytes: int) -> int:
    """Return the offset behind the header of a CSV file, which begins at ``start``.

    :raises MicsInputError: It is larger than a part may be.
    """
    with contextlib.closing(file.open()) as reader:
        return _header_end(_Blocks(file, reader), start, max_part_bytes)


#: A byte offset in the file, and a length.
_Range = tuple[int, int]


def _is_blank(file: SourceFile, piece: _Range) -> bool:
    start, length = piece
    return length <= _BLOCK and not file.read_range(start, start + length).strip()


def _cut_lines(file: SourceFile, start: int, max_part_bytes: int) -> Iterator[_Range]:
    while start < file.size:
        limit = start + max_part_bytes
        end = file.size if limit >= file.size else _line_end_before(file, start, limit)
        yield start, end - start
        start = end


def _line_end_before(file: SourceFile, start: int, limit: int) -> int:
    window = _WINDOW
    upper = limit
    while upper > start:
        lower = max(start, upper - window)
        newline = file.read_range(lower, upper).rfind(b"\n")
        if newline >= 0:
            return lower + newline + 1
        upper = lower
        window *= 2
    raise _line_too_long(file, start, limit - start)


def _cut_csv(file: SourceFile, start: int, room: int) -> Iterator[_Range]:
    with contextlib.closing(file.open()) as reader:
        blocks = _Blocks(file, reader)
        while start < file.size:
            end = _record_end_before(blocks, start, min(start + room, file.size))
            if end == start:
                raise _line_too_long(file, start, room)
            yield start, end - start
            start = end


class _Blocks:
    """Reads a file from an offset to a limit, block by block."""

    def __init__(self, file: SourceFile, reader: Reader) -> None:
        self.file = file
        self._reader = reader

    def between(self, start: int, limit: int) -> Iterator[tuple[int, bytes]]:
        self._reader.seek(start)
        while start < limit:
            block = self._reader.read(min(_BLOCK, limit - start))
            if not block:
                raise changed(self.file.name)
            yield start, block
            start += len(block)


def _header_end(blocks: _Blocks, start: int, max_part_bytes: int) -> int:
    limit = min(start + max_part_bytes, blocks.file.size)
    in_quotes = False
    for position, block in blocks.between(start, limit):
        for offset, character in enumerate(block):
            if character == ord('"'):
                in_quotes = not in_quotes
            elif character == ord("\n") and not in_quotes:
                return position + offset + 1
    if limit < blocks.file.size:
        raise _line_too_long(blocks.file, start, max_part_bytes)
    # Only a header, and no newline to put between it and records.
    return limit


def _record_end_before(blocks: _Blocks, start: int, limit: int) -> int:
    """Return where the last whole record before ``limit`` ends."""
    if limit == blocks.file.size:
        return limit
    ends = RecordEnds()
    end = start
    for position, block in blocks.between(start, limit):
        if offset := ends.feed(block):
            end = position + offset
    return end


def _line_too_long(file: SourceFile, offset: int, room: int) -> MicsInputError:
    return MicsInputError(
        f"{file.name}: the line at byte {offset} is longer than a part may be ({room} bytes).",
        hint="Raise max_part_bytes if the line is right (the platform takes about 100 MB); else look for a missing "
        "line end or quote there.",
    )
