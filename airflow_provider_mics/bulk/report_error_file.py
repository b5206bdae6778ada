"""Reading an execution's error file. Its form is not documented: columns are found by name, else by content."""

from __future__ import annotations

import codecs
import csv
import dataclasses
import io
import itertools
import re
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.bulk.reasons import split_error_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

#: Rows by which columns are told.
_SAMPLE_ROWS: Final = 50
#: Share of the rows that must be of one width, and of the cells that must be of one kind. Less than all: a text may
#: hold a delimiter that nobody has quoted, a cell may be empty.
_ENOUGH: Final = 0.8
#: Longest text that is kept of a cell, in characters. The raw file has the rest.
MAX_CELL_LENGTH: Final = 2000

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
#: No more digits than a line number of any file has.
_WHOLE: Final = re.compile(r"[0-9]{1,15}")
# Names are compared without case and without what is neither letter nor digit.
_LINE_NAME: Final = re.compile(r"(?:input|source)?(?:line|row|record)(?:no|nb|num|number|index|id)?|index|number")
_ERROR_ID_NAME: Final = re.compile(r"error(?:id|uuid|ref|reference)|uuid")
_MESSAGE_NAME: Final = re.compile(r"(?:error)?(?:message|reason|description|cause|details?|text)|errors?")
_OTHER_NAME: Final = re.compile(r"id|code|errorcode|status|type|content|input|payload|value|data")


@dataclasses.dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that was rejected, as the platform tells.

    :param number: Number of the line as the error file counts it, in the part that was sent.
    :param error_id: The platform's id of the error.
    :param message: Its text, as it came: it may quote what was in the line.
    :param other: What else the error file says, by column.
    """

    number: int | None = None
    error_id: str | None = None
    message: str | None = None
    other: Mapping[str, str] | None = None


class ErrorFileError(Exception):
    """An error file cannot be read, or not to its end."""


def read_error_file(content: bytes, lines: int | None) -> Iterator[RejectedLine]:
    """Give the lines that an error file lists.

    :param lines: Lines of the part; None: not known. A column without a name is taken for line numbers only if all of
        it can be.
    :raises ErrorFileError: From some row on it cannot be read.
    """
    rows = _rows(content, _delimiter(content))
    try:
        sample = list(itertools.islice(rows, _SAMPLE_ROWS))
        columns = _Columns(sample, lines)
        yield from map(columns.read, itertools.chain(sample[columns.has_header :], rows))
    except csv.Error as error:
        # Such as a quote that is never closed.
        raise ErrorFileError(str(error)) from None


def _rows(content: bytes, delimiter: str | None) -> Iterator[list[str]]:
    # Of a text of one column, commas are part.
    reader = csv.reader(_text(content), delimiter=delimiter or "\x1f")
    return (row for row in reader if any(cell.strip() for cell in row))


def _text(content: bytes) -> io.TextIOWrapper:
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return io.TextIOWrapper(io.BytesIO(content), "utf-16" if is_utf16 else "utf-8-sig", errors="replace", newline="")


def _delimiter(content: bytes) -> str | None:
    """Return what is between the cells: what gives the most rows of one width; None: there is one column."""
    best: tuple[float, int, str | None] = (_ENOUGH, 1, None)
    for delimiter in ",;\t|":
        try:
            widths = [len(row) for row in itertools.islice(_rows(content, delimiter), _SAMPLE_ROWS)]
        except csv.Error:
            continue
        if not widths:
            continue
        width = max(set(widths), key=widths.count)
        share = widths.count(width) / len(widths)
        if width > 1 and (share, width) > best[:2]:
            best = (share, width, delimiter)
    return best[2]


class _Columns:
    """Which column is what."""

    def __init__(self, sample: Sequence[Sequence[str]], lines: int | None) -> None:
        first = [_plain(cell) for cell in sample[0]] if sample else []
        known = (_LINE_NAME, _ERROR_ID_NAME, _MESSAGE_NAME, _OTHER_NAME)
        self.has_header = any(pattern.fullmatch(name) for name in first for pattern in known)
        self._names = [cell.strip() for cell in sample[0]] if self.has_header else []
        names = first if self.has_header else []
        rows = sample[self.has_header :]
        columns = [[row[index].strip() for row in rows if index < len(row)] for index in range(_width(sample))]

        def named(pattern: re.Pattern[str]) -> int | None:
            return next((index for index, name in enumerate(names) if pattern.fullmatch(name)), None)

        def found(is_it: Callable[[Sequence[str]], bool]) -> int | None:
            return next((index for index, cells in enumerate(columns) if is_it(cells)), None)

        self._error_id = named(_ERROR_ID_NAME)
        if self._error_id is None:
            self._error_id = found(lambda cells: _are(_UUID, cells))
        self._line = named(_LINE_NAME)
        if self._line is None and not names:
            self._line = found(lambda cells: _may_be_line_numbers(cells, lines))
        self._message = named(_MESSAGE_NAME)
        if self._message is None:
            self._message = self._longest(columns)

    def read(self, row: Sequence[str]) -> RejectedLine:
        """Read a row. Cells that are not what their column is are kept among the others."""
        other: dict[str, str] = {}
        number = error_id = message = None
        for index, cell in enumerate(row):
            text = cell.strip()[:MAX_CELL_LENGTH]
            if index == self._line and _WHOLE.fullmatch(text):
                number = int(text)
            elif index == self._error_id and _UUID.fullmatch(text):
                error_id = text
            elif index == self._message:
                message = text or None
            elif text:
                name = self._names[index] if index < len(self._names) else ""
                other[name or f"column {index + 1}"] = text
        if message and error_id is None:
            message, error_id = split_error_id(message)
        return RejectedLine(number, error_id, message, other or None)

    def _longest(self, columns: Sequence[Sequence[str]]) -> int | None:
        lengths = {
            index: sum(map(len, cells))
            for index, cells in enumerate(columns)
            if index not in {self._line, self._error_id} and any(" " in cell for cell in cells)
        }
        return max(lengths, key=lambda index: lengths[index]) if lengths else None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _width(rows: Sequence[Sequence[str]]) -> int:
    return max(map(len, rows), default=0)


def _are(pattern: re.Pattern[str], cells: Sequence[str]) -> bool:
    return sum(bool(pattern.fullmatch(cell)) for cell in cells) >= max(1, _ENOUGH * len(cells))


def _may_be_line_numbers(cells: Sequence[str], lines: int | None) -> bool:
    """Tell whether a column without a name can be line numbers: they rise, and none is beyond the part.

    One more than the lines of the part: the header of CSV may be counted.
    """
    if not cells or not all(_WHOLE.fullmatch(cell) for cell in cells):
        return False
    numbers = list(map(int, cells))
    return all(low < high for low, high in itertools.pairwise(numbers)) and (lines is None or numbers[-1] <= lines + 1)
