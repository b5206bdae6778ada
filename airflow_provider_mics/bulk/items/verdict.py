"""Whether items that were sent one by one got in."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_mics.bulk.reasons import describe_reasons
from airflow_provider_mics.exceptions import MicsItemsError

if TYPE_CHECKING:
    from airflow_provider_mics.bulk.dead_letters import DeadLetters
    from airflow_provider_mics.bulk.items.progress import Progress
    from airflow_provider_mics.bulk.items.record import Record
    from airflow_provider_mics.bulk.verdict import Limits


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of the items, over all tries.

    :param accepted: Items that are in.
    :param rejected: Items that the platform has refused, or that could not be sent to it.
    :param unknown: Items of which nobody knows.
    :param unsent: Items that were not sent, as sending was stopped.
    :param invalid: Lines that were not sent, as they are bad.
    """

    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    unsent: int = 0
    invalid: int = 0

    @classmethod
    def of(cls, record: Record, progress: Progress, *, good: int, invalid: int) -> Self:
        """Count.

        :param good: Lines that can be sent.
        """
        rejected = record.refused + record.failed
        return cls(
            accepted=progress.accepted,
            rejected=rejected,
            unknown=progress.unknown,
            unsent=good - progress.accepted - rejected - progress.unknown,
            invalid=invalid,
        )

    @property
    def good(self) -> int:
        """Lines that can be sent."""
        return self.accepted + self.rejected + self.unknown + self.unsent

    def summary(self, dead_letters: DeadLetters | None, duration_s: float) -> dict[str, Any]:
        """Return the counts as JSON values; accepted, rejected, unknown and invalid add up to items."""
        return {
            "items": self.good + self.invalid,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "unknown": self.unknown,
            "invalid": self.invalid,
            "dead_letter": dead_letters.summary() if dead_letters else None,
            "duration_s": round(duration_s, 3),
        }


def judge_items(
    tally: Tally,
    record: Record,
    *,
    noun: str,
    limits: Limits,
    can_go_on: bool,
    dead_letters: DeadLetters | None,
) -> None:
    """Judge what was sent.

    :param noun: What the items are called.
    :param can_go_on: Whether another try would know what is in, or does no harm without knowing.
    :raises MicsItemsError: Sending stopped before the end, or more items than the limits allow are not known to be in.
    """
    counts = f"{tally.accepted} of {tally.good} {noun} are in, {tally.rejected} are not"
    if tally.unknown:
        places = ", ".join(record.unknown_places)
        more = (
            f" and {tally.unknown - len(record.unknown_places)} more"
            if tally.unknown > len(record.unknown_places)
            else ""
        )
        counts += f", and {tally.unknown} may be ({places}{more})"
    lost = tally.rejected + tally.unknown
    reasons = record.reasons()
    why = f": {describe_reasons(reasons, lost)}." if reasons else "."
    aside = f" They are in {dead_letters.path}." if dead_letters and dead_letters.lines else ""
    if stop := record.health.stop:
        hint = None if can_go_on else "Nothing remembers what is in: do not run it again before you have looked."
        raise MicsItemsError(
            f"Sending stopped: {stop} {counts}; {tally.unsent} were not sent{why}{aside}",
            retryable=stop.retryable and can_go_on,
            hint=hint,
        )
    if exceeded := limits.exceeded_by(lost, tally.good):
        hint = "Those that may be in would count twice if they were sent again: look first." if tally.unknown else None
        raise MicsItemsError(
            f"{counts}, which is more than {exceeded} allows{why}{aside}",
            # Another try sends those that could not be sent.
            retryable=record.failed > 0 and can_go_on,
            hint=hint,
        )
