"""Checking files line by line as a load does, to tell what is in each instead of sending it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NoReturn

from airflow_provider_mics.bulk.compressed import compression_of
from airflow_provider_mics.bulk.findings import MAX_TOLD, Findings
from airflow_provider_mics.bulk.preflight import Cut, cut_checked
from airflow_provider_mics.bulk.streams import CompressedFile
from airflow_provider_mics.exceptions import MicsInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_mics.bulk.checks import Problem
    from airflow_provider_mics.bulk.dead_letters import DeadLetters
    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.findings import Checked


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What is in a file.

    :param problems: The first of them.
    :param error: Why the file could not be checked to its end; None: it was.
    """

    file: str
    good: int
    bad: int
    blank: int
    deletions: int
    problems: Sequence[Problem]
    error: str | None

    @property
    def lines(self) -> int:
        """Lines that hold something."""
        return self.good + self.bad

    @property
    def is_good(self) -> bool:
        """Whether a load would take all of it."""
        return not self.bad and not self.problems and self.error is None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How to check files.

    :param dead_letters: Where bad lines are written; None: nowhere.
    """

    document_type: str
    mime_type: str
    max_part_bytes: int
    dead_letters: DeadLetters | None = None

    def report(self, file: SourceFile) -> FileReport:
        """Check a file.

        :raises MicsSourceError: It cannot be read, or changed meanwhile.
        """
        findings = _FileFindings(self.dead_letters)
        error = None
        try:
            self._read(file, findings)
            file.check_unchanged()
        except _WrongHeaderError:
            # It is among the problems.
            pass
        except MicsInputError as found:
            error = str(found)
        return FileReport(
            file=file.name,
            good=findings.good,
            bad=findings.bad,
            blank=findings.blank,
            deletions=findings.deletions,
            problems=tuple(findings.problems),
            error=error,
        )

    def _read(self, file: SourceFile, findings: Findings) -> None:
        how = Cut(document_type=self.document_type, mime_type=self.mime_type, max_part_bytes=self.max_part_bytes)
        if kind := compression_of(file):
            compressed = CompressedFile(file, kind, mime_type=self.mime_type, max_part_bytes=self.max_part_bytes)
            for _ in how.checked(file, findings).screened(compressed.contents()):
                pass
        else:
            cut_checked(file, findings, how)


class _WrongHeaderError(Exception):
    """A CSV header is wrong, and so is every record: there is no use in reading on."""


class _FileFindings(Findings):
    """Keeps the first problems as they are, for a caller that shows more than a sentence."""

    def __init__(self, dead_letters: DeadLetters | None) -> None:
        super().__init__(dead_letters)
        self.problems: list[Problem] = []

    def add(self, name: str, block: bytes, offset: int, checked: Checked) -> None:
        """Add what was found in a block."""
        super().add(name, block, offset, checked)
        self._keep(checked.problems)

    def add_too_long(self, name: str, problem: Problem) -> None:
        """Add a line that is too long."""
        super().add_too_long(name, problem)
        self._keep([problem])

    def refuse_header(self, name: str, problems: Sequence[Problem]) -> NoReturn:  # noqa: ARG002 - its base's signature
        """Give a file up because of its CSV header."""
        self._keep(problems)
        raise _WrongHeaderError

    def _keep(self, problems: Sequence[Problem]) -> None:
        self.problems += problems[: MAX_TOLD - len(self.problems)]
