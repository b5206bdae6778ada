"""Finding out whether an upload of which nobody knows the outcome is in.

The platform has no idempotency key, so the import's executions are listed, and what is not known to be another's is
compared: first its number of lines, which costs nothing, then its input file, read back until it is seen to differ, or
to its end. Only what is shown absent may be sent again.

Nothing here does I/O or waits: it yields calls and pauses.
"""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.api import data_files, executions
from airflow_provider_mics.api.conversation import Pause, pauses
from airflow_provider_mics.bulk.content import StoredContent
from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsConfigurationError,
    MicsRateLimitError,
    MicsRedirectError,
    MicsServerError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from airflow_provider_mics.api.conversation import Conversation
    from airflow_provider_mics.api.models import Execution
    from airflow_provider_mics.bulk.content import Content

#: An execution is picked up some time after its upload, and tells nothing about its lines before. It is waited for
#: this many times as long as for the list.
PICK_UP_FACTOR: Final = 15


class Match(Enum):
    """Whether an execution is the part that is looked for."""

    YES = "yes"
    NO = "no"
    #: It has not told yet.
    LATER = "later"
    #: It will not tell: its lines are as many, and its input file cannot be read.
    UNREADABLE = "unreadable"


class UndecidableError(Exception):
    """There are executions of which it cannot be said whether they are the part.

    :param execution_ids: These.
    """

    def __init__(self, execution_ids: Collection[str]) -> None:
        super().__init__(", ".join(execution_ids))
        self.execution_ids = list(execution_ids)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A part that may be in.

    :param content: What it holds.
    :param is_candidate: Tells whether an execution can be it at all.
    :param until: Time from which the list is complete, in s since the epoch.
    :param picked_up_until: Time until which an execution is waited for that does not tell its lines yet.
    """

    content: Content
    is_candidate: Callable[[Execution], bool]
    until: float
    picked_up_until: float


def search(
    datamart_id: str, document_import_id: str, sought: Sought, now: Callable[[], float]
) -> Conversation[Execution | None]:
    """Look for a part among the executions of its document import.

    :return: The execution that it is, or None if it is not there.
    :raises UndecidableError: It cannot be told.
    :raises MicsCallError: The executions cannot be listed.
    """
    told: dict[str, Match] = {}
    for pause in pauses():
        # What appears while the list is on its way is not in it.
        at = now()
        listed = yield from executions.read_all(datamart_id, document_import_id)
        candidates = [execution for execution in listed.values() if sought.is_candidate(execution)]
        found = yield from _look_at(candidates, sought.content, told)
        if found:
            return found
        open_ones = [item for item in candidates if told[item.execution_id] is Match.LATER]
        if at >= sought.until and (not open_ones or at >= sought.picked_up_until):
            _decide(candidates, told)
            break
        end = sought.picked_up_until if open_ones else sought.until
        yield Pause(max(0.0, min(pause.seconds, end - now())))
    return None


def _look_at(
    candidates: Iterable[Execution], content: Content, told: dict[str, Match]
) -> Conversation[Execution | None]:
    for execution in candidates:
        if told.get(execution.execution_id, Match.LATER) is Match.LATER:
            told[execution.execution_id] = match = yield from _match(execution, content)
            if match is Match.YES:
                return execution
    return None


def _match(execution: Execution, content: Content) -> Conversation[Match]:
    lines = execution.parameters.number_of_lines if execution.parameters else None
    if lines is not None and lines not in content.line_counts:
        return Match.NO
    if not execution.input_file:
        return Match.LATER if not execution.is_ended else Match.UNREADABLE
    try:
        stored = yield data_files.read_through(execution.input_file, lambda: StoredContent(content))
    except (MicsServerError, MicsRateLimitError):
        raise
    except (MicsAPIError, MicsRedirectError, MicsConfigurationError):
        # Refused, gone, or at an address of another form. That the platform is away is for the caller to know.
        return Match.UNREADABLE
    if stored.is_settled:
        return Match.NO
    if stored.digest == content.digest:
        return Match.YES
    # A page that says that there is no such file, or the beginning of one, shows nothing.
    return Match.NO if lines is None or lines in stored.line_counts else Match.UNREADABLE


def _decide(candidates: Collection[Execution], told: dict[str, Match]) -> None:
    """Take the part for absent, if every candidate has told that it is not it.

    An execution with as many lines is not enough to take it for the part: other tasks may be uploading into the import,
    also into one that this task has made, as the next one that uses the name finds it.
    """
    unclear = [item for item in candidates if told[item.execution_id] in {Match.LATER, Match.UNREADABLE}]
    if unclear:
        raise UndecidableError([item.execution_id for item in unclear])
