"""The list of planned faults, and which request each one hits."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, get_args

from airflow_provider_mics.sandbox.faults import Action, Fault, IfGone, When

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Moment of an action when the plan names none.
_DEFAULT_WHEN: Final[Mapping[str, When]] = {
    "envelope_error": "after_body",
    "not_json": "after_commit",
    "empty": "after_commit",
    "rewrite": "after_commit",
    "cut": "after_commit",
    "drip": "after_commit",
    "delay": "after_commit",
    "stall": "mid_body",
    "hold": "after_commit",
}


#: Pause of a drip when the plan names none, seconds.
_DRIP_S: Final = 0.02


@dataclass(slots=True, frozen=True)
class Hit:
    """What a plan looks at in a request.

    :param path: and ``query``: as they were sent.
    :param length: its ``Content-Length``; None: none.
    """

    number: int
    method: str
    path: str
    query: str
    kind: str
    length: int | None


class FaultPlans:
    """Every fault planned, in the order they were planned; thread-safe."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._next = 1
        self._on_change = on_change
        #: Kinds of request that a plan may name; empty: any. A misspelt one would never strike, and nobody would know.
        self.kinds: frozenset[str] = frozenset()

    def plan(
        self,
        action: Action,
        *,
        when: When | None = None,
        method: str | None = None,
        path: str | None = None,
        query: str | None = None,
        kind: str | None = None,
        times: int | None = 1,
        after: int = 0,
        min_length: int | None = None,
        max_length: int | None = None,
        **options: Any,
    ) -> Fault:
        """Plan a fault.

        Which requests it hits:

        :param method: HTTP method; None: any.
        :param path: regular expression searched in the path, without query and without a trailing slash.
        :param query: regular expression searched in the query as it was sent, percent-encoded.
        :param kind: name of the route, such as "create_execution".
        :param times: how many requests it hits; None: all.
        :param after: how many matching requests pass before.
        :param min_length: least ``Content-Length``; ``max_length`` the largest. A chunked body has none.

        What happens:

        :param action: "status" (``status``, ``text``, ``code``, ``headers``, ``retry_after`` seconds,
            ``retry_after_as_date``) answers the error envelope, or ``body`` as it is; "html" the same as a page
            (``body``); "envelope_error" 200 with an error envelope; "not_json" 200 with ``body``; "empty" 201 without
            body; "redirect" ``status`` 301, 302, 307 or 308 to ``location``; "rewrite" merges ``data`` into the
            reply's; "reset" drops the connection with a TCP reset, "close" with an orderly end; "cut" announces the
            whole reply, sends ``keep_bytes`` of its body (default: half) and closes; "drip" sends the reply in pieces
            of ``piece_bytes``, with ``seconds`` between them; "delay" waits ``seconds`` (None: until ``release``), then
            goes on normally; "stall" stops reading the body, or sending the reply, for ``seconds`` (None: until
            ``release``), then goes on; "hold" waits like "delay" and tells whom it holds, until the client leaves:
            then ``if_gone`` decides: "drop" forgets the request, "go_on" goes on without a client, as a server does
            that has all it needs, "keep" goes on without one after ``release``. With ``then_reset``, the connection is
            reset right after the answer, with the rest of the body unread.
        :param when: "before_body" (only the headers were read), "mid_body" (after exactly ``after_bytes`` of the body,
            or ``after_percent`` of its ``Content-Length``; without one at its start), "after_body" (all read, nothing
            done), "after_commit" (all done, not yet answered), "mid_reply" (``keep_bytes`` of the reply's body are
            sent; default: half), "after_reply" (answered in full; for "reset" and "close": the next request on the
            connection meets a dead one). None: what suits the action.
        :raises ValueError: the plan makes no sense.
        """
        chosen = when or _DEFAULT_WHEN.get(action, "before_body")
        matching: dict[str, Any] = {
            "method": method,
            "path": path,
            "query": query,
            "kind": kind,
            "times": times,
            "after": after,
            "min_length": min_length,
            "max_length": max_length,
        }
        _check(action, chosen, {**options, **matching})
        if kind is not None and self.kinds and kind not in self.kinds:
            message = f"{kind!r} is not a kind of request; kinds are {', '.join(sorted(self.kinds))}"
            raise ValueError(message)
        if action == "drip":
            options.setdefault("seconds", _DRIP_S)
        if action == "redirect":
            options.setdefault("status", HTTPStatus.TEMPORARY_REDIRECT)
        with self._lock:
            fault = Fault(
                self._next,
                action,
                chosen,
                **matching,
                **options,
            )
            self._next += 1
            self._faults.append(fault)
        return fault

    def take(self, request: Hit) -> Fault | None:
        """Find the fault that hits this request, the first planned one that does; every plan counts the match."""
        taken: Fault | None = None
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                if not _matches(fault, request):
                    continue
                fault.matched += 1
                exhausted = fault.times is not None and len(fault.fired) >= fault.times
                if taken is None and not exhausted and fault.matched > fault.after:
                    taken = fault
                    # Under the lock, so that two requests at once cannot both be the only time.
                    fault.note(request.number)
        if taken is not None:
            self._on_change()
        return taken

    def all(self) -> list[Fault]:
        """Return every fault planned, fired or not."""
        with self._lock:
            return list(self._faults)

    def clear(self) -> None:
        """Forget every plan, and let go of what they keep waiting."""
        with self._lock:
            faults, self._faults = self._faults, []
        for fault in faults:
            fault.release()


def _matches(fault: Fault, request: Hit) -> bool:
    if fault.method is not None and fault.method.upper() != request.method:
        return False
    if fault.path is not None and re.search(fault.path, request.path.rstrip("/")) is None:
        return False
    if fault.query is not None and re.search(fault.query, request.query) is None:
        return False
    if fault.kind is not None and fault.kind != request.kind:
        return False
    length = request.length
    if fault.min_length is not None and (length is None or length < fault.min_length):
        return False
    return fault.max_length is None or (length is not None and length <= fault.max_length)


#: Options that must be whole numbers, and those that may be any; None is always fine.
_WHOLE: Final = ("times", "after", "min_length", "max_length", "status", "after_bytes", "keep_bytes", "piece_bytes")
_NUMBERS: Final = ("retry_after", "seconds", "after_percent")
_TEXTS: Final = ("method", "path", "query", "kind", "text", "code", "location", "body", "if_gone")
_OPTIONS: Final = frozenset({*_WHOLE, *_NUMBERS, *_TEXTS, "retry_after_as_date", "then_reset", "headers", "data"})
_STATUSES: Final = range(200, 600)


def _check(action: str, when: str, options: Mapping[str, Any]) -> None:
    """Refuse a plan that would only fail when it strikes."""
    problem = _type_problem(options)
    if problem is not None:
        raise ValueError(problem)
    if action not in get_args(Action):
        problem = f"{action!r} is not an action; actions are {', '.join(get_args(Action))}"
    elif when not in get_args(When):
        problem = f"{when!r} is not a moment; moments are {', '.join(get_args(When))}"
    elif when not in _moments(action):
        problem = f"{action} cannot happen {when}, only {', '.join(_moments(action))}"
    elif (wrong := _pattern_problem(options.get("path")) or _pattern_problem(options.get("query"))) is not None:
        problem = wrong
    elif options.get("if_gone", "drop") not in get_args(IfGone):
        problem = f"if_gone must be {', '.join(get_args(IfGone))}"
    elif action == "redirect" and not options.get("location"):
        problem = "redirect needs a location"
    if problem is not None:
        raise ValueError(problem)


def _pattern_problem(pattern: str | None) -> str | None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        return f"{pattern} is not a regular expression: {error}"
    return None


def _moments(action: str) -> tuple[str, ...]:
    """When an action can happen."""
    if action in {"rewrite", "cut", "drip"}:
        return ("after_commit",)
    if action == "stall":
        return ("mid_body", "mid_reply")
    if action == "delay":
        return ("before_body", "mid_body", "after_commit")
    if action == "hold":
        return ("before_body", "mid_body", "after_body", "after_commit", "mid_reply")
    if action in {"reset", "close"}:
        return get_args(When)
    return ("before_body", "after_body", "after_commit")


def _type_problem(options: Mapping[str, Any]) -> str | None:
    for names, types, word in (
        (_WHOLE, int, "a whole number"),
        (_NUMBERS, (int, float), "a number"),
        (_TEXTS, str, "a text"),
        (("retry_after_as_date", "then_reset"), bool, "true or false"),
        (("headers", "data"), dict, "an object"),
    ):
        for name in names:
            if options.get(name) is not None and not isinstance(options[name], types):
                return f"{name} must be {word}"
    unknown = set(options) - _OPTIONS
    if unknown:
        return f"Not an option of a fault: {', '.join(sorted(unknown))}"
    if options.get("status") is not None and options["status"] not in _STATUSES:
        return "status must be an HTTP status of an answer"
    return "piece_bytes must be at least 1" if options.get("piece_bytes") == 0 else None
