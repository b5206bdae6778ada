"""What became of the items: counts, reasons, and those put aside."""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.bulk.checks import Problem
from airflow_provider_mics.bulk.items.ending import Ending, ending_of
from airflow_provider_mics.bulk.reasons import ReasonCounter
from airflow_provider_mics.exceptions import MicsAPIError, MicsCallError

if TYPE_CHECKING:
    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.bulk.dead_letters import DeadLetters
    from airflow_provider_mics.bulk.items.ending import Health
    from airflow_provider_mics.bulk.items.item import Item
    from airflow_provider_mics.bulk.items.progress import Progress
    from airflow_provider_mics.bulk.reasons import Reason
    from airflow_provider_mics.exceptions import MicsError

#: Places that a message names.
_MAX_NAMED: Final = 20

_REASONS: Final = {
    Ending.REFUSED: ("was refused by the platform", "Mend it at its source."),
    Ending.FAILED: ("could not be sent", "Send it again."),
    Ending.UNKNOWN: (
        "may be in: its call ended without an answer that tells",
        "Look whether it is in before sending it again: it would count twice.",
    ),
}
_BROKEN_OFF: Final = (
    "may be in: an earlier try was broken off while it was under way",
    "Look whether it is in before sending it again: it would count twice.",
)


class Record:
    """Settles items.

    :param progress: Told what has become of each.
    :param dead_letters: Where items that did not get in are put aside; None: they are only counted.
    :param health: Told how calls end.
    """

    def __init__(self, progress: Progress, dead_letters: DeadLetters | None, health: Health) -> None:
        self._progress = progress
        self._dead_letters = dead_letters
        self.health = health
        # By HTTP status; the counter would take it for a value and replace it.
        self._reasons: collections.defaultdict[str, ReasonCounter] = collections.defaultdict(ReasonCounter)
        #: Items refused; those of earlier tries are sent, and counted, again, but for very many.
        self.refused = progress.not_in
        #: Items that could not be sent in this try.
        self.failed = 0
        #: Where the items are of which nobody knows, the first of them.
        self.unknown_places: list[str] = []

    def accept(self, item: Item) -> None:
        """Settle an item that is in."""
        self._progress.accept(item.number)
        self.health.succeeded()

    def fail(self, item: Item, call: Call[Any] | None, error: MicsError) -> None:
        """Settle an item whose call ended in an error.

        :param call: None: none could be made.
        """
        ending = ending_of(call, error)
        self.health.ended(ending, error)
        if ending is Ending.UNKNOWN:
            self._progress.leave_unknown(item.number)
            self._name(item)
        else:
            self._progress.refuse(item.number)
            if ending is Ending.REFUSED:
                self.refused += 1
            else:
                self.failed += 1
        self._count_reason(error)
        self._put_aside(item, *_REASONS[ending], answer=_answer(ending, error))

    def give_up_unknown(self, item: Item, *, is_new: bool) -> None:
        """Settle an item that an earlier try has left, and that must not be sent again.

        :param is_new: Whether it was not known before that nobody knows.
        """
        if is_new:
            self._progress.leave_unknown(item.number)
        self._name(item)
        self._reasons[""].add("an earlier try may have sent it", None)
        self._put_aside(item, *_BROKEN_OFF, answer={"outcome": Ending.UNKNOWN.value})

    def reasons(self) -> list[Reason]:
        """Return why items are not in, or may not be, the commonest reason first."""
        found = [
            dataclasses.replace(reason, text=f"{status}: {reason.text}" if status else reason.text)
            for status, counter in self._reasons.items()
            for reason in counter.ranked()
        ]
        return sorted(found, key=lambda reason: -reason.count)

    def pass_over(self, item: Item) -> None:
        """Settle an item that is not to be sent."""
        self._progress.pass_over(item.number)

    def _count_reason(self, error: MicsError) -> None:
        if isinstance(error, MicsAPIError):
            code = f" {error.error_code}" if error.error_code else ""
            self._reasons[f"HTTP {error.http_status}{code}"].add(error.error or "no reason given", error.error_id)
        else:
            text = str(error)
            if isinstance(error, MicsCallError):
                text = text.removeprefix(f"Could not {error.call}: ")
            self._reasons[""].add(text.rstrip("."), None)

    def _name(self, item: Item) -> None:
        if len(self.unknown_places) < _MAX_NAMED:
            self.unknown_places.append(f"{item.file}, line {item.line}")

    def _put_aside(self, item: Item, reason: str, remedy: str, *, answer: dict[str, Any]) -> None:
        if self._dead_letters:
            problem = Problem(
                line=item.line, offset=item.offset, length=len(item.content), field=None, reason=reason, remedy=remedy
            )
            self._dead_letters.write(item.file, item.line, item.offset, [problem], item.content, answer=answer)


def _answer(ending: Ending, error: MicsError) -> dict[str, Any]:
    answer: dict[str, Any] = {"outcome": ending.value}
    if isinstance(error, MicsAPIError):
        answer |= {
            "status": error.http_status,
            "error": error.error,
            "error_code": error.error_code,
            "error_id": error.error_id,
        }
    else:
        answer |= {"status": None, "error": type(error).__name__}
    return answer
