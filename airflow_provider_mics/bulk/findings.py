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
    """

    def __init__(self, dead_letters: DeadLetters | None = None) -> None:
        self._dead_letters = dead_letters
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
        return sys.maxsize if self._dead_letters else MAX_TOLD - len(self._told)

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
        raise MicsInputError(f"A CSV header is wrong, and so every record; nothing was sent. {self.told}")

    @property
    def told(self) -> str:
        """The first problems, in words."""
        return " ".join(self._told)

    def _tell(self, name: str, problems: Sequence[Problem]) -> None:
        self._told += [f"{name}, {problem}" for problem in problems[: MAX_TOLD - len(self._told)]]
