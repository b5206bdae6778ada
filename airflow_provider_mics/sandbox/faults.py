"""Faults that can be planned: which request they hit, and what happens to it then."""

from __future__ import annotations

import asyncio
import concurrent.futures
import copy
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Final, Literal, get_args

import msgspec

from airflow_provider_mics.sandbox.messages import Response, error_response

Action = Literal[
    "status", "html", "envelope_error", "not_json", "empty", "redirect", "rewrite",
    "reset", "close", "cut", "drip", "delay", "stall",
]  # fmt: skip
When = Literal["before_body", "mid_body", "after_body", "after_commit", "after_reply"]

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
}
#: Actions that need the finished reply.
_ON_REPLY: Final = frozenset({"rewrite", "cut", "drip"})
_AFTER_REPLY: Final = frozenset({"reset", "close"})
#: Actions that can strike between two pieces of the body.
_MID_BODY: Final = frozenset({"reset", "close", "stall", "delay"})


@dataclass(slots=True)
class Fault:
    """One planned fault; made by ``FaultPlans.plan``, which describes the fields.

    ``fired`` holds the numbers of the requests it hit (``RequestRecord.number``), in order.
    """

    number: int
    action: Action
    when: When
    method: str | None = None
    path: str | None = None
    kind: str | None = None
    times: int | None = 1
    after: int = 0
    min_length: int | None = None
    max_length: int | None = None
    status: int = HTTPStatus.SERVICE_UNAVAILABLE
    text: str = "Planned fault of the sandbox"
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: float | None = None
    retry_after_as_date: bool = False
    location: str | None = None
    body: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    after_bytes: int = 0
    keep_bytes: int | None = None
    piece_bytes: int = 1
    seconds: float | None = None
    matched: int = 0
    fired: list[int] = field(default_factory=list)
    _go_on: concurrent.futures.Future[None] = field(default_factory=concurrent.futures.Future, repr=False)
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)

    def wait_fired(self, times: int = 1, timeout: float = 10) -> None:
        """Wait in a test until the fault has struck so many times.

        :raises TimeoutError: it did not within ``timeout`` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.fired) >= times, timeout):
                message = f"Fault {self.number} ({self.action}) fired {len(self.fired)} times, not {times}"
                raise TimeoutError(message)

    def release(self) -> None:
        """Let every request that this fault keeps waiting go on, now and later."""
        with self._changed:
            if not self._go_on.done():
                self._go_on.set_result(None)

    async def pause(self) -> None:
        """Wait ``seconds`` of real time, or until ``release``, whichever comes first; None: until ``release``."""
        # Each waiter has its own view of the one future; shielded, so that a dropped connection cancels only itself.
        waiter = asyncio.shield(asyncio.wrap_future(self._go_on))
        try:
            await asyncio.wait_for(waiter, self.seconds)
        except TimeoutError:
            return

    def reply(self) -> Response | None:
        """Build the answer that replaces the normal one; None for actions that answer nothing of their own."""
        headers = list(self.headers.items())
        if self.retry_after is not None:
            headers.append(("Retry-After", self._retry_after_text(self.retry_after)))
        match self.action:
            case "status":
                response = error_response(self.status, self.text, code=self.code)
            case "html":
                page = self.body or f"<html><head><title>{self.status}</title></head><body>{self.text}</body></html>"
                response = Response(self.status, page.encode(), content_type="text/html")
            case "envelope_error":
                response = error_response(HTTPStatus.OK, self.text, code=self.code)
            case "not_json":
                text = self.body if self.body is not None else "<html>this is not JSON</html>"
                response = Response(HTTPStatus.OK, text.encode(), content_type="text/plain")
            case "empty":
                response = Response(HTTPStatus.CREATED, b"", content_type=None)
            case "redirect":
                response = Response(self.status, b"", content_type=None)
                headers.append(("Location", self.location or ""))
            case _:
                return None
        response.headers.extend(headers)
        return response

    def rewrite(self, response: Response) -> None:
        """Merge ``data`` into the reply's data, or into each element of a list; a null value is kept as null."""
        if not isinstance(response.body, bytes) or not response.body:
            return
        envelope = msgspec.json.decode(response.body)
        data = envelope.get("data")
        for item in data if isinstance(data, list) else [data]:
            if isinstance(item, dict):
                merge(item, self.data)
        response.body = msgspec.json.encode(envelope)

    def as_json(self) -> dict[str, Any]:
        """Return what the control API tells of the fault."""
        names = (name for name in self.__slots__ if not name.startswith("_"))
        return {name: getattr(self, name) for name in names}

    def note(self, request_number: int) -> None:
        """Remember that it struck."""
        with self._changed:
            self.fired.append(request_number)
            self._changed.notify_all()

    def _retry_after_text(self, seconds: float) -> str:
        if self.retry_after_as_date:
            # The real time: a client compares the date with its own clock.
            return formatdate(time.time() + seconds, usegmt=True)
        return str(int(seconds)) if seconds == int(seconds) else str(seconds)


class FaultPlans:
    """Every fault planned, in the order they were planned; thread-safe."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._next = 1
        self._on_change = on_change

    def plan(
        self,
        action: Action,
        *,
        when: When | None = None,
        method: str | None = None,
        path: str | None = None,
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
        :param kind: name of the route, such as "create_execution".
        :param times: how many requests it hits; None: all.
        :param after: how many matching requests pass before.
        :param min_length: least ``Content-Length``; ``max_length`` the largest. A chunked body has none.

        What happens:

        :param action: "status" (``status``, ``text``, ``code``, ``headers``, ``retry_after`` seconds,
            ``retry_after_as_date``) answers the error envelope; "html" the same as a page (``body``);
            "envelope_error" 200 with an error envelope; "not_json" 200 with ``body``; "empty" 201 without body;
            "redirect" ``status`` 301, 302, 307 or 308 to ``location``; "rewrite" merges ``data`` into that of the reply;
            "reset" drops the connection with a TCP reset, "close" with an orderly end; "cut" announces the whole reply,
            sends ``keep_bytes`` of its body (default: half) and closes; "drip" sends the reply ``piece_bytes`` at a time
            with ``seconds`` between pieces; "delay" waits ``seconds`` (None: until ``release``), then goes on normally;
            "stall" stops reading the body after ``after_bytes`` for ``seconds``, then goes on.
        :param when: "before_body" (only the headers were read), "mid_body" (after ``after_bytes`` of the body),
            "after_body" (all read, nothing done), "after_commit" (all done, not yet answered), "after_reply" (answered
            in full; for "reset" and "close": the next request on the connection meets a dead one).
            None: what suits the action.
        :raises ValueError: the plan makes no sense.
        """
        chosen = when or _DEFAULT_WHEN.get(action, "before_body")
        _check(action, chosen, options)
        if path is not None:
            re.compile(path)
        if action == "redirect":
            options.setdefault("status", HTTPStatus.TEMPORARY_REDIRECT)
        with self._lock:
            fault = Fault(
                self._next,
                action,
                chosen,
                method=method,
                path=path,
                kind=kind,
                times=times,
                after=after,
                min_length=min_length,
                max_length=max_length,
                **options,
            )
            self._next += 1
            self._faults.append(fault)
        return fault

    def take(self, number: int, method: str, path: str, kind: str, length: int | None) -> Fault | None:
        """Find the fault that hits this request, the first planned one that does; every plan counts the match."""
        taken: Fault | None = None
        with self._lock:
            for fault in self._faults:
                if not _matches(fault, method, path.rstrip("/"), kind, length):
                    continue
                fault.matched += 1
                exhausted = fault.times is not None and len(fault.fired) >= fault.times
                if taken is None and not exhausted and fault.matched > fault.after:
                    taken = fault
                    # Under the lock, so that two requests at once cannot both be the only time.
                    fault.note(number)
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


def merge(target: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """Merge ``patch`` into ``target``, objects deeply, everything else by replacement."""
    for name, value in patch.items():
        present = target.get(name)
        if isinstance(value, Mapping) and isinstance(present, dict):
            merge(present, value)
        else:
            # A copy: the patch is used again for other requests.
            target[name] = copy.deepcopy(value)


def _matches(fault: Fault, method: str, path: str, kind: str, length: int | None) -> bool:
    if fault.method is not None and fault.method.upper() != method:
        return False
    if fault.path is not None and re.search(fault.path, path) is None:
        return False
    if fault.kind is not None and fault.kind != kind:
        return False
    if fault.min_length is not None and (length is None or length < fault.min_length):
        return False
    return fault.max_length is None or (length is not None and length <= fault.max_length)


_OPTIONS: Final = frozenset(
    [
        "status",
        "text",
        "code",
        "headers",
        "retry_after",
        "retry_after_as_date",
        "location",
        "body",
        "data",
        "after_bytes",
        "keep_bytes",
        "piece_bytes",
        "seconds",
    ]
)


def _check(action: str, when: str, options: Mapping[str, Any]) -> None:
    unknown = set(options) - _OPTIONS
    problem = None
    if action not in get_args(Action):
        problem = f"{action!r} is not an action; actions are {', '.join(get_args(Action))}"
    elif when not in get_args(When):
        problem = f"{when!r} is not a moment; moments are {', '.join(get_args(When))}"
    elif unknown:
        problem = f"Not an option of a fault: {', '.join(sorted(unknown))}"
    elif action in _ON_REPLY and when != "after_commit":
        problem = f"{action} needs a reply: it happens after_commit"
    elif when == "after_reply" and action not in _AFTER_REPLY:
        problem = "Only reset and close can happen after_reply"
    elif when == "mid_body" and action not in _MID_BODY:
        problem = "Only reset, close, stall and delay can happen mid_body"
    elif action == "redirect" and not options.get("location"):
        problem = "redirect needs a location"
    elif options.get("piece_bytes", 1) < 1:
        problem = "piece_bytes must be at least 1"
    if problem is not None:
        raise ValueError(problem)
