"""Adding up what the loads of a chaos run came to."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devel.chaos.judging import Played


class Tally:
    """The sums, and the table that shows them."""

    def __init__(self) -> None:
        self.loads = 0
        self._sums: collections.Counter[str] = collections.Counter()
        self._faults: collections.Counter[str] = collections.Counter()
        self._kills: collections.Counter[str] = collections.Counter()
        self._ends: collections.Counter[str] = collections.Counter()

    def add(self, played: Played) -> None:
        """Count a load."""
        self.loads += 1
        self._faults.update(played.faults)
        self._kills.update(played.kills)
        self._ends[played.end] += 1
        self._sums.update(
            {
                "tries": played.tries,
                "clears": played.clears,
                "uploads": played.uploads,
                "lines_sent": played.lines_sent,
                "lost": played.lost,
                "doubled": played.doubled,
                "doubled_harmlessly": played.doubled_harmlessly,
                "false_greens": played.false_greens,
                "wrong": bool(played.wrong),
            }
        )

    @property
    def is_clean(self) -> bool:
        """Whether nothing happened that must not."""
        return not self._sums["wrong"]

    def table(self, seconds: float, *, first_seed: int) -> str:
        """Return it all, as Markdown."""
        sums = self._sums
        rows = [
            ("loads", self.loads),
            ("first seed", first_seed),
            ("tries, each a process", sums["tries"]),
            ("clears", sums["clears"]),
            ("processes killed with SIGKILL", self._kills.total()),
            ("faults that struck", self._faults.total()),
            ("uploads begun", sums["uploads"]),
            ("lines sent", sums["lines_sent"]),
            ("**lines lost**", sums["lost"]),
            ("**lines doubled** (USER_ACTIVITY)", sums["doubled"]),
            ("**false greens**", sums["false_greens"]),
            ("loads with anything else wrong", sums["wrong"]),
            ("lines of profiles sent again, where nobody could tell", sums["doubled_harmlessly"]),
            ("duration, s", round(seconds)),
        ]
        return "\n\n".join(
            [
                _table(("", ""), rows),
                _table(("how loads ended", "loads"), self._ends.most_common()),
                _table(("killed in", "times"), sorted(self._kills.items())),
                _table(("fault", "times"), sorted(self._faults.items())),
            ]
        )


def _table(head: tuple[str, str], rows: list[tuple[str, int]]) -> str:
    return "\n".join(
        [f"| {head[0]} | {head[1]} |", "| --- | ---: |", *(f"| {name} | {count} |" for name, count in rows)]
    )
