"""What the check of a load has found: counts, and the first problems in words."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Final, NoReturn

from airflow_provider_mics.bulk.cutting import Examined
from airflow_provider_mics.exceptions import MicsInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_mics.bulk.checks import BadLine, Problem
    from airflow_provider_mics.bulk.dead_letters import DeadLetters
    from airflow_provider_mics.bulk.problem_report import ProblemReport

#: Problems that are named in a message.
MAX_TOLD: Final = 10


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Examined):
    """What was found in a block.

    :param bad: The bad lines, which are excluded.
    :param blank: Number of blank lines; those of NDJSON are excluded.
    :param deletions: Good lines that delete something.
    :param problems: What is wrong with the bad lines, as far as it is wanted.
    """

    bad: Sequence[BadLine] = ()
    blank: int = 0
    deletions: int = 0
    problems: Sequence[Problem] = ()


class Findings:
    """Adds up what is found in the files of a load.

    :param dead_letters: Where bad lines are written; None: they are only counted.
    :param report: Where all problems are written, without the lines; None: nowhere.
    """

    def __init__(self, dead_letters: DeadLetters | None = None, report: ProblemReport | None = None) -> None:
        self._dead_letters = dead_letters
        self._report = report
        self._told: list[str] = []
        #: Good lines.
        self.good = 0
        self.bad = 0
        self.blank = 0
        #: Good lines that delete something.
        self.deletions = 0

    @property
    def lines(self) -> int:
        """Lines that hold something, good and bad."""
        return self.good + self.bad

    @property
    def problems_wanted(self) -> int:
        """How many problems are worth finding in a block: some to be told, all where they are written down."""
        is_all = self._dead_letters or (self._report and self._report.wants_more)
        return sys.maxsize if is_all else MAX_TOLD - len(self._told)

    def add(self, name: str, block: bytes, offset: int, checked: Checked) -> None:
        """Add what was found in a block of the file ``name``."""
        self.good += checked.lines
        self.bad += len(checked.bad)
        self.blank += checked.blank
        self.deletions += checked.deletions
        self._tell(name, checked.problems)
        if self._dead_letters:
            for bad in checked.bad:
                content = block[bad.offset - offset :][: bad.length]
                problems = [problem for problem in checked.problems if problem.offset == bad.offset]
                self._dead_letters.write(name, bad.line, bad.offset, problems, content)
            # The good lines around them may be sent before the next ones are looked at.
            self._dead_letters.flush()

    def add_too_long(self, name: str, problem: Problem) -> None:
        """Add a line that is too long to be held in memory, and so to be written down."""
        self.bad += 1
        self._tell(name, [problem])
        if self._dead_letters:
            self._dead_letters.write(name, problem.line, problem.offset, [problem], None)

    def refuse_header(self, name: str, problems: Sequence[Problem]) -> NoReturn:
        """Stop the load because of a CSV header.

        :raises MicsInputError: Always.
        """
        self._tell(name, problems)
        raise MicsInputError(
            f"A CSV header is wrong, and so every record; none was sent. {self.finish(is_whole=False)}"
        )

    def finish(self, *, is_whole: bool) -> str:
        """Finish the report, if there is one, and return the first problems in words, and where the report is.

        :param is_whole: All lines were looked at.
        """
        if self._report is None:
            return self.told
        counts = {name: getattr(self, name) for name in ("lines", "good", "bad", "blank", "deletions")}
        dead_letter = self._dead_letters.summary() if self._dead_letters else None
        return f"{self.told} {self._report.finish(counts, dead_letter, is_whole=is_whole)}".strip()

    @property
    def told(self) -> str:
        """The first problems, in words."""
        return " ".join(self._told)

    def _tell(self, name: str, problems: Sequence[Problem]) -> None:
        self._told += [f"{name}, {problem}" for problem in problems[: MAX_TOLD - len(self._told)]]
        if self._report:
            self._report.add(name, problems)
