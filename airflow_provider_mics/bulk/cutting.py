"""Cutting a file into parts while its lines are examined: one pass, in blocks of whole lines.

Beside what :mod:`~airflow_provider_mics.bulk.parts` plans, these parts leave out what the examination excludes, know
their line counts and hashes, and have distinct line counts as far as moving a cut by some lines can give them: the
platform tells of an upload whose answer was lost only how many lines it had.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from typing import TYPE_CHECKING, Final, Protocol

from airflow_provider_mics.bulk.files import changed
from airflow_provider_mics.bulk.lines import RecordEnds
from airflow_provider_mics.bulk.parts import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_mics.bulk.files import Reader, SourceFile

#: Blocks end at the last line end before a multiple of so many bytes, so that whoever looks at a file from somewhere
#: within it meets the same blocks.
GRID: Final = 112 * 1024
#: Bytes before a multiple where a block leaves the rest to the next one. With them, a block is smaller than 128 KiB:
#: larger ones cost a seventh more, in page faults.
MARGIN: Final = 12 * 1024
#: Bytes by which parts may be larger than an equal share: more than lines usually have.
_SLACK: Final = 4096

#: A byte offset in the file, and a length.
Range = tuple[int, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Examined:
    """What was found in a block.

    :param consumed: Bytes of the block that are whole lines.
    :param lines: Commands that are sent.
    :param next_line: Number of the line behind those bytes, from 1.
    :param excluded: What is not sent: blank lines and bad ones, in order, by offset in the file.
    """

    consumed: int
    lines: int
    next_line: int
    excluded: Sequence[Range] = ()


class Examiner(Protocol):
    """Examines the lines of a file."""

    def examine(self, block: bytes, line: int, offset: int, *, final: bool) -> Examined:
        """Look at the whole lines of a block, of which the first has this number and offset. May be asked twice.

        :param final: Nothing follows the block: its end is the end of a line.
        """

    def too_long(self, line: int, offset: int, length: int) -> None:
        """Take note of a line that is longer than a part may be; it is excluded."""

    def commit(self, block: bytes, offset: int, examined: Examined) -> None:
        """Take note of an examination that counts."""


def block_limit(offset: int) -> int:
    """Return the offset that a block which begins at ``offset`` must not go beyond."""
    return ((offset + MARGIN) // GRID + 1) * GRID


def cut_examined(
    file: SourceFile,
    examiner: Examiner,
    *,
    start: int,
    first_line: int,
    header: Range | None,
    max_part_bytes: int,
    used_counts: set[int],
) -> Iterator[Part]:
    """Cut a file into parts, in one pass from ``start`` to its end, and give each when it is full.

    How many there will be is not known then.

    :param first_line: Number of the line at ``start``.
    :param header: The header of a CSV file, which every part repeats; None: NDJSON.
    :param used_counts: Line counts of the load's other parts; those of this file are added.
    """
    with contextlib.closing(file.open()) as reader:
        cutter = _Cutter(file, reader, examiner, header=header, max_part_bytes=max_part_bytes, used_counts=used_counts)
        for number, piece in enumerate(cutter.pieces(start, first_line), start=1):
            yield Part(
                file=file.name,
                number=number,
                of=None,
                ranges=tuple(piece.ranges),
                header_bytes=header[1] if header else 0,
                lines=piece.lines,
                sha256=piece.digest.hexdigest(),
            )


@dataclasses.dataclass(slots=True)
class _Pending:
    """The last block of a piece, whose end may still move."""

    block: bytes
    line: int
    offset: int
    examined: Examined


class _Piece:
    """A part that is being put together."""

    def __init__(self, header: Range | None, header_bytes: bytes) -> None:
        self.ranges: list[Range] = [header] if header else []
        self.lines = 0
        self.size = len(header_bytes)
        self.digest = hashlib.sha256(header_bytes)
        self.pending: _Pending | None = None

    @property
    def all_lines(self) -> int:
        return self.lines + (self.pending.examined.lines if self.pending else 0)

    def commit(self, examiner: Examiner) -> None:
        pending, self.pending = self.pending, None
        if pending is None:
            return
        examiner.commit(pending.block, pending.offset, pending.examined)
        self.lines += pending.examined.lines
        for offset, length in without(pending.offset, len(pending.block), pending.examined.excluded):
            self.digest.update(memoryview(pending.block)[offset - pending.offset :][:length])
            self.size += length
            if self.ranges and sum(self.ranges[-1]) == offset:
                self.ranges[-1] = (self.ranges[-1][0], self.ranges[-1][1] + length)
            else:
                self.ranges.append((offset, length))


class _Cutter:
    def __init__(
        self,
        file: SourceFile,
        reader: Reader,
        examiner: Examiner,
        *,
        header: Range | None,
        max_part_bytes: int,
        used_counts: set[int],
    ) -> None:
        self._file = file
        self._reader = reader
        self._examiner = examiner
        self._header = header
        self._header_bytes = self._read(*header) if header else b""
        self._max_part_bytes = max_part_bytes
        self._used_counts = used_counts
        self._last_end: Callable[[bytes], int] = _last_record_end if header else _last_line_end

    def pieces(self, start: int, first_line: int) -> Iterator[_Piece]:
        position, line = start, first_line
        full = self._full_size(start)
        closed = 0
        while position < self._file.size:
            piece = _Piece(self._header, self._header_bytes)
            position, line = self._fill(piece, full, position, line)
            if position < self._file.size or closed:
                position, line = self._make_distinct(piece, position, line)
            piece.commit(self._examiner)
            if piece.lines:
                self._used_counts.add(piece.lines)
                closed += 1
                yield piece

    def _full_size(self, start: int) -> int:
        """Return the size to which parts are filled, so that the last one is not a scrap of the others' size."""
        room = self._max_part_bytes - len(self._header_bytes)
        content = self._file.size - start
        count = -(-content // room) if room > 0 else 1
        # A little more than an equal share: each part ends with a whole line, and what they leave must not need a part
        # of its own.
        share = -(-content // max(count, 1))
        return min(self._max_part_bytes, len(self._header_bytes) + share + share // 512 + _SLACK)

    def _fill(self, piece: _Piece, full: int, position: int, line: int) -> tuple[int, int]:
        while position < self._file.size:
            room = full - piece.size - (len(piece.pending.block) if piece.pending else 0)
            stop = min(block_limit(position), position + room, self._file.size)
            block = self._read(position, stop - position) if room > 0 else b""
            is_all = position + len(block) == self._file.size
            examined = self._examiner.examine(block, line, position, final=is_all)
            if not examined.consumed:
                end = self._length_of_line(position)
                is_too_long = len(self._header_bytes) + end > self._max_part_bytes
                if piece.all_lines and not is_too_long:
                    break
                piece.commit(self._examiner)
                if is_too_long:
                    self._examiner.too_long(line, position, end)
                    position, line = position + end, line + 1
                    continue
                block = self._read(position, end)
                examined = self._examiner.examine(block, line, position, final=True)
            piece.commit(self._examiner)
            piece.pending = _Pending(block[: examined.consumed], line, position, examined)
            position, line = position + examined.consumed, examined.next_line
        return position, line

    def _make_distinct(self, piece: _Piece, position: int, line: int) -> tuple[int, int]:
        """Give lines of a piece's last block to the next one until no other part has its count."""
        as_it_was = piece.pending, position, line
        while piece.pending and piece.all_lines in self._used_counts:
            shorter = piece.pending.block[: self._last_end(piece.pending.block[:-1])]
            examined = self._examiner.examine(shorter, piece.pending.line, piece.pending.offset, final=False)
            if not shorter or examined.consumed < len(shorter) or piece.all_lines <= 1:
                # Executions of equal counts are told apart by the hash of their input files.
                piece.pending, position, line = as_it_was
                return position, line
            piece.pending = dataclasses.replace(piece.pending, block=shorter, examined=examined)
            position, line = piece.pending.offset + len(shorter), examined.next_line
        return position, line

    def _length_of_line(self, position: int) -> int:
        """Return the length of the line at ``position``, however long, in little memory."""
        ends = RecordEnds()
        offset = position
        while offset < self._file.size:
            block = self._read(offset, min(GRID, self._file.size - offset))
            for piece in block.splitlines(keepends=True) if self._header else (block,):
                if end := ends.feed(piece) if self._header else piece.find(b"\n") + 1:
                    return offset + end - position
                offset += len(piece)
        return offset - position

    def _read(self, offset: int, length: int) -> bytes:
        self._reader.seek(offset)
        blocks: list[bytes] = []
        while length > 0:
            block = self._reader.read(length)
            if not block:
                raise changed(self._file.name)
            blocks.append(block)
            length -= len(block)
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)


def without(offset: int, length: int, excluded: Sequence[Range]) -> Iterator[Range]:
    """Give what is left of a range when other ranges in it are taken out."""
    end = offset + length
    for hole, hole_length in excluded:
        if hole > offset:
            yield offset, hole - offset
        offset = hole + hole_length
    if end > offset:
        yield offset, end - offset


def _last_line_end(block: bytes) -> int:
    return block.rfind(b"\n") + 1


def _last_record_end(block: bytes) -> int:
    return RecordEnds().feed(block)
