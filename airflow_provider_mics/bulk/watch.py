"""What to do after each look at the executions that are waited for: the same for poke, reschedule and trigger.

The decisions are pure: who looks gives what was seen, and the time.
"""

from __future__ import annotations

import collections
import dataclasses
import logging
import math
import random
import time
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.api import executions
from airflow_provider_mics.api.constants import LOST_STATUSES
from airflow_provider_mics.exceptions import (
    MicsAuthenticationError,
    MicsConfigurationError,
    MicsError,
    MicsNotFoundError,
    MicsPermissionError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from airflow_provider_mics.api.conversation import Conversation
    from airflow_provider_mics.api.models import Execution
    from airflow_provider_mics.bulk.telling import Line

log = logging.getLogger(__name__)

#: Refusals in a row (401, 403, 404) after which waiting is given up: one may be a right or a token being changed.
MAX_REFUSALS: Final = 3
#: How long executions that the platform has lost sight of (LOST, EXECUTOR_NOT_RESPONDING) are waited for once all
#: others have ended, in s. Whether they come back, and when, is not documented: this is our choice, enough for a
#: machine that fell silent to be replaced, and little of a night.
LOST_GRACE_S: Final = 600.0
#: Looks at which an execution that has succeeded may still lack its result. Longer than any lag seen; then the verdict
#: decides, and it never takes a missing result for a good one.
MAX_LOOKS_WITHOUT_RESULT: Final = 3

_REFUSALS: Final = (MicsAuthenticationError, MicsPermissionError, MicsNotFoundError, MicsConfigurationError)


class Step(Enum):
    """What to do next."""

    #: Look again after a while.
    WAIT = "wait"
    #: All executions have ended.
    ENDED = "ended"
    #: All others have ended, and the platform has lost sight of the rest for :data:`LOST_GRACE_S`.
    LOST = "lost"
    #: The deadline has passed.
    TIMEOUT = "timeout"
    #: Looking itself cannot succeed.
    GIVE_UP = "give up"


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """What comes of a look.

    :param found: The executions, by their ids; none if it failed.
    :param failure: Why it failed; empty if it did not.
    """

    step: Step
    found: Mapping[str, Execution] = dataclasses.field(default_factory=dict)
    failure: str = ""


@dataclasses.dataclass(kw_only=True, slots=True)
class Watch:
    """Follows executions to their end.

    :param document_import_id: The import they belong to.
    :param execution_ids: Those waited for; None: all of the import, of which there must be one at least.
    :param deadline: When to stop, in s since the epoch: an absolute time, so that nothing extends it, no retry either.
    :param max_refusals: See :data:`MAX_REFUSALS`.
    :param lines: What it has to say is put there, for who writes it to the log; None: it does so itself.
    """

    document_import_id: str
    execution_ids: Sequence[str] | None
    deadline: float
    max_refusals: int = MAX_REFUSALS
    lines: list[Line] | None = None
    _refusals: int = 0
    _failures: int = 0
    _looks_without_result: int = 0
    _lost_since: float | None = None
    _strange: set[str] = dataclasses.field(default_factory=set)
    _told: str = ""

    def look(
        self,
        run: Callable[[Conversation[Mapping[str, Execution]]], Mapping[str, Execution]],
        datamart_id: str,
        now: Callable[[], float] = time.time,
    ) -> Look:
        """Look once, and decide.

        :param run: Makes the calls.
        :param now: Tells the time, in s since the epoch.
        """
        try:
            found = run(self._read(datamart_id))
        except MicsError as error:
            return Look(self.failed(error, now()), failure=str(error))
        return Look(self.saw(found.values(), now()), found)

    def saw(self, found: Collection[Execution], now: float) -> Step:
        """Decide after a look that succeeded.

        :param now: Time in s since the epoch.
        """
        self._refusals = self._failures = 0
        self._tell(found)
        if self._are_over(found):
            return Step.ENDED
        if self._are_lost(found, now):
            return Step.LOST
        return Step.TIMEOUT if now >= self.deadline else Step.WAIT

    def failed(self, error: MicsError, now: float) -> Step:
        """Decide after a look that failed. A failed look says nothing about the load.

        :param now: Time in s since the epoch.
        """
        self._failures += 1
        self._refusals = self._refusals + 1 if isinstance(error, _REFUSALS) else 0
        # Told at the 1st, 2nd, 4th, 8th... in a row: a night-long outage must not fill the log.
        if self._failures & (self._failures - 1) == 0:
            # As text: a line may be held back, and an error keeps much alive.
            text = "Look %d in a row failed; the load itself goes on. %s"
            self._say(logging.WARNING, text, self._failures, str(error))
        if self._refusals >= self.max_refusals:
            return Step.GIVE_UP
        return Step.TIMEOUT if now >= self.deadline else Step.WAIT

    def take_over(self, step: Step) -> None:
        """Go on for one who has waited until ``step``: what it has been patient with is not waited for again."""
        self._looks_without_result = MAX_LOOKS_WITHOUT_RESULT
        if step is Step.LOST:
            self._lost_since = -math.inf
        if step is Step.TIMEOUT:
            self.deadline = -math.inf

    @property
    def memory(self) -> list[float | None] | None:
        """What its looks have seen that another, which goes on for it, must know; None: nothing. Plain JSON."""
        kept = [self._refusals, self._looks_without_result, self._lost_since]
        return kept if any(kept) else None

    @memory.setter
    def memory(self, kept: Sequence[Any] | None) -> None:
        self._refusals, self._looks_without_result, self._lost_since = kept or (0, 0, None)

    def pause(self, interval_s: float, now: float) -> float:
        """Return how long to wait before the next look, in s, never beyond the deadline.

        It is the interval, a tenth shorter or longer at random, so that waits begun together do not look together.
        """
        spread = interval_s * random.uniform(0.9, 1.1)  # noqa: S311 - not a secret
        return max(0.0, min(spread, self.deadline - now))

    def _read(self, datamart_id: str) -> Conversation[Mapping[str, Execution]]:
        if self.execution_ids is None:
            return executions.read_all(datamart_id, self.document_import_id)
        return executions.read_some(datamart_id, self.document_import_id, self.execution_ids)

    def _are_over(self, found: Collection[Execution]) -> bool:
        if self.execution_ids is None and not found:
            return False
        if not all(execution.is_ended and execution.status not in LOST_STATUSES for execution in found):
            return False
        if any(execution.has_succeeded and execution.result is None for execution in found):
            self._looks_without_result += 1
            return self._looks_without_result > MAX_LOOKS_WITHOUT_RESULT
        return True

    def _are_lost(self, found: Collection[Execution], now: float) -> bool:
        """Return whether those that have not ended have all been lost for too long."""
        lost = [execution for execution in found if execution.status in LOST_STATUSES]
        if not lost or not all(execution.is_ended for execution in found):
            self._lost_since = None
            return False
        if self._lost_since is None:
            self._lost_since = now
        return now - self._lost_since >= LOST_GRACE_S

    def _tell(self, found: Collection[Execution]) -> None:
        for execution in found:
            if not execution.is_known_status and execution.status not in self._strange:
                self._strange.add(execution.status)
                self._say(
                    logging.WARNING,
                    "Execution %s has the status %r, which this provider does not know; waiting on.",
                    execution.execution_id,
                    execution.status,
                )
        counts = collections.Counter(execution.status for execution in found)
        told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "no execution yet"
        if told != self._told:
            self._told = told
            self._say(logging.INFO, "Document import %s: %s", self.document_import_id, told)

    def _say(self, level: int, message: str, *arguments: object) -> None:
        if self.lines is None:
            log.log(level, message, *arguments)
        else:
            self.lines.append((level, message, arguments))
