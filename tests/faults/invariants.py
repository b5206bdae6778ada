"""What must hold of a load after any fault: read from the sandbox's record, which saw every byte.

The numbers are those of the list of invariants that the project keeps: I1 each line is in exactly one execution, I2 no
line was sent twice, I3 a green task reconciles, I4 nothing personal or secret left, I6 requests are bounded, I9 an
error names what it is about. I5 (memory), I7 (the deadline) and I8 (files and sockets) are not in the record: the tests
of memory, of waiting and of the spool see to them.
"""

from __future__ import annotations

import collections
import dataclasses
import re
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from airflow_provider_mics.sandbox import Sandbox

_CANCELED = "CANCELED"


class Record(Protocol):
    """The sandbox's record, of one in this process or in another."""

    @property
    def uploads(self) -> Sequence[Mapping[str, Any]]:
        """Every upload, in the order of arrival."""

    def execution(self, execution_id: str) -> Mapping[str, Any]:
        """Return an execution as it is now."""

    def content(self, execution_id: str) -> bytes:
        """Return what it was made of."""


class RecordHere:
    """The record of a sandbox in this process."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    @property
    def uploads(self) -> Sequence[Mapping[str, Any]]:
        """Every upload, in the order of arrival."""
        return self._sandbox.uploads

    def execution(self, execution_id: str) -> Mapping[str, Any]:
        """Return an execution as it is now."""
        return self._sandbox.execution(execution_id)

    def content(self, execution_id: str) -> bytes:
        """Return what it was made of."""
        return self._sandbox.received(execution_id).read_bytes()


class RecordThere:
    """The record of a sandbox in another process.

    :param control: Makes a call of its control API.
    :param download: Returns what an execution was made of.
    """

    def __init__(self, control: Callable[[str, str], Any], download: Callable[[str], bytes]) -> None:
        self._control = control
        self._download = download

    @property
    def uploads(self) -> Sequence[Mapping[str, Any]]:
        """Every upload, in the order of arrival."""
        found: Sequence[Mapping[str, Any]] = self._control("GET", "uploads")
        return found

    def execution(self, execution_id: str) -> Mapping[str, Any]:
        """Return an execution as it is now."""
        found: Mapping[str, Any] = self._control("GET", f"executions/{execution_id}")
        return found

    def content(self, execution_id: str) -> bytes:
        """Return what it was made of."""
        return self._download(execution_id)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """An upload that became an execution.

    :param request: Number of its request: what was sent later has a higher one.
    :param lines: Its lines, without line ends; blank ones are left out.
    """

    request: int
    execution_id: str
    document_import_id: str
    lines: tuple[bytes, ...]
    is_canceled: bool


def arrived(record: Record) -> list[Arrived]:
    """Return every upload that became an execution, in the order of arrival."""
    found = []
    for upload in record.uploads:
        execution_id = upload["execution_id"]
        if execution_id is None:
            continue
        found.append(
            Arrived(
                request=upload["request"],
                execution_id=execution_id,
                document_import_id=str(upload["document_import_id"]),
                lines=tuple(line for line in record.content(execution_id).splitlines() if line.strip()),
                is_canceled=record.execution(execution_id)["status"] == _CANCELED,
            )
        )
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """How the lines of a load compare with what is in.

    :param lost: Lines that are missing; a line that is there once and should be twice counts as one.
    :param doubled: Lines that are in too often.
    """

    lost: int
    doubled: int


def account(expected: Iterable[bytes], executions: Iterable[Arrived]) -> Account:
    """Compare the lines that a load should have brought in with those that are in executions not cancelled (I1, I2)."""
    wanted = collections.Counter(expected)
    found = collections.Counter(line for item in executions if not item.is_canceled for line in item.lines)
    return Account((wanted - found).total(), (found - wanted).total())


def assert_each_line_once(record: Record, expected: Iterable[bytes]) -> None:
    """Assert that the platform has each line exactly once, and no other."""
    assert account(expected, arrived(record)) == Account(0, 0)


def false_green(summary: Mapping[str, Any], lines: Collection[bytes], rejected: int, max_rejected: int) -> str | None:
    """Return what is wrong with a task that turned green, if something is (I3).

    :param summary: What it returned.
    :param lines: What it should have brought in.
    :param rejected: How many of them the platform rejects.
    """
    if rejected > max_rejected:
        return f"{rejected} lines are rejected, {max_rejected} may be"
    told = summary["accepted"], summary["rejected"], summary["lines"]
    right = len(lines) - rejected, rejected, len(lines)
    return None if told == right else f"(accepted, rejected, lines) are {told}, and should be {right}"


def telling(texts: Iterable[str], secrets: Collection[str]) -> list[str]:
    """Return which secrets are in texts that others may read: logs, XComs, state, errors (I4)."""
    whole = "\n".join(texts)
    return [secret for secret in secrets if secret in whole]


def requests_for(counts: Mapping[str, int], kind: str) -> int:
    """Return how many requests of a kind there were (I6)."""
    return int(counts.get(kind, 0))


def names_what_it_is_about(error: str, document_import_id: str) -> bool:
    """Return whether an error names the document import that it is about, and says what to do next (I9)."""
    return document_import_id in re.findall(r"\d+", error) and error.rstrip().endswith(".")
