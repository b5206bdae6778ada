"""Whether a load is good: every line accounted for, and no more of them rejected than allowed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final, Self

from airflow_provider_mics.bulk.counted import by_count, counted
from airflow_provider_mics.bulk.reasons import Reason, describe_reasons, group_reasons
from airflow_provider_mics.exceptions import (
    MicsConfigurationError,
    MicsCountMismatchError,
    MicsExecutionFailedError,
    MicsRejectedLinesError,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_mics.api.models import Execution

_NO_LIMIT: Final = (None, "None", "")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many rejected lines a load may have; exceeding either limit fails it.

    :param max_rejected: Most rejected lines; None: only the ratio counts.
    :param max_rejected_ratio: Most rejected lines as a share of all lines, 0 to 1; None: only the number counts.
    """

    max_rejected: int | None = 0
    max_rejected_ratio: float | None = None

    def __post_init__(self) -> None:
        """Refuse limits that mean nothing."""
        if self.max_rejected is not None and self.max_rejected < 0:
            raise MicsConfigurationError(f"max_rejected must be 0 or more, not {self.max_rejected}.")
        if self.max_rejected_ratio is not None and not 0 <= self.max_rejected_ratio <= 1:
            raise MicsConfigurationError(f"max_rejected_ratio must be from 0 to 1, not {self.max_rejected_ratio}.")

    @classmethod
    def of(cls, max_rejected: Any, max_rejected_ratio: Any) -> Self:
        """Read limits that may have come through a template, where numbers are text and None is ``None`` or empty."""
        try:
            number = None if max_rejected in _NO_LIMIT else int(max_rejected)
            ratio = None if max_rejected_ratio in _NO_LIMIT else float(max_rejected_ratio)
        except (TypeError, ValueError):
            raise MicsConfigurationError(
                "max_rejected must be a whole number or None, and max_rejected_ratio a number or None."
            ) from None
        return cls(max_rejected=number, max_rejected_ratio=ratio)

    def exceeded_by(self, rejected: int, lines: int) -> str | None:
        """Return which limit is exceeded, in words, or None."""
        if self.max_rejected is not None and rejected > self.max_rejected:
            return f"max_rejected={self.max_rejected}"
        if self.max_rejected_ratio is not None and rejected > self.max_rejected_ratio * lines:
            return f"max_rejected_ratio={self.max_rejected_ratio}"
        return None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of a load's lines.

    :param lines: Lines sent.
    :param accepted: Lines that are in.
    :param rejected: Lines that are not.
    :param reasons: Why not, the commonest reason first.
    """

    lines: int
    accepted: int
    rejected: int
    reasons: tuple[Reason, ...] = ()


def judge(executions: Collection[Execution], *, load: str, lines_sent: int | None, limits: Limits) -> Tally:
    """Judge a load whose executions have all ended.

    :param load: What to call it, such as ``document import 7``.
    :param lines_sent: Lines that were sent; None: not known to the caller, then the platform's own counts of the
        lines it received serve.
    :raises MicsExecutionFailedError: An execution did not run to its end.
    :raises MicsCountMismatchError: Some lines are neither accepted nor rejected, or counts are missing.
    :raises MicsRejectedLinesError: More lines are rejected than ``limits`` allow.
    """
    _check_statuses(executions, load)
    tally = _count(executions, load, lines_sent)
    if exceeded := limits.exceeded_by(tally.rejected, tally.lines):
        raise MicsRejectedLinesError(
            f"{load}: {tally.rejected} of {counted(tally.lines, 'line')} {by_count(tally.rejected, 'was', 'were')} "
            f"rejected, more than {exceeded} allows: {describe_reasons(tally.reasons, tally.rejected)}.",
            hint=_remedy(limits),
        )
    return tally


def _check_statuses(executions: Collection[Execution], load: str) -> None:
    bad = [execution for execution in executions if not execution.has_succeeded]
    if not bad:
        return
    named = ", ".join(f"{execution.execution_id} {execution.status}" for execution in bad)
    reasons = describe_reasons(group_reasons(bad), 0)
    raise MicsExecutionFailedError(
        f"{load}: {len(bad)} of {counted(len(executions), 'execution')} did not run to "
        f"{by_count(len(bad), 'its', 'their')} end: {named}"
        f"{f' ({reasons})' if reasons else ''}.",
        hint="The lines of the others may be in. Look at the document import in Navigator before sending it again.",
    )


def _count(executions: Collection[Execution], load: str, lines_sent: int | None) -> Tally:
    accepted = rejected = received = 0
    for execution in executions:
        result = execution.result
        counts = (result.total_success, result.total_failure) if result else (None, None)
        success, failure = counts
        if success is None or failure is None or success < 0 or failure < 0:
            raise MicsCountMismatchError(
                f"{load}: execution {execution.execution_id} ended as {execution.status} without saying what became "
                f"of its lines (success: {success}, failure: {failure}).",
                hint="Look at the document import in Navigator; nothing shows that the data is in.",
            )
        accepted += success
        rejected += failure
        parameters = execution.parameters
        if parameters is None or parameters.number_of_lines is None:
            received += success + failure
        else:
            received += parameters.number_of_lines
    expected = received if lines_sent is None else lines_sent
    if accepted + rejected != expected:
        raise MicsCountMismatchError(
            f"{load}: {counted(expected, 'line')} {by_count(expected, 'was', 'were')} sent, but the platform accounts "
            f"for {accepted + rejected}: {accepted} accepted, {rejected} rejected.",
            hint="Look at the document import in Navigator; nothing shows that the missing lines are in.",
        )
    reasons = tuple(group_reasons(executions)) if rejected else ()
    return Tally(lines=expected, accepted=accepted, rejected=rejected, reasons=reasons)


def _remedy(limits: Limits) -> str:
    if limits.max_rejected == 0 and limits.max_rejected_ratio is not None:
        return "Set max_rejected=None to judge by max_rejected_ratio alone."
    return "Mend the lines at their source, or allow some rejections with max_rejected or max_rejected_ratio."
