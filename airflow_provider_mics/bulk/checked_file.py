"""A file whose lines are checked by their document type while it is cut into parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.bulk.checks import Problem
from airflow_provider_mics.bulk.cutting import without
from airflow_provider_mics.bulk.findings import Checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_mics.bulk.checks import Checker
    from airflow_provider_mics.bulk.cutting import Examined
    from airflow_provider_mics.bulk.findings import Findings
    from airflow_provider_mics.bulk.scout import Scout

_BLANK_LINE: Final = re.compile(rb"(?:\A|(?<=\n))[ \t\r]*+(?:\n|\Z)")


class CheckedFile:
    """Examines a file's lines with a checker, and tells what counts.

    :param findings: Told what was found in each block, once.
    :param scout: Knows some blocks already; None: nobody does.
    """

    def __init__(
        self, name: str, mime_type: str, checker: Checker, findings: Findings, scout: Scout | None = None
    ) -> None:
        self._name = name
        self._mime_type = mime_type
        self._checker = checker
        self._findings = findings
        self._scout = scout

    def examine(self, block: bytes, line: int, offset: int, *, final: bool) -> Checked:
        """Check the whole lines of a block."""
        if self._scout and not final and (good := self._scout.good_block(offset)) and good.length <= len(block):
            return Checked(
                consumed=good.length, lines=good.lines, next_line=line + good.lines, deletions=good.deletions
            )
        problems: list[Problem] = []
        result = self._checker.check_block(
            block,
            first_line=line,
            offset=offset,
            problems=problems,
            limit=self._findings.problems_wanted,
            final=final,
        )
        excluded = [(bad.offset, bad.length) for bad in result.bad]
        # Blank records of CSV stay: taking them out would take what looks like them out of quotes.
        if result.blank and self._mime_type == MimeType.NDJSON:
            content = block[: result.consumed]
            excluded += [(offset + blank.start(), len(blank.group())) for blank in _BLANK_LINE.finditer(content)]
            excluded.sort()
        return Checked(
            consumed=result.consumed,
            lines=result.lines - len(result.bad),
            next_line=result.next_line,
            excluded=excluded,
            bad=result.bad,
            blank=result.blank,
            deletions=result.deletions,
            problems=problems,
        )

    def too_long(self, line: int, offset: int, length: int) -> None:
        """Take note of a line that is longer than a part may be."""
        problem = Problem(
            line=line,
            offset=offset,
            length=length,
            field=None,
            reason=f"the line has {length} bytes, more than a part may have",
            remedy="Look for a missing line end or quote there, or raise max_part_bytes.",
        )
        self._findings.add_too_long(self._name, problem)

    def commit(self, block: bytes, offset: int, examined: Examined) -> None:
        """Take note of an examination that counts."""
        if isinstance(examined, Checked):
            self._findings.add(self._name, block, offset, examined)

    def header(self, content: bytes, offset: int) -> int:
        """Check the header of a CSV file, and return the number of the line behind it.

        :raises MicsInputError: It is wrong, and so every record.
        """
        checked = self.examine(content, 1, offset, final=True)
        if checked.problems:
            self._findings.refuse_header(self._name, checked.problems)
        return checked.next_line

    def screened(self, contents: Iterable[bytes]) -> Iterator[bytes]:
        """Give the good lines of a stream of whole lines; of CSV, its header before them.

        What is found is noted on the way.
        """
        line = 1
        offset = 0
        for index, content in enumerate(contents):
            if index == 0 and self._mime_type == MimeType.CSV:
                line = self.header(content, offset)
                yield content
            else:
                kept, checked = self.keep_good(content, line, offset)
                line = checked.next_line
                yield kept
            offset += len(content)

    def keep_good(self, content: bytes, line: int, offset: int) -> tuple[bytes, Checked]:
        """Return what is good of some whole lines, and what was found in them, which is noted."""
        checked = self.examine(content, line, offset, final=True)
        self.commit(content, offset, checked)
        if not checked.excluded:
            return content, checked
        ranges = without(offset, len(content), checked.excluded)
        return b"".join(content[start - offset :][:length] for start, length in ranges), checked
