"""Checks NDJSON, block by block."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.bulk.checks.document_rules import rules_for
from airflow_provider_mics.bulk.checks.examine import examine
from airflow_provider_mics.bulk.checks.quick import look_over
from airflow_provider_mics.bulk.checks.results import MAX_LINE_BYTES
from airflow_provider_mics.bulk.checks.walk import LongLine, Walk

if TYPE_CHECKING:
    from airflow_provider_mics.bulk.checks.findings import Finding, Problem
    from airflow_provider_mics.bulk.checks.results import BlockResult

#: Most bytes looked at together. Larger pieces fall out of the processor's cache and out of what the allocator keeps.
_PIECE: Final = 64 * 1024
_BLANK: Final = b" \t\r\n"


class NdjsonChecker:
    """Checks the lines of one NDJSON file. See :class:`~airflow_provider_mics.bulk.checks.results.Checker`."""

    is_hopeless = False

    def __init__(self, document_type: str, *, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._rules = rules_for(document_type)
        self._decode = self._rules.decoder()
        self._hunch = self._rules.hunch()
        self._max_line_bytes = max_line_bytes
        # A line that is longer than a piece has one for itself.
        self._piece = min(_PIECE, max_line_bytes)
        self._long_line: LongLine | None = None
        self._is_layout_said = False

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
        """Check the next lines."""
        walk = Walk(block, len(block), offset, first_line, problems, limit)
        stop = len(block) if final else block.rfind(b"\n") + 1
        if self._long_line is not None:
            if not stop and not final:
                walk.position = len(block)
                return walk.result()
            walk.refuse_long(self._long_line, block.find(b"\n") + 1 or stop, self._max_line_bytes)
            self._long_line = None
        elif offset == 0 and block.startswith(codecs.BOM_UTF8):
            walk.position = len(codecs.BOM_UTF8)
        while walk.position < stop:
            self._check_piece(walk, stop)
        if not final and len(block) - walk.position > self._max_line_bytes:
            self._long_line = LongLine(offset + walk.position, _begins_array(block, walk.position))
            walk.position = len(block)
        return walk.result()

    def _check_piece(self, walk: Walk, stop: int) -> None:
        block, start = walk.block, walk.position
        end = block.rfind(b"\n", start, min(start + self._piece, stop)) + 1
        if end <= start:
            # One line that is longer than a piece, or the last one, which no newline ends.
            end = block.find(b"\n", start, stop) + 1 or stop
            if len(block[start:end].rstrip(b"\n")) > self._max_line_bytes:
                walk.refuse_long(LongLine(walk.offset + start, _begins_array(block, start)), end, self._max_line_bytes)
                return
        piece = block[start:end]
        # Finds newlines many times as fast as bytes.split().
        lines = io.BytesIO(piece).readlines()
        is_utf_8 = _is_utf_8(piece)
        if is_utf_8 and self._hunch and self._hunch.holds(lines):
            walk.pass_good(end, lines=len(lines), newlines=len(lines), deletions=0)
            return
        refused, deletions = look_over(lines if is_utf_8 else _only_utf_8(lines), self._decode, self._rules.judge)
        walk.deletions += deletions
        done = 0
        for index in refused:
            good = lines[done:index]
            walk.pass_good(walk.position + sum(map(len, good)), lines=len(good), newlines=len(good), deletions=0)
            self._examine(walk, lines[index])
            done = index + 1
        walk.pass_good(end, lines=len(lines) - done, newlines=len(lines) - done, deletions=0)

    def _examine(self, walk: Walk, line: bytes) -> None:
        end = walk.position + len(line)
        if not line.strip(_BLANK):
            walk.skip_blank(end)
            return
        findings, deletes = examine(line.removesuffix(b"\n"), self._rules)
        if findings:
            walk.refuse(end, self._worth_saying(findings))
        else:
            walk.pass_good(end, lines=1, newlines=1, deletions=deletes)

    def _worth_saying(self, findings: list[Finding]) -> list[Finding]:
        """Leave out what was said of a line before, where it stands for the whole file."""
        said = self._is_layout_said
        self._is_layout_said = said or any(finding.is_layout for finding in findings)
        return [finding for finding in findings if not (said and finding.is_layout)]


def _is_utf_8(text: bytes) -> bool:
    # The bytes of one character are never a newline: a text is UTF-8 where all its lines are.
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False


def _only_utf_8(lines: list[bytes]) -> list[bytes]:
    """Put an empty line, which is refused, in the place of each that is not UTF-8."""
    return [line if _is_utf_8(line) else b"" for line in lines]


def _begins_array(block: bytes, start: int) -> bool:
    return block[start : start + 64].lstrip(_BLANK).startswith(b"[")
