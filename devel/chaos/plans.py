"""What a load of the chaos run is and what befalls it: all of it follows from its seed."""

from __future__ import annotations

import dataclasses
import random
from typing import Any, Final, Literal

#: How long a load gives the platform's lists, in s. All delays below, taken together, stay under it.
LIST_LAG_S: Final = 1.0
#: A client that waits longer than this for an answer takes the request for lost, in s.
TIMEOUT_S: Final = 2.0
#: A line with this in it is rejected by the sandbox.
REJECTED: Final = "is-rejected"

_UPLOAD: Final = "create_execution"
_CREATE: Final = "create_document_import"

#: What the sandbox is told to do wrong, by name and weight; see docs/sandbox.md.
_FAULTS: Final[tuple[tuple[str, int, dict[str, Any]], ...]] = (
    ("upload: cut before its body", 2, {"action": "reset", "kind": _UPLOAD, "when": "before_body"}),
    ("upload: cut in its middle", 3, {"action": "reset", "kind": _UPLOAD, "when": "mid_body", "after_percent": 50}),
    ("upload: cut behind its last byte", 4, {"action": "reset", "kind": _UPLOAD, "when": "after_body"}),
    ("upload: done, no answer", 6, {"action": "reset", "kind": _UPLOAD, "when": "after_commit"}),
    ("upload: done, half an answer", 4, {"action": "cut", "kind": _UPLOAD}),
    ("upload: done, 504", 4, {"action": "status", "status": 504, "kind": _UPLOAD, "when": "after_commit"}),
    ("upload: not done, 502", 3, {"action": "status", "status": 502, "kind": _UPLOAD, "when": "after_body"}),
    ("upload: done, no JSON", 3, {"action": "not_json", "kind": _UPLOAD}),
    ("upload: done, a page", 2, {"action": "html", "status": 200, "kind": _UPLOAD, "when": "after_commit"}),
    ("upload: done, an empty 201", 2, {"action": "empty", "kind": _UPLOAD}),
    ("upload: not done, an error with 200", 2, {"action": "envelope_error", "kind": _UPLOAD}),
    ("upload: done, an error with 200", 2, {"action": "envelope_error", "kind": _UPLOAD, "when": "after_commit"}),
    ("upload: 429", 2, {"action": "status", "status": 429, "kind": _UPLOAD, "retry_after": 0}),
    ("upload: 413", 1, {"action": "status", "status": 413, "kind": _UPLOAD, "when": "after_body"}),
    ("upload: done, answered too late", 1, {"action": "delay", "kind": _UPLOAD, "when": "after_commit", "seconds": 4}),
    ("import: made, no answer", 3, {"action": "reset", "kind": _CREATE, "when": "after_commit"}),
    ("import: not made, no answer", 2, {"action": "reset", "kind": _CREATE, "when": "after_body"}),
    ("import: made, half an answer", 2, {"action": "cut", "kind": _CREATE}),
    ("import: made, 504", 2, {"action": "status", "status": 504, "kind": _CREATE, "when": "after_commit"}),
    ("list: 503", 3, {"action": "status", "status": 503, "kind": "list_executions", "times": 2}),
    ("list: cut", 2, {"action": "cut", "kind": "list_executions"}),
    ("list of imports: reset", 2, {"action": "reset", "kind": "list_document_imports", "when": "after_body"}),
    ("look: 500", 2, {"action": "status", "status": 500, "kind": "get_execution"}),
    ("look: other data", 1, {"action": "rewrite", "kind": "get_execution", "data": {"status": "RUNNING"}}),
    ("input file: 503", 2, {"action": "status", "status": 503, "kind": "get_data_file", "times": 2}),
    ("input file: 404", 2, {"action": "status", "status": 404, "kind": "get_data_file"}),
    ("input file: cut", 2, {"action": "cut", "kind": "get_data_file"}),
    ("input file: 429", 1, {"action": "status", "status": 429, "kind": "get_data_file", "retry_after": 0}),
)

#: Where a request is held to kill the process there; and what becomes of the request then.
_HOLDS: Final[tuple[tuple[str, int, dict[str, Any]], ...]] = (
    ("upload, before its body", 2, {"kind": _UPLOAD, "when": "before_body"}),
    ("upload, in its middle", 3, {"kind": _UPLOAD, "when": "mid_body", "after_percent": 50}),
    ("upload, whole and never done", 3, {"kind": _UPLOAD, "when": "after_body", "if_gone": "drop"}),
    ("upload, whole and done at once", 4, {"kind": _UPLOAD, "when": "after_body", "if_gone": "go_on"}),
    ("upload, whole and done late", 5, {"kind": _UPLOAD, "when": "after_body", "if_gone": "keep"}),
    ("upload, done and not answered", 5, {"kind": _UPLOAD, "when": "after_commit"}),
    ("upload, in its answer", 2, {"kind": _UPLOAD, "when": "mid_reply"}),
    ("import, never made", 1, {"kind": _CREATE, "when": "after_body", "if_gone": "drop"}),
    ("import, made late", 2, {"kind": _CREATE, "when": "after_body", "if_gone": "keep"}),
    ("import, made and not answered", 2, {"kind": _CREATE, "when": "after_commit"}),
    ("list of executions", 2, {"kind": "list_executions", "when": "before_body"}),
    ("list of imports", 1, {"kind": "list_document_imports", "when": "before_body"}),
    ("look at an execution", 2, {"kind": "get_execution", "when": "before_body"}),
    ("reading an input file back", 2, {"kind": "get_data_file", "when": "before_body"}),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault that the sandbox is told to make.

    :param name: For the table.
    :param plan: What its control API takes.
    """

    name: str
    plan: dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """How a try is killed.

    :param name: For the table.
    :param hold: Where the sandbox holds a request; its client is killed then. None: not there.
    :param late_s: How long after the death a request that is kept goes on, in s.
    :param store_write: Number of the write to the state store at which it kills itself; None: not there.
    :param is_written: Whether that is after the value is there.
    :param after_s: How long after its beginning it is killed, wherever it is, in s; None: not so.
    """

    name: str
    hold: dict[str, Any] | None = None
    late_s: float = 0.0
    store_write: int | None = None
    is_written: bool = False
    after_s: float | None = None


Between = Literal["clear", "cancel", "change"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TryPlan:
    """What befalls a try, and what happens behind it.

    :param store_failure: Number of the write to the state store that fails; None: none does.
    :param failure_is_written: Whether the value is there all the same.
    :param rotate_at: Kind of request at which the token is replaced; None: it is not.
    """

    faults: tuple[Fault, ...] = ()
    kill: Kill | None = None
    store_failure: int | None = None
    failure_is_written: bool = False
    rotate_at: str | None = None
    then: Between | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """A load and its tries.

    :param face: ``files`` or ``rows``: which operator loads it.
    :param lines: Lines in its source.
    :param rejected: How many of them the sandbox rejects.
    :param alike: Whether its parts are all of the same bytes.
    :param settings: Of the sandbox.
    :param arguments: Of the operator.
    :param tries: What befalls the first tries; those behind them are left alone.
    """

    seed: int
    face: Literal["files", "rows"]
    document_type: Literal["USER_ACTIVITY", "USER_PROFILE"]
    lines: int
    rejected: int
    alike: bool
    settings: dict[str, Any]
    arguments: dict[str, Any]
    tries: tuple[TryPlan, ...]


def plan_of(seed: int) -> LoadPlan:
    """Return the load of a seed, and what befalls it."""
    chance = random.Random(seed)  # noqa: S311 - nothing here is secret, and it has to be repeatable
    rejected = chance.choice([0, 0, 0, 0, 1, 3])
    return LoadPlan(
        seed=seed,
        face=chance.choice(["files", "files", "rows"]),
        document_type=chance.choice(["USER_ACTIVITY", "USER_ACTIVITY", "USER_PROFILE"]),
        lines=chance.randint(1, 16),
        rejected=rejected,
        alike=not rejected and _once_in(chance, 10),
        settings={
            "pending_s": chance.choice([0.0, 0.02, 0.1, 0.3]),
            "running_s": chance.choice([0.0, 0.02, 0.1]),
            "list_lag_s": chance.choice([0.0, 0.0, 0.1, 0.3]),
            "import_list_lag_s": chance.choice([0.0, 0.0, 0.1, 0.3]),
            "input_files_available": not _once_in(chance, 10),
            "counts_as_strings": _once_in(chance, 10),
            "max_page_size": chance.choice([None, None, 2]),
            "created_status": chance.choice([200, 201]),
        },
        arguments={
            "max_part_bytes": chance.choice([300, 800, 1500]),
            "parallel_uploads": chance.choice([1, 2, 2, 4]),
            "if_exists": chance.choice(["reuse", "reuse", "create"]),
            "preflight": chance.choice(["fail", "fail", "off"]),
            "max_rejected": chance.choice([0, 0, 3]),
        },
        tries=tuple(_try_of(chance) for _ in range(chance.randint(1, 4))),
    )


def _try_of(chance: random.Random) -> TryPlan:
    faults = tuple(_fault_of(chance) for _ in range(chance.choice([0, 1, 1, 2, 3])))
    what = chance.choices(["kill", "store", "rotate", "nothing"], [14, 2, 2, 2])[0]
    then: tuple[Between | None, ...] = (None, "clear", "cancel", "change")
    return TryPlan(
        faults=faults,
        kill=_kill_of(chance) if what == "kill" else None,
        store_failure=chance.randint(1, 15) if what == "store" else None,
        failure_is_written=_once_in(chance, 2),
        rotate_at=chance.choice([_UPLOAD, "get_execution", "list_document_imports"]) if what == "rotate" else None,
        then=chance.choices(then, [80, 8, 6, 6])[0],
    )


def _once_in(chance: random.Random, times: int) -> bool:
    return not chance.randrange(times)


def _fault_of(chance: random.Random) -> Fault:
    name, _, plan = chance.choices(_FAULTS, [weight for _, weight, _ in _FAULTS])[0]
    return Fault(name=name, plan={**plan, "after": chance.choice([0, 0, 1, 2])})


def _kill_of(chance: random.Random) -> Kill:
    where = chance.choices(["state", "any time", "request"], [30, 15, 55])[0]
    if where == "state":
        is_written = _once_in(chance, 2)
        name = f"state, {'after' if is_written else 'before'} a write"
        return Kill(name=name, store_write=chance.randint(1, 20), is_written=is_written)
    if where == "any time":
        return Kill(name="at any time", after_s=chance.uniform(0.0, 0.8))
    name, _, hold = chance.choices(_HOLDS, [weight for _, weight, _ in _HOLDS])[0]
    return Kill(
        name=name,
        hold={"action": "hold", **hold, "after": chance.choice([0, 0, 1, 2])},
        late_s=chance.choice([0.0, 0.1, 0.3]),
    )
