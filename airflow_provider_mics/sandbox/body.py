"""A request's body on its way in, and where planned faults strike it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Self

import h11

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_mics.sandbox.faults import Fault
    from airflow_provider_mics.sandbox.messages import Response
    from airflow_provider_mics.sandbox.record import RequestRecord


class DropConnectionError(Exception):
    """A planned end of the connection, with a TCP reset or an orderly close."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("reset" if reset else "close")
        self.reset = reset


class Body:
    """A request's body as pieces come in: hashed, recorded, and struck by faults on the way."""

    def __init__(
        self,
        http: h11.Connection,
        next_event: Callable[[], Awaitable[h11.Event | type[h11.PAUSED]]],
        send_continue: Callable[[], Awaitable[None]],
        record: RequestRecord,
        fault: Fault | None,
    ) -> None:
        self._http = http
        self._next_event = next_event
        self._send_continue = send_continue
        self._record = record
        self._fault = fault if fault is not None and fault.when == "mid_body" else None
        self._hash = hashlib.sha256()
        self.finished = False

    @property
    def sha256(self) -> str:
        """SHA-256 of the body so far, hexadecimal."""
        return self._hash.hexdigest()

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
        await self._maybe_strike()
        event = await self._next_event()
        if isinstance(event, h11.Data):
            self._record.body_bytes += len(event.data)
            self._hash.update(event.data)
            return bytes(event.data)
        if isinstance(event, h11.EndOfMessage):
            self.finished = True
            self._record.body_sha256 = self.sha256
            raise StopAsyncIteration
        # The client ended the connection before the end of its body.
        raise DropConnectionError(reset=False)

    async def discard(self) -> None:
        """Read the rest and drop it."""
        async for _ in self:
            pass

    async def _maybe_strike(self) -> None:
        fault = self._fault
        if fault is not None and self._record.body_bytes >= fault.after_bytes:
            self._fault = None
            await strike(fault)


async def strike(fault: Fault) -> Response | None:
    """Let a fault happen: drops the connection, waits, or answers. None: go on as if nothing was."""
    if fault.action in {"reset", "close"}:
        raise DropConnectionError(reset=fault.action == "reset")
    if fault.action in {"delay", "stall"}:
        await fault.pause()
    return fault.reply()
