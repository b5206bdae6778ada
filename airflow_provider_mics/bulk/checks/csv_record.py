"""Reads one CSV record by RFC 4180, and says what is wrong with one that cannot be read."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from airflow_provider_mics.bulk.checks.findings import Finding
from airflow_provider_mics.bulk.checks.no_backtracking import any_number_of

#: A cell: its text between quotes, where quotes are doubled, or its text without quotes.
_CELL: Final = re.compile(rb'"(' + any_number_of(rb'[^"]++|""') + rb')"|([^,"\r\n]*+)')
_QUOTE: Final = ord('"')
_SEPARATOR: Final = b","
_RETURN: Final = b"\r"


class Record(NamedTuple):
    """A record.

    :param cells: Their contents, without quotes.
    :param end: Offset behind its line end.
    """

    cells: list[bytes]
    end: int


def read_record(text: bytes, start: int) -> Record | Finding | None:
    """Read the record at ``start``; None: it is not all there.

    A record that cannot be read ends with its first line: what follows may be good.
    """
    cells = []
    position = start
    while True:
        match = _CELL.match(text, position)
        # The second alternative matches nothing at all, if need be.
        quoted, plain = match.groups() if match else (None, b"")
        position = match.end() if match else position
        behind = text[position : position + 1]
        if not behind:
            return None
        if behind == b'"' and quoted is None and not plain:
            # A quote that opens and is not closed: by anything that is there so far.
            return None
        cells.append(quoted.replace(b'""', b'"') if quoted is not None else plain or b"")
        if behind == _SEPARATOR:
            position += 1
            continue
        if behind == _RETURN:
            behind = text[position + 1 : position + 2]
            position += 1
            if not behind:
                return None
            if behind != b"\n":
                return _return_in(len(cells))
        if behind == b"\n":
            return Record(cells, position + 1)
        return _behind_quote(len(cells)) if quoted is not None else _quote_in(len(cells))


def never_closed() -> Finding:
    """Say that a quote opens a cell and none closes it."""
    return Finding(None, "a quote is never closed", 'Close it, or write a quote inside a cell as "".')


def _quote_in(column: int) -> Finding:
    return Finding(
        None,
        f"column {column} has a quote inside, but is not quoted",
        'Put the whole cell in quotes, and write a quote inside as "".',
    )


def _behind_quote(column: int) -> Finding:
    return Finding(
        None,
        f"column {column} has something behind its closing quote",
        'Write a quote inside a quoted cell as "", or close one that was left open before.',
    )


def _return_in(column: int) -> Finding:
    return Finding(
        None,
        f"column {column} has a carriage return behind it that ends no line",
        "End lines with a newline, and quote cells that have line ends inside.",
    )
