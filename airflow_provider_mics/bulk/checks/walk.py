"""Where a check is in a block, and what it has found so far."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from airflow_provider_mics.bulk.checks.findings import Finding, Problem
from airflow_provider_mics.bulk.checks.results import BadLine, BlockResult

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclasses.dataclass(frozen=True, slots=True)
class LongLine:
    """The beginning of a line that is too long to be looked at, and whose end is not reached.

    :param offset: Bytes before it in the file.
    :param is_array: It begins like a JSON array.
    """

    offset: int
    is_array: bool


@dataclasses.dataclass(slots=True)
class Walk:
    """A way through a block.

    :param size: Bytes of the block that are in the file: a newline may have been put behind the last line.
    :param offset: Bytes before the block in the file.
    :param line: Number of the line at ``position``.
    :param problems: Where problems are appended, ``limit`` of them at most.
    :param position: Bytes of the block that are dealt with.
    """

    block: bytes
    size: int
    offset: int
    line: int
    problems: list[Problem]
    limit: int
    position: int = 0
    lines: int = 0
    blank: int = 0
    deletions: int = 0
    bad: list[BadLine] = dataclasses.field(default_factory=list)

    def skip_blank(self, end: int) -> None:
        """Pass a blank line that ends at ``end``."""
        self.blank += 1
        self.line += 1
        self.position = end

    def pass_good(self, end: int, *, lines: int, newlines: int, deletions: int) -> None:
        """Pass good lines, or records with newlines inside, that end at ``end``."""
        self.lines += lines
        self.line += newlines
        self.deletions += deletions
        self.position = end

    def refuse(self, end: int, findings: Iterable[Finding], *, lines: int = 1, newlines: int = 1) -> None:
        """Pass a bad line, or a record with newlines inside, that ends at ``end``."""
        self._add(BadLine(self.offset + self.position, min(end, self.size) - self.position, self.line), findings)
        self.lines += lines
        self.line += newlines
        self.position = end

    def refuse_long(self, start: LongLine, end: int, max_line_bytes: int) -> None:
        """Pass the end of a line that began in an earlier block and is too long."""
        self._add(
            BadLine(start.offset, self.offset + min(end, self.size) - start.offset, self.line),
            [_too_long(max_line_bytes, start)],
        )
        self.lines += 1
        self.line += 1
        self.position = end

    def result(self) -> BlockResult:
        """Sum up."""
        return BlockResult(
            consumed=min(self.position, self.size),
            next_line=self.line,
            lines=self.lines,
            blank=self.blank,
            deletions=self.deletions,
            bad=self.bad,
        )

    def _add(self, bad: BadLine, findings: Iterable[Finding]) -> None:
        self.bad.append(bad)
        for finding in findings:
            if len(self.problems) >= self.limit:
                return
            self.problems.append(
                Problem(
                    line=bad.line,
                    offset=bad.offset,
                    length=bad.length,
                    field=finding.field,
                    reason=finding.reason,
                    remedy=finding.remedy,
                )
            )


def _too_long(max_line_bytes: int, start: LongLine) -> Finding:
    if start.is_array:
        remedy = "It begins like a JSON array: write one object on each line, without enclosing brackets or commas."
    else:
        remedy = "Look for a missing line end there."
    return Finding(None, f"is longer than {max_line_bytes} bytes", remedy)
