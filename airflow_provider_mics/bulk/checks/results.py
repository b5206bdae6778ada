"""What a check of a block of lines gives back."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from airflow_provider_mics.bulk.checks.findings import Problem

#: Longest line or CSV record that is looked at, in bytes. What the platform takes is not public; this bounds memory.
MAX_LINE_BYTES = 8 * 1024 * 1024


class BadLine(NamedTuple):
    """Bytes of a file that are no good line.

    :param offset: Bytes before it in the file.
    :param length: Its bytes, with its line end.
    :param line: Number of the line, from 1; of a CSV record, its first line.
    """

    offset: int
    length: int
    line: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BlockResult:
    """What is in a block.

    :param consumed: Bytes of the block that are dealt with. The others are the beginning of a line or record: the next
        block starts with them.
    :param next_line: Number of the line that comes after those bytes.
    :param lines: Lines that hold something, good and bad; of CSV, records without the header.
    :param blank: Lines that hold nothing; the platform does not count them.
    :param deletions: Good lines that delete something.
    :param bad: Lines that are not good, all of them, in their order. A CSV header that is wrong is among them.
    """

    consumed: int
    next_line: int
    lines: int
    blank: int
    deletions: int
    bad: list[BadLine]


class Checker(Protocol):
    """Checks the lines of one file, or of one range of a file that begins where a line begins."""

    @property
    def is_hopeless(self) -> bool:
        """Tell whether every line from here on will be bad, as a CSV header is wrong."""

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
        """Check the next lines.

        Blocks come in the order of the file. Where they end changes nothing of what is found. A byte order mark at
        ``offset=0`` is passed over.

        :param block: What the last block did not consume, and what follows it in the file; 64 to 128 KiB is fastest.
        :param first_line: Number of its first line, from 1: ``next_line`` of the last block.
        :param offset: Bytes before it in the file.
        :param problems: Where problems are appended. A line may have several. Lines that are bad because of how the
            whole file is laid out, such as those of a JSON array, have one problem together, at the first of them.
        :param limit: Problems in the list, at most; what is found beyond is only in the result's ``bad``.
        :param final: Nothing follows in the file.
        """
