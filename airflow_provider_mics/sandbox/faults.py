"""Faults that can be planned: which request they hit, and what happens to it then."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from airflow_provider_mics.sandbox.messages import Response, error_response, merge

if TYPE_CHECKING:
    from collections.abc import Callable

Action = Literal[
    "status", "html", "envelope_error", "not_json", "empty", "redirect", "rewrite",
    "reset", "close", "cut", "drip", "delay", "stall", "hold",
]  # fmt: skip
When = Literal["before_body", "mid_body", "after_body", "after_commit", "mid_reply", "after_reply"]
IfGone = Literal["drop", "go_on", "keep"]


@dataclass(slots=True)
class Fault:
    """One planned fault; made by ``FaultPlans.plan``, which describes the fields.

    ``fired`` holds the numbers of the requests it hit (``RequestRecord.number``), in order, ``fired_at_ms`` when their
    headers were read, milliseconds since the epoch in real time. ``held`` are the numbers of those that a "hold" holds
    now, ``gone`` of those whose client left while held.
    """

    number: int
    action: Action
    when: When
    method: str | None = None
    path: str | None = None
    query: str | None = None
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
    after_percent: float | None = None
    keep_bytes: int | None = None
    piece_bytes: int = 1
    seconds: float | None = None
    if_gone: IfGone = "drop"
    then_reset: bool = False
    matched: int = 0
    fired: list[int] = field(default_factory=list)
    fired_at_ms: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    _is_released: bool = field(default=False, repr=False)
    _waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = field(default_factory=set, repr=False)
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)

    def wait_fired(self, times: int = 1, timeout: float = 10) -> None:
        """Wait in a test until the fault has struck so many times.

        :raises TimeoutError: it did not within ``timeout`` seconds.
        """
        self._wait("fired", self.fired, times, timeout)

    def wait_held(self, times: int = 1, timeout: float = 10) -> None:
        """Wait in a test until so many requests are held: each stands still exactly where the plan says.

        :raises TimeoutError: they were not within ``timeout`` seconds.
        """
        self._wait("held", self.held, times, timeout)

    def wait_gone(self, times: int = 1, timeout: float = 10) -> None:
        """Wait in a test until so many clients left while they were held.

        :raises TimeoutError: they did not within ``timeout`` seconds.
        """
        self._wait("gone", self.gone, times, timeout)

    def _wait(self, word: str, numbers: list[int], times: int, timeout: float) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: len(numbers) >= times, timeout):
                message = f"Fault {self.number} ({self.action}) {word} {len(numbers)} times, not {times}"
                raise TimeoutError(message)

    def release(self) -> None:
        """Let every request that this fault keeps waiting go on, now and later."""
        with self._changed:
            self._is_released = True
            for loop, released in self._waiting:
                loop.call_soon_threadsafe(released.set)

    async def pause(self) -> None:
        """Wait ``seconds`` of real time, or until ``release``, whichever comes first; None: until ``release``."""
        waiter = asyncio.get_running_loop(), asyncio.Event()
        with self._changed:
            if self._is_released:
                return
            self._waiting.add(waiter)
        try:
            await asyncio.wait_for(waiter[1].wait(), self.seconds)
        except TimeoutError:
            return
        finally:
            with self._changed:
                self._waiting.discard(waiter)

    async def hold(self, number: int, client_gone: asyncio.Event) -> bool:
        """Keep a request where it is, until ``release`` or for ``seconds``, or until its client leaves.

        :return: whether it goes on; False: its client left, and the plan drops such requests.
        """
        released = asyncio.ensure_future(self.pause())
        gone = asyncio.ensure_future(client_gone.wait())
        self._note(self.held.append, number)
        try:
            await asyncio.wait({released, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                self._note(self.gone.append, number)
                if self.if_gone == "keep":
                    await released
            return self.if_gone != "drop" or not gone.done()
        finally:
            released.cancel()
            gone.cancel()
            self._note(self.held.remove, number)

    def reply(self) -> Response | None:
        """Build the answer that replaces the normal one; None for actions that answer nothing of their own."""
        headers = list(self.headers.items())
        if self.retry_after is not None:
            headers.append(("Retry-After", self._retry_after_text(self.retry_after)))
        match self.action:
            case "status" if self.body is not None:
                response = Response(self.status, self.body.encode())
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

    def _note(self, change: Callable[[int], None], number: int) -> None:
        with self._changed:
            change(number)
            self._changed.notify_all()

    def note(self, request_number: int) -> None:
        """Remember that it struck."""
        with self._changed:
            self.fired.append(request_number)
            self.fired_at_ms.append(round(time.time() * 1000))
            self._changed.notify_all()

    def _retry_after_text(self, seconds: float) -> str:
        if self.retry_after_as_date:
            # The real time: a client compares the date with its own clock.
            return formatdate(time.time() + seconds, usegmt=True)
        return str(int(seconds)) if seconds == int(seconds) else str(seconds)
