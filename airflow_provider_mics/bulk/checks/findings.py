"""What is wrong with a line, and where. Nothing here ever holds a value from the line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

#: A line's JSON object.
Object = Mapping[str, Any]


class Finding(NamedTuple):
    """Something wrong within a line.

    :param field: Which field, with dots and indexes, such as ``$events[2].$event_name``; None: the line as a whole.
    :param reason: What is wrong with it. With a field, the sentence goes on from its name: "is missing".
    :param remedy: What to do, a sentence.
    :param is_layout: It says how the whole file is laid out, so that one line's word stands for all that follow.
    """

    field: str | None
    reason: str
    remedy: str
    is_layout: bool = False


#: Says what is wrong with an object; nothing: it is good.
Rule = Callable[[Object], Iterator[Finding]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a line of a file.

    :param line: Number of the line, from 1; of a CSV record, its first line.
    :param offset: Bytes before it in the file.
    :param length: Its bytes, with its line end.
    :param field: Which field, such as ``user_choice.$processing_id``; None: the line as a whole.
    :param reason: What is wrong. With a field, the sentence goes on from its name: "is missing".
    :param remedy: What to do, a sentence.
    """

    line: int
    offset: int
    length: int
    field: str | None
    reason: str
    remedy: str

    def __str__(self) -> str:
        """Say it on one line."""
        subject = f"{self.field} " if self.field else ""
        return f"line {self.line} (byte {self.offset}): {subject}{self.reason}. {self.remedy}"
