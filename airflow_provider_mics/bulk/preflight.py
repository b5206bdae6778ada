"""Checking every line of a load by its document type before anything of it is sent."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from typing import TYPE_CHECKING

from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.bulk.checked_file import CheckedFile
from airflow_provider_mics.bulk.checks import checker_for
from airflow_provider_mics.bulk.compressed import compression_of
from airflow_provider_mics.bulk.counted import by_count, counted
from airflow_provider_mics.bulk.cutting import cut_examined
from airflow_provider_mics.bulk.findings import Findings
from airflow_provider_mics.bulk.parts import beginning_of, csv_header_end
from airflow_provider_mics.bulk.planning import CutFile, Plan, PlannedFile, each_once
from airflow_provider_mics.bulk.scout import scouting_of
from airflow_provider_mics.bulk.streams import CompressedFile
from airflow_provider_mics.exceptions import MicsInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_mics.bulk.dead_letters import DeadLetters
    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.parts import Part
    from airflow_provider_mics.bulk.planning import Source
    from airflow_provider_mics.bulk.problem_report import ProblemReport
    from airflow_provider_mics.bulk.scout import Scout

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How the files of one load are checked and cut.

    :param used_counts: Line counts of the load's parts; those of each file are added.
    """

    document_type: str
    mime_type: str
    max_part_bytes: int
    used_counts: set[int] = dataclasses.field(default_factory=set)

    def checked(self, file: SourceFile, findings: Findings, scout: Scout | None = None) -> CheckedFile:
        """Return what checks a file.

        :param findings: Told what is found.
        :param scout: Knows some of the lines already; None: nobody does.
        """
        checker = checker_for(self.document_type, self.mime_type, max_line_bytes=self.max_part_bytes)
        return CheckedFile(file.name, self.mime_type, checker, findings, scout)


def check_load(
    files: Iterable[SourceFile],
    *,
    document_type: str,
    mime_type: str,
    max_part_bytes: int,
    dead_letters: DeadLetters | None = None,
    max_deletions: int | None = None,
    report: ProblemReport | None = None,
    goes_on: bool = False,
) -> Plan:
    """Check the lines of files and cut them into parts, in one pass over each.

    :param dead_letters: Where bad lines are put aside, so that the others are sent; None: a bad line stops the load.
    :param max_deletions: Most lines that delete something; None: any number.
    :param report: Where all problems are written; None: nowhere.
    :param goes_on: Whether lines are still checked while parts before them are sent, where no line can stop the load:
        they are put aside, in any number. What they are written to must be open until all is sent.
    :raises MicsInputError: A line is bad and there is no place to put it aside, or no line is good, or too many delete.
    """
    findings = Findings(dead_letters, report)
    goes_on = goes_on and dead_letters is not None and max_deletions is None
    cut = Cut(document_type=document_type, mime_type=mime_type, max_part_bytes=max_part_bytes)

    def source_of(file: SourceFile) -> Source:
        kind = compression_of(file)
        if kind is None:
            if goes_on:
                return CutFile(file, cut_while_checked(file, findings, cut))
            return PlannedFile(file, cut_checked(file, findings, cut))
        compressed = CompressedFile(file, kind, mime_type=mime_type, max_part_bytes=max_part_bytes)
        if goes_on:
            compressed.screen = cut.checked(file, findings).screened
            return compressed
        bad_before = findings.bad
        for _ in cut.checked(file, findings).screened(compressed.contents()):
            pass
        if findings.bad > bad_before:
            # It is read once more to be sent, and its bad lines are left out then; they are counted already.
            compressed.screen = cut.checked(file, Findings()).screened
        return compressed

    def conclude() -> None:
        _conclude(findings, document_type, max_deletions, can_put_aside=dead_letters is not None)

    sources = [source_of(file) for file in each_once(files, mime_type)]
    if goes_on:
        return Plan(sources, conclude)
    conclude()
    return Plan(sources)


def cut_checked(file: SourceFile, findings: Findings, how: Cut) -> list[Part]:
    """Check a file that is not compressed and cut it into parts, in one pass.

    :param findings: Told what is found.
    """
    with contextlib.ExitStack() as stack:
        scout = None
        # A line end of CSV may be inside quotes that began long before: only who reads it in order knows.
        if how.mime_type == MimeType.NDJSON:
            scout = stack.enter_context(scouting_of(file, how.document_type, max_part_bytes=how.max_part_bytes))
        parts = list(cut_while_checked(file, findings, how, scout))
    return [dataclasses.replace(part, of=len(parts)) for part in parts]


def cut_while_checked(file: SourceFile, findings: Findings, how: Cut, scout: Scout | None = None) -> Iterator[Part]:
    """Do the same, and give each part when it is full. The header of CSV is checked at once."""
    start = beginning_of(file)
    if start >= file.size:
        return iter(())
    checked = how.checked(file, findings, scout)
    header, first_line = None, 1
    if how.mime_type == MimeType.CSV:
        end = csv_header_end(file, start, how.max_part_bytes)
        header, first_line = (start, end - start), checked.header(file.read_range(start, end), start)
        start = end
    return cut_examined(
        file,
        checked,
        start=start,
        first_line=first_line,
        header=header,
        max_part_bytes=how.max_part_bytes,
        used_counts=how.used_counts,
    )


def _conclude(findings: Findings, document_type: str, max_deletions: int | None, *, can_put_aside: bool) -> None:
    lines = counted(findings.lines, "line")
    log.info("Checked %s: %d good, %d bad; %d blank", lines, findings.good, findings.bad, findings.blank)
    told = findings.finish(is_whole=True)
    if findings.bad and not (can_put_aside and findings.good):
        raise MicsInputError(
            f"{findings.bad} of {lines} {by_count(findings.bad, 'is', 'are')} not what mediarithmics takes as "
            f"{document_type}; nothing was sent. {told}",
            hint=None
            if can_put_aside
            else 'With preflight="dead_letter" (typed: --dead-letter) the good lines are sent, these put aside.',
        )
    if max_deletions is not None and findings.deletions > max_deletions:
        raise MicsInputError(
            f"{counted(findings.deletions, 'line')} {by_count(findings.deletions, 'deletes', 'delete')} something, "
            f"more than max_deletions={max_deletions} allows; nothing was sent.",
            hint="Look whether the export is what it should be, or raise max_deletions.",
        )
    if findings.bad:
        log.warning("Put aside %s. %s", counted(findings.bad, "bad line"), told)
