"""Why lines were rejected, grouped, without what was in them."""

from __future__ import annotations

import collections
import dataclasses
import functools
import re
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.api.redaction import template_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_provider_mics.api.models import Execution

# The format of the sample in "Bulk processing": "0 success, 4 failures\nSaved errors:\n", then for each line a text
# that ends in "Error id = <uuid>.".
_SAVED_ERROR: Final = re.compile(r"(.+?)\s*\bError id = ([0-9a-fA-F-]{36})\.?", re.DOTALL)
_PREAMBLE: Final = re.compile(r"\A\s*\d+ success, \d+ failures?\s*(?:Saved errors:)?\s*")

#: Wordings that are told apart; a text of which every one differs must not fill the memory.
MAX_WORDINGS: Final = 1000
OTHER_WORDINGS: Final = "other wordings"


@dataclasses.dataclass(frozen=True, slots=True)
class Reason:
    """One wording, and how many lines were rejected with it.

    :param text: The platform's wording; ids, e-mails and other values are replaced.
    :param count: Lines.
    :param error_id: The platform's id of one of these errors, for the vendor's support.
    """

    text: str
    count: int
    error_id: str | None = None

    def __str__(self) -> str:
        """Describe it in one line."""
        example = f" (for example error id {self.error_id})" if self.error_id else ""
        return f"{self.count} x {self.text}{example}"


class ReasonCounter:
    """Groups error texts by their wording."""

    def __init__(self) -> None:
        self._counts: collections.Counter[str] = collections.Counter()
        self._examples: dict[str, str | None] = {}
        self._template_of = functools.lru_cache(1024)(template_of)

    def add(self, text: str, error_id: str | None) -> None:
        """Count a line that was rejected."""
        template = self._template_of(text)
        if template not in self._counts and len(self._counts) >= MAX_WORDINGS:
            template, error_id = OTHER_WORDINGS, None
        self._counts[template] += 1
        self._examples.setdefault(template, error_id)

    def ranked(self) -> list[Reason]:
        """Return the reasons, the commonest first."""
        ranked = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        return [Reason(text, count, self._examples[text]) for text, count in ranked]


def group_reasons(executions: Iterable[Execution]) -> list[Reason]:
    """Return the reasons that the executions give, the commonest first."""
    counter = ReasonCounter()
    for execution in executions:
        for text, error_id in errors_of(execution):
            counter.add(text, error_id)
    return counter.ranked()


def describe_reasons(reasons: Sequence[Reason], rejected: int, most: int = 10) -> str:
    """Return the reasons in a sentence.

    :param rejected: Lines rejected in all; the platform does not give every one's reason.
    :param most: Reasons to name.
    """
    named = [str(reason) for reason in reasons[:most]]
    if len(reasons) > most:
        named.append(f"{len(reasons) - most} other reasons")
    silent = rejected - sum(reason.count for reason in reasons)
    if silent > 0:
        named.append(f"{silent} x no reason given")
    return "; ".join(named)


def split_error_id(text: str) -> tuple[str, str | None]:
    """Return an error's text without its id, and the id."""
    match = _SAVED_ERROR.match(text)
    return (match.group(1), match.group(2)) if match else (text, None)


def errors_of(execution: Execution) -> Iterator[tuple[str, str | None]]:
    """Give the errors that an execution's message holds: text, which may quote the line, and id."""
    message = execution.error.message if execution.error else None
    if not message:
        return
    rest = _PREAMBLE.sub("", message)
    end = 0
    for match in _SAVED_ERROR.finditer(rest):
        end = match.end()
        yield match.group(1), match.group(2)
    yield from ((line, None) for line in rest[end:].splitlines() if line.strip(" ."))
