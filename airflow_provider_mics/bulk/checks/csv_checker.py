"""Checks CSV, block by block."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.api.constants import DocumentType
from airflow_provider_mics.bulk.checks.command_rules import DELETE, check_segment
from airflow_provider_mics.bulk.checks.csv_header import (
    check_any_header,
    check_segment_header,
    column_names,
    layout_problem,
)
from airflow_provider_mics.bulk.checks.csv_pattern import any_pattern, segment_pattern
from airflow_provider_mics.bulk.checks.csv_record import Record, never_closed, read_record
from airflow_provider_mics.bulk.checks.findings import Finding
from airflow_provider_mics.bulk.checks.results import MAX_LINE_BYTES
from airflow_provider_mics.bulk.checks.walk import LongLine, Walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_mics.bulk.checks.findings import Problem
    from airflow_provider_mics.bulk.checks.results import BlockResult

_blank_line: Final = re.compile(rb"[ \t\r]*+\n").match
#: Bytes decoded together to see whether they are UTF-8.
_PIECE: Final = 64 * 1024
#: All bytes but quotes and newlines.
_NO_MARKS: Final = bytes(code for code in range(256) if code not in b'"\n')
_NUMBERS: Final = frozenset({"expiration_duration", "expiration_ts"})
#: A longer number is too large anyway.
_MAX_DIGITS: Final = 30


class CsvChecker:
    """Checks the records of one CSV file, its header first.

    A record that cannot be read ends with its first line, and the next line begins a record. A number of a line is that
    of a record's first line. See :class:`~airflow_provider_mics.bulk.checks.results.Checker`.
    """

    def __init__(self, document_type: str, *, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self.is_hopeless = False
        self._is_segment = document_type == DocumentType.USER_SEGMENT
        self._max_line_bytes = max_line_bytes
        self._columns: list[str] | None = None
        self._pattern: re.Pattern[bytes] = any_pattern(1)
        self._long_line: LongLine | None = None

    def check_block(
        self,
        block: bytes,
        *,
        first_line: int,
        offset: int,
        problems: list[Problem],
        limit: int,
        final: bool = False,
    ) -> BlockResult:
        """Check the next records."""
        size = len(block)
        if final and block and not block.endswith(b"\n"):
            block += b"\n"
        walk = Walk(block, size, offset, first_line, problems, limit)
        if self._long_line is not None:
            end = block.find(b"\n") + 1
            if not end and not final:
                walk.position = size
                return walk.result()
            walk.refuse_long(self._long_line, end, self._max_line_bytes)
            self._long_line = None
            # Without its header, a file says nothing.
            self.is_hopeless = self.is_hopeless or self._columns is None
        elif offset == 0 and block.startswith(codecs.BOM_UTF8):
            walk.position = len(codecs.BOM_UTF8)
        self._check_records(walk, final=final)
        if not final and size - walk.position > self._max_line_bytes:
            self._long_line = LongLine(offset + walk.position, is_array=False)
            walk.position = size
        return walk.result()

    def _check_records(self, walk: Walk, *, final: bool) -> None:
        stop = walk.block.rfind(b"\n") + 1
        utf_8_until = -1
        while walk.position < stop:
            blank = _blank_line(walk.block, walk.position)
            if blank:
                walk.skip_blank(blank.end())
            elif self.is_hopeless:
                walk.refuse(_line_end(walk), [])
            elif self._columns is None:
                if not self._read_header(walk, final=final):
                    return
            else:
                if utf_8_until < walk.position:
                    utf_8_until = _utf_8_until(walk.block, walk.position, stop)
                self._take_good(walk, utf_8_until)
                is_at_record = walk.position < stop and not _blank_line(walk.block, walk.position)
                if is_at_record and not self._look_at_record(walk, final=final):
                    return

    def _take_good(self, walk: Walk, until: int) -> None:
        """Pass records as long as the pattern takes them."""
        position = walk.position
        deletions = 0
        while True:
            match = self._pattern.match(walk.block, position, until)
            if match is None:
                break
            position = match.end()
            if match.lastindex is None:
                break
            deletions += 1
        if position == walk.position:
            return
        newlines = walk.block.count(b"\n", walk.position, position)
        inside = _quoted_newlines(walk.block, walk.position, position)
        walk.pass_good(position, lines=newlines - inside, newlines=newlines, deletions=deletions)

    def _look_at_record(self, walk: Walk, *, final: bool) -> bool:
        """Pass the record that is next, good or bad; False: it is not all there."""
        record = self._read_record(walk, final=final)
        if record is None:
            return False
        if isinstance(record, Finding):
            walk.refuse(_line_end(walk), [record])
            return True
        raw = walk.block[walk.position : record.end]
        findings = _text_problems(raw) or self._problems(record.cells)
        newlines = raw.count(b"\n")
        if findings:
            walk.refuse(record.end, findings, newlines=newlines)
        else:
            deletes = self._is_segment and _operation(self._columns or [], record.cells) == DELETE.encode()
            walk.pass_good(record.end, lines=1, newlines=newlines, deletions=deletes)
        return True

    def _read_record(self, walk: Walk, *, final: bool) -> Record | Finding | None:
        record = read_record(walk.block, walk.position)
        if record is None and (final or walk.size - walk.position > self._max_line_bytes):
            return never_closed()
        return record

    def _read_header(self, walk: Walk, *, final: bool) -> bool:
        """Pass the header; False: it is not all there."""
        record = self._read_record(walk, final=final)
        if record is None:
            return False
        line_end = _line_end(walk)
        # How the whole file is laid out says more than what is wrong with its first line.
        record = layout_problem(walk.block[walk.position : line_end]) or record
        if isinstance(record, Finding):
            self.is_hopeless = True
            walk.refuse(line_end, [record], lines=0)
            return True
        newlines = walk.block.count(b"\n", walk.position, record.end)
        names = column_names(record.cells)
        findings = list(check_segment_header(names) if self._is_segment else check_any_header(names))
        if findings:
            self.is_hopeless = True
            walk.refuse(record.end, findings, lines=0, newlines=newlines)
            return True
        self._columns = names
        self._pattern = segment_pattern(names) if self._is_segment else any_pattern(len(names))
        walk.pass_good(record.end, lines=0, newlines=newlines, deletions=0)
        return True

    def _problems(self, cells: Sequence[bytes]) -> list[Finding]:
        columns = self._columns or []
        if len(cells) != len(columns):
            return [
                Finding(
                    None,
                    f"has {len(cells)} cells, the header has {len(columns)}",
                    "Put cells that contain commas, quotes or newlines in quotes.",
                )
            ]
        if not self._is_segment:
            return []
        return list(
            check_segment({name: _value(name, cell) for name, cell in zip(columns, cells, strict=True) if cell})
        )


def _value(name: str, cell: bytes) -> Any:
    """Return what a cell is in JSON; digits that are too many stay a text, which no number may be."""
    is_number = name in _NUMBERS and cell.isdigit() and len(cell) <= _MAX_DIGITS
    return int(cell) if is_number else cell.decode()


def _operation(columns: Sequence[str], cells: Sequence[bytes]) -> bytes:
    return cells[columns.index("operation")]


def _text_problems(raw: bytes) -> list[Finding]:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return [Finding(None, f"is not UTF-8 at byte {error.start} of the record", "Save the file in UTF-8.")]
    if b"\0" in raw:
        return [Finding(None, f"has a NUL at byte {raw.index(0)} of the record", "Remove it.")]
    return []


def _line_end(walk: Walk) -> int:
    """Return where the line at the walk's position ends. There is a newline."""
    return walk.block.index(b"\n", walk.position) + 1


def _quoted_newlines(text: bytes, start: int, end: int) -> int:
    """Count the newlines inside quotes, of whole records."""
    if text.find(b'"', start, end) < 0:
        return 0
    # Two quotes with nothing between them hold no newline, and most cells leave just that.
    marks = text[start:end].translate(None, _NO_MARKS).replace(b'""', b"")
    return b"".join(marks.split(b'"')[1::2]).count(b"\n") if b'"' in marks else 0


def _utf_8_until(text: bytes, start: int, stop: int) -> int:
    """Return the beginning of the first line that is not UTF-8, or ``stop``."""
    view = memoryview(text)
    while start < stop:
        # The bytes of one character are never a newline.
        end = text.rfind(b"\n", start, start + _PIECE) + 1 or text.index(b"\n", start) + 1
        try:
            str(view[start:end], "utf-8")
        except UnicodeDecodeError as error:
            return text.rfind(b"\n", start, start + error.start) + 1 or start
        start = end
    return stop
