"""What became of a load of the chaos run, and whether it may have."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Protocol

from devel.chaos.plans import REJECTED
from tests.faults.invariants import Account, Arrived, RecordThere, account, arrived, false_green, telling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from devel.chaos.plans import LoadPlan
    from devel.sandbox_process import SandboxProcess


@dataclasses.dataclass(kw_only=True)
class Played:
    """What a load came to.

    :param faults: How often each fault struck, by name.
    :param kills: How often a try was killed, by point.
    :param end: ``green``, or why it is red.
    :param wrong: What must not have happened, in words.
    :param is_beyond_patience: A request came in later than the load was told that it may, as this machine was slow.
    """

    seed: int
    tries: int = 0
    clears: int = 0
    lines_sent: int = 0
    uploads: int = 0
    faults: dict[str, int] = dataclasses.field(default_factory=dict)
    kills: dict[str, int] = dataclasses.field(default_factory=dict)
    end: str = ""
    lost: int = 0
    doubled: int = 0
    doubled_harmlessly: int = 0
    false_greens: int = 0
    wrong: list[str] = dataclasses.field(default_factory=list)
    is_beyond_patience: bool = False
    seconds: float = 0.0


class Playing(Protocol):
    """A load that was played."""

    played: Played
    versions: list[list[bytes]]
    boundaries: list[int]

    @property
    def load(self) -> LoadPlan:
        """What it is."""

    @property
    def sandbox(self) -> SandboxProcess:
        """Where it went."""

    @property
    def secrets(self) -> list[str]:
        """What nobody may read."""

    def texts(self) -> list[str]:
        """Return all that others may read."""


def judge(playing: Playing, result: dict[str, Any]) -> None:
    """Compare the sandbox's record with what the load should have brought in, and write down what is wrong."""
    played, load = playing.played, playing.load
    record = RecordThere(playing.sandbox.control, playing.sandbox.download)
    uploads = record.uploads
    found = arrived(record)
    played.uploads = len(uploads)
    played.lines_sent = sum(upload["lines"] or 0 for upload in uploads if upload["complete"])
    generations = _by_generation(found, playing.boundaries)
    version, counts = min(
        ((version, account(version, generations[-1])) for version in playing.versions),
        key=lambda item: item[1].lost + item[1].doubled,
    )
    summary = result.get("summary")
    if summary is not None:
        played.end = "green"
        played.lost = counts.lost
        rejected = sum(REJECTED.encode() in line for line in version)
        problem = false_green(summary, version, rejected, load.arguments["max_rejected"])
        foreign = set(summary["execution_ids"]) - {item.execution_id for item in generations[-1]}
        played.false_greens = int(bool(problem or counts.lost))
        played.wrong += [f"green, and {problem}"] if problem else []
        played.wrong += [f"took executions {sorted(foreign)} of another load"] if foreign else []
    else:
        played.end = _why(result)
        if played.end.startswith("?"):
            played.wrong.append(f"ended as it should not: {result.get('kind')}: {result.get('error')}")
    _judge_doubled(playing, generations, counts)
    played.wrong += [f"{played.lost} lines are lost"] if played.lost else []
    told = telling(playing.texts(), playing.secrets)
    played.wrong += [f"can be read outside: {told}"] if told else []


def _by_generation(found: Sequence[Arrived], boundaries: list[int]) -> list[list[Arrived]]:
    ends = [*boundaries[1:], float("inf")]
    return [
        [item for item in found if first <= item.request < end] for first, end in zip(boundaries, ends, strict=True)
    ]


def _judge_doubled(playing: Playing, generations: list[list[Arrived]], counts: Account) -> None:
    """Count lines that are in twice within one generation: a clear, which sends everything again, begins another."""
    played = playing.played
    # A source that was changed in an earlier generation cannot have been sent in both states where lines count again.
    earlier = sum(_doubled_at_most(playing.versions[0], items) for items in generations[:-1])
    doubled = counts.doubled + earlier
    if not doubled:
        return
    if playing.load.document_type != "USER_ACTIVITY":
        played.doubled_harmlessly = doubled
    elif played.is_beyond_patience:
        played.end += ", beyond the patience"
    else:
        played.doubled = doubled
        played.wrong.append(f"{doubled} lines are in twice")


def _doubled_at_most(version: list[bytes], items: list[Arrived]) -> int:
    return account(version, items).doubled


def _why(result: dict[str, Any]) -> str:
    error = result.get("error", "")
    match result.get("kind"):
        case "MicsRejectedLinesError":
            return "red: too many lines rejected"
        case "MicsUploadError" if "cannot be told" in error or "could not be looked for" in error:
            return "red: undecided, activities are not sent again"
        case "MicsUploadError" if "count again" in error:
            return "red: the source changed, activities are not sent again"
        case "MicsUploadError" | "MicsAPIError" if "HTTP 413" in error:
            return "red: a part was refused as too large"
        case "MicsExecutionFailedError":
            return "red: cancelled by somebody"
        case kind:
            return f"? {kind}"
