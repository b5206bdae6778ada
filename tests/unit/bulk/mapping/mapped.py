"""What a mapping makes of rows, as the platform reads it."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.bulk.mapping import CommandMapping
from airflow_provider_mics.bulk.mapping.chunk import Chunk
from airflow_provider_mics.bulk.rows import encode_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def lines(command: Mapping[str, Any], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[bytes]:
    mapping = CommandMapping(command).bind(columns, "The query")
    by_column = list(zip(*rows, strict=True))
    chunk = Chunk([by_column[index] for index in mapping.wanted], len(rows), 1)
    commands: Iterable[Any] = mapping.commands(chunk)
    blocks = list(encode_rows(commands, source="The query", max_line_bytes=10_000_000, are_checked=True))
    assert sum(block.lines for block in blocks) == len(rows)
    found = b"".join(block.content for block in blocks).split(b"\n")
    assert found.pop() == b""
    assert len(found) == len(rows)
    return found


def commands(command: Mapping[str, Any], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Any]:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    return [json.loads(line, parse_constant=refuse) for line in lines(command, columns, rows)]


def one(column: Any, value: Any, *others: Any) -> Any:
    """Return what becomes of a column's value, beside others: what is done with all at once must not differ."""
    found = commands({"is": column}, ["c"], [(value,), *((other,) for other in others)])
    return found[0].get("is", "left out")


def naive(*moment: int) -> dt.datetime:
    """Return a time stamp without a zone."""
    return dt.datetime(*moment, tzinfo=dt.UTC).replace(tzinfo=None)  # type: ignore[misc, arg-type]
