"""Checking lines that are made of rows, while they are made."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.bulk.block import Block
from airflow_provider_mics.bulk.checked_file import CheckedFile
from airflow_provider_mics.bulk.checks import checker_for
from airflow_provider_mics.bulk.counted import by_count, counted
from airflow_provider_mics.bulk.findings import Findings
from airflow_provider_mics.exceptions import MicsInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_mics.bulk.checks import Problem
    from airflow_provider_mics.bulk.dead_letters import DeadLetters
    from airflow_provider_mics.bulk.problem_report import ProblemReport

log = logging.getLogger(__name__)

#: How many problems of lines a message has.
_SHOWN_PROBLEMS: Final = 5


def check_lines(
    blocks: Iterable[Block],
    *,
    document_type: str,
    source: str,
    max_line_bytes: int,
    max_deletions: int | None = None,
    report: ProblemReport | None = None,
) -> Iterator[Block]:
    """Check lines made of rows by the rules of their document type, and give on the blocks that are good.

    :param source: What the rows are called in messages. A line's number is that of its row.
    :param max_deletions: Most lines that delete something; None: any number.
    :param report: Where the problems of the rows that were looked at are written; None: nowhere.
    :raises MicsInputError: There is a bad line, or one deletion too many. It names the first bad rows, and shows no
        value.
    """
    checker = checker_for(document_type, MimeType.NDJSON, max_line_bytes=max_line_bytes)
    row, offset, good, deletions = 1, 0, 0, 0
    for block in blocks:
        problems: list[Problem] = []
        limit = sys.maxsize if report else _SHOWN_PROBLEMS
        result = checker.check_block(block.content, first_line=row, offset=offset, problems=problems, limit=limit)
        good += result.lines - len(result.bad)
        deletions += result.deletions
        if result.bad:
            about = ""
            if report:
                report.add(source, problems)
                counts = {"lines": good + len(result.bad), "good": good, "bad": len(result.bad), "deletions": deletions}
                about = f" {report.finish(counts, None, is_whole=False)}"
            shown = " ".join(
                f"Row {problem.line}: {f'{problem.field} ' if problem.field else ''}{problem.reason}. {problem.remedy}"
                for problem in problems[:_SHOWN_PROBLEMS]
            )
            raise MicsInputError(
                f"{source}: by row {result.next_line - 1}, {counted(len(result.bad), 'row')} "
                f"{by_count(len(result.bad), 'makes', 'make')} no good {document_type} line; those behind were not "
                f"looked at. {shown}{about}"
            )
        if max_deletions is not None and deletions > max_deletions:
            raise _too_many_deletions(source, result.next_line - 1, deletions, max_deletions)
        row, offset = result.next_line, offset + result.consumed
        yield block


def put_aside_bad_lines(
    blocks: Iterable[Block],
    *,
    document_type: str,
    source: str,
    max_line_bytes: int,
    dead_letters: DeadLetters,
    max_deletions: int | None = None,
    report: ProblemReport | None = None,
) -> Iterator[Block]:
    """Check lines made of rows by the rules of their document type, give the good ones on, and put the others aside.

    :param dead_letters: Where bad lines are written; the number of a line is that of its row.
    :param report: Where all problems are written, without the lines; None: nowhere.
    :raises MicsInputError: No line is good, or there is one deletion too many.
    """
    findings = Findings(dead_letters, report)
    checker = checker_for(document_type, MimeType.NDJSON, max_line_bytes=max_line_bytes)
    lines = CheckedFile(source, MimeType.NDJSON, checker, findings)
    row, offset = 1, 0
    for block in blocks:
        kept, checked = lines.keep_good(block.content, row, offset)
        row, offset = checked.next_line, offset + len(block.content)
        if max_deletions is not None and findings.deletions > max_deletions:
            raise _too_many_deletions(source, row - 1, findings.deletions, max_deletions)
        if checked.lines:
            yield Block(kept, checked.lines)
    told = findings.finish(is_whole=True)
    if findings.bad and not findings.good:
        raise MicsInputError(f"{source}: of {counted(findings.bad, 'row')}, none makes a {document_type} line. {told}")
    if findings.bad:
        log.warning("Put aside %s. %s", counted(findings.bad, "bad row"), told)


def _too_many_deletions(source: str, row: int, deletions: int, max_deletions: int) -> MicsInputError:
    return MicsInputError(
        f"{source}: by row {row}, {counted(deletions, 'line')} {by_count(deletions, 'deletes', 'delete')} something, "
        f"more than max_deletions={max_deletions} allows.",
        hint="Look whether the rows are what they should be, or raise max_deletions.",
    )
