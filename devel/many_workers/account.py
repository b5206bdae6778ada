"""What came of the night with many workers, and whether it is as it should be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devel.many_workers.big_object import BigObject


@dataclass(frozen=True)
class Part:
    """A part of the object, and the task that sent it.

    :param workers: Where each try of its task ran, the last one that which ended it.
    :param execution_ids: What the task returned.
    """

    number: int
    state: str
    workers: tuple[str, ...]
    execution_ids: tuple[str, ...]


@dataclass(frozen=True)
class Received:
    """An execution, as the sandbox has it."""

    execution_id: str
    bytes: int
    status: str


@dataclass(frozen=True)
class Kill:
    """A component that was killed.

    :param under_way: What it had in hand: numbers of parts, or of waits.
    """

    name: str
    under_way: tuple[int, ...]


@dataclass(frozen=True)
class Calm:
    """A while in which nothing happens and all wait, in one triggerer.

    :param requests: What reached the sandbox meanwhile, by kind.
    """

    seconds: float
    waits: int
    requests: Mapping[str, int]


@dataclass(frozen=True)
class Account:
    """Everything that the verdict is about.

    :param source: What was loaded.
    :param received: Executions of the document import, oldest first.
    :param sha256: Of the bodies of all that were not cancelled, put together in the order of the parts; None: there is
        no such order.
    :param summary: What the group's own wait returned; empty: it did not.
    :param waits: States of the tasks that waited, by number.
    :param deferred: Numbers of those that were seen to wait in a triggerer.
    :param requests: What reached the sandbox, by kind.
    """

    run_state: str
    source: BigObject
    parts: Sequence[Part]
    received: Sequence[Received]
    sha256: str | None
    summary: Mapping[str, object]
    waits: Mapping[int, str]
    deferred: frozenset[int]
    worker: Kill
    triggerer: Kill
    calm: Calm
    requests: Mapping[str, int]


def order(parts: Sequence[Part], received: Sequence[Received]) -> list[str] | None:
    """Return the executions in the order of the parts; None if they are not one for each part, no more and no less."""
    sent = [execution_id for part in parts for execution_id in part.execution_ids]
    taken = [item.execution_id for item in received if item.status != "CANCELED"]
    return sent if sorted(sent) == sorted(taken) and len(sent) == len(parts) == len(set(sent)) else None


def problems(account: Account) -> list[str]:
    """Return what is not as it should be."""
    return [
        *([f"the run ended as {account.run_state}"] if account.run_state != "success" else []),
        *_wrong_bytes(account),
        *_wrong_lines(account),
        *_wrong_worker(account),
        *_wrong_waits(account),
        *([f"{kills} requests to cancel executions"] if (kills := account.requests.get("act_on_execution", 0)) else []),
    ]


def _wrong_bytes(account: Account) -> list[str]:
    if account.sha256 == account.source.sha256:
        return []
    if account.sha256 is not None:
        return ["the bytes at the sandbox are not those of the object"]
    found = []
    sent = Counter(execution_id for part in account.parts for execution_id in part.execution_ids)
    taken = {item.execution_id for item in account.received if item.status != "CANCELED"}
    if doubled := sorted(taken - sent.keys()):
        found.append(f"executions that no part knows of, so their lines came twice: {', '.join(doubled)}")
    if shared := sorted(item for item, times in sent.items() if times > 1):
        found.append(f"executions that several parts take for theirs: {', '.join(shared)}")
    if missing := sorted(sent.keys() - taken):
        found.append(f"executions that the sandbox does not have, or only cancelled: {', '.join(missing)}")
    if silent := [str(part.number) for part in account.parts if len(part.execution_ids) != 1]:
        found.append(f"parts without one execution each: {', '.join(silent)}")
    return found


def _wrong_lines(account: Account) -> list[str]:
    expected = {"lines": account.source.lines, "accepted": account.source.lines, "bytes": account.source.bytes}
    return [
        f"the summary's {name} are {account.summary.get(name)}, not {number}"
        for name, number in expected.items()
        if account.summary.get(name) != number
    ]


def _wrong_worker(account: Account) -> list[str]:
    if not account.worker.under_way:
        return [f"{account.worker.name} had no part in hand when it was killed, so nothing was tested"]
    by_number = {part.number: part for part in account.parts}
    return [
        f"part {number} was on {account.worker.name} when that was killed, and its tries ran on "
        f"{', '.join(by_number[number].workers)}"
        for number in account.worker.under_way
        if len(by_number[number].workers) < 2 or by_number[number].workers[-1] == account.worker.name  # noqa: PLR2004
    ]


def _wrong_waits(account: Account) -> list[str]:
    found = []
    if not account.triggerer.under_way:
        found.append(f"nothing waited in {account.triggerer.name} when it was killed, so nothing was tested")
    bad = Counter(state for state in account.waits.values() if state != "success")
    if bad:
        found.append(f"waits ended otherwise than well: {dict(bad)}")
    if never := len(account.waits.keys() - account.deferred):
        found.append(f"{never} of {len(account.waits)} waits were never deferred")
    return found
