"""A request's body on its way in, and where planned faults strike it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Self

import h11

from airflow_provider_mics.sandbox.record import UPLOAD
from airflow_provider_mics.sandbox.upload import LineCounter

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from airflow_provider_mics.sandbox.faults import Fault, When
    from airflow_provider_mics.sandbox.messages import Response
    from airflow_provider_mics.sandbox.record import RequestRecord


class DropConnectionError(Exception):
    """A planned end of the connection, with a TCP reset or an orderly close."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("reset" if reset else "close")
        self.reset = reset


class Body:
    """A request's body as pieces come in: hashed, recorded, and struck by faults on the way.

    :param fault: the one that strikes this request, if any.
    :param length: bytes announced; None: unknown.
    """

    def __init__(
        self,
        http: h11.Connection,
        next_event: Callable[[], Awaitable[h11.Event | type[h11.PAUSED]]],
        send_continue: Callable[[], Awaitable[None]],
        *,
        record: RequestRecord,
        striker: Striker,
        length: int | None,
    ) -> None:
        self._http = http
        self._next_event = next_event
        self._send_continue = send_continue
        self._record = record
        self._striker = striker
        #: Bytes after which a fault strikes; None: none does.
        self._strikes_at = striker.mid_body(length)
        #: What was read beyond that point.
        self._rest = b""
        self._hash = hashlib.sha256()
        self._counter = LineCounter() if record.kind == UPLOAD else None
        self.finished = False

    @property
    def refused(self) -> bool:
        """Whether the client still waits to be told to send its body: after an answer, it will not."""
        return self._http.they_are_waiting_for_100_continue

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self.finished:
            raise StopAsyncIteration
        await self._send_continue()
        if self._strikes_at is not None and self._record.body_bytes >= self._strikes_at:
            self._strikes_at = None
            await self._striker.strike()
        piece = self._rest or await self._read()
        self._rest = b""
        if self._strikes_at is not None:
            left = self._strikes_at - self._record.body_bytes
            piece, self._rest = piece[:left], piece[left:]
        self._record.body_bytes += len(piece)
        self._hash.update(piece)
        if self._counter is not None:
            self._counter.feed(piece)
        return piece

    async def _read(self) -> bytes:
        event = await self._next_event()
        if isinstance(event, h11.Data):
            return bytes(event.data)
        if isinstance(event, h11.EndOfMessage):
            self.finished = True
            self._record.body_sha256 = self._hash.hexdigest()
            self._record.body_lines = None if self._counter is None else self._counter.lines
            raise StopAsyncIteration
        # The client ended the connection before the end of its body.
        raise DropConnectionError(reset=False)

    async def discard(self) -> None:
        """Read the rest and drop it."""
        async for _ in self:
            pass


class Striker:
    """Lets the fault of one request happen, if it has one.

    :param number: of the request.
    :param client_gone: set when the client ended its side.
    """

    def __init__(self, fault: Fault | None, number: int, client_gone: asyncio.Event) -> None:
        self.fault = fault
        self._number = number
        self._client_gone = client_gone

    def at(self, moment: When) -> bool:
        """Tell whether there is a fault for this moment."""
        return self.fault is not None and self.fault.when == moment

    @property
    def holds(self) -> bool:
        """Whether the request may go on as if nothing was, after a while."""
        return self.fault is not None and self.fault.action == "hold"

    def mid_body(self, length: int | None) -> int | None:
        """Return after how many bytes of body the fault strikes; None: not there."""
        if self.fault is None or self.fault.when != "mid_body":
            return None
        percent = self.fault.after_percent
        return self.fault.after_bytes if percent is None else int((length or 0) * percent / 100)

    async def strike(self) -> Response | None:
        """Let the fault happen: drops the connection, waits, or answers. None: go on as if nothing was."""
        fault = self.fault
        if fault is None:
            return None
        if fault.action in {"reset", "close"}:
            raise DropConnectionError(reset=fault.action == "reset")
        if fault.action in {"delay", "stall"}:
            await fault.pause()
        if fault.action == "hold" and not await fault.hold(self._number, self._client_gone):
            raise DropConnectionError(reset=False)
        return fault.reply()
