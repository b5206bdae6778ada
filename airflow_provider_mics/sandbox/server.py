"""Sockets: one HTTP/1.1 connection after another, and what planned faults do to them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import socket
import struct
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import h11

from airflow_provider_mics.sandbox.messages import HttpError, Request, Response, error_response, split_target

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.faults import Fault, FaultPlans
    from airflow_provider_mics.sandbox.record import Recorder, RequestRecord

#: Bytes read from a socket or a file at a time.
READ_BYTES: Final = 256 * 1024
_MAX_HEADER_BYTES: Final = 64 * 1024
#: How long the rest of a refused body is read and dropped, so that the client gets to see the answer; seconds.
_LINGER_S: Final = 10


class Routed(Protocol):
    """What the server asks of the application."""

    def kind_of(self, method: str, path: str) -> str:
        """Name the route of a path."""

    async def handle(self, request: Request) -> Response:
        """Answer a request."""


class DropConnectionError(Exception):
    """A planned end of the connection, with a TCP reset or an orderly close."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("reset" if reset else "close")
        self.reset = reset


class Server:
    """The listening socket and its connections; lives on one event loop.

    :param log: told a line per request; None: silent.
    """

    def __init__(
        self,
        app: Routed,
        *,
        faults: FaultPlans,
        recorder: Recorder,
        clock: Clock,
        log: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        self.app = app
        self.faults = faults
        self.recorder = recorder
        self.clock = clock
        self.log = log
        self._ids = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int, ssl_context: ssl.SSLContext | None) -> int:
        """Listen; returns the port, which the system chose if it was 0."""
        self._server = await asyncio.start_server(
            self._connected, host, port, limit=READ_BYTES, ssl=ssl_context, backlog=512
        )
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    async def stop(self) -> None:
        """Close the socket and every connection, at once."""
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.recorder.count("connections")
        connection = Connection(self, reader, writer, next(self._ids))
        try:
            await connection.serve()
        except DropConnectionError as drop:
            if drop.reset:
                _reset_on_close(writer)
        except (OSError, h11.ProtocolError):
            # The client went away; nobody is left to be told.
            pass
        except asyncio.CancelledError:
            # Only ``stop`` cancels connections. Swallowed: asyncio would log it as an error of the callback.
            writer.transport.abort()
        finally:
            await _close(writer)


def _reset_on_close(writer: asyncio.StreamWriter) -> None:
    """Make the end of the connection a TCP reset: lingering for no time throws unsent data away."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, asyncio.CancelledError, TimeoutError):
        # A TLS client that does not answer the end of the connection must not keep it.
        await asyncio.wait_for(writer.wait_closed(), 1)


class Connection:
    """One client's connection, request after request."""

    def __init__(
        self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection_id: int
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._id = connection_id
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEADER_BYTES)

    async def serve(self) -> None:
        """Answer requests until one side ends the connection."""
        while True:
            try:
                event = await self._next_event()
            except h11.RemoteProtocolError as error:
                await self._send(error_response(error.error_status_hint, f"Malformed request: {error}", close=True))
                return
            if not isinstance(event, h11.Request):
                return
            await self._exchange(event)
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()

    async def _next_event(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]
            self._http.receive_data(await self._reader.read(READ_BYTES))

    async def _exchange(self, head: h11.Request) -> None:
        server = self._server
        method = head.method.decode("ascii")
        path, query = split_target(head.target.decode("ascii"))
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
        record = server.recorder.start(
            time_ms=round(server.clock.now() * 1000),
            connection_id=self._id,
            method=method,
            path=path,
            query=query,
            headers=headers,
        )
        record.kind = server.app.kind_of(method, path)
        fault = None
        if record.kind != "control":
            length = headers.get("content-length", "")
            declared = int(length) if length.isdigit() else None
            fault = server.faults.take(record.number, method, path, record.kind, declared)
        names = [record.kind]
        if fault is not None:
            record.fault = fault.number
            names.append(f"fault_{fault.action}")
        server.recorder.count(*names)
        body = Body(self._http, self._next_event, self._send_continue, record, fault)
        request = Request(method, path, query, headers, aiter(body), self._id)
        try:
            await self._answer(request, body, record, fault)
        except (DropConnectionError, OSError, h11.ProtocolError):
            server.recorder.count("dropped")
            raise
        finally:
            if server.log is not None:
                server.log(record)

    async def _answer(self, request: Request, body: Body, record: RequestRecord, fault: Fault | None) -> None:
        response = await self._respond(request, body, fault)
        record.status = response.status
        if body.finished:
            record.body_sha256 = body.sha256
        self._server.recorder.count(f"status_{response.status}")
        if fault is not None and fault.action == "cut":
            await self._send_cut(response, fault)
        drip = fault if fault is not None and fault.action == "drip" else None
        await self._send(response, drip)
        if fault is not None and fault.when == "after_reply":
            raise DropConnectionError(reset=fault.action == "reset")
        if not body.finished and not body.refused:
            # The answer came before the end of the body. Reading on lets the client see it instead of a reset.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LINGER_S):
                    await body.discard()

    async def _respond(self, request: Request, body: Body, fault: Fault | None) -> Response:
        """Make the answer, letting the fault strike at its moment."""
        if fault is not None and fault.when == "before_body":
            replaced = await strike(fault)
            if replaced is not None:
                return replaced
        if fault is not None and fault.when == "after_body":
            await body.discard()
            replaced = await strike(fault)
            if replaced is not None:
                return replaced
        response = await self._handle(request)
        if fault is not None and fault.when == "after_commit":
            if fault.action == "rewrite":
                fault.rewrite(response)
            elif fault.action not in {"cut", "drip"}:
                return await strike(fault) or response
        return response

    async def _handle(self, request: Request) -> Response:
        try:
            return await self._server.app.handle(request)
        except HttpError as error:
            return error.response()

    async def _send_continue(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            self._write(h11.InformationalResponse(status_code=HTTPStatus.CONTINUE, headers=[]))
            await self._writer.drain()

    async def _send(self, response: Response, drip: Fault | None = None) -> None:
        self._write(self._head(response))
        if isinstance(response.body, Path):
            await self._send_file(response.body)
        elif drip is not None:
            for start in range(0, len(response.body), drip.piece_bytes):
                self._write(h11.Data(data=response.body[start : start + drip.piece_bytes]))
                await self._writer.drain()
                await drip.pause()
        else:
            self._write(h11.Data(data=response.body))
        self._write(h11.EndOfMessage())
        await self._writer.drain()

    async def _send_file(self, path: Path) -> None:
        with path.open("rb") as file:
            # As long as announced: a file being written could have grown since.
            while piece := file.read(READ_BYTES):
                self._write(h11.Data(data=piece))
                await self._writer.drain()

    async def _send_cut(self, response: Response, fault: Fault) -> None:
        body = response.body.read_bytes() if isinstance(response.body, Path) else response.body
        keep = len(body) // 2 if fault.keep_bytes is None else fault.keep_bytes
        self._write(self._head(response))
        self._write(h11.Data(data=body[:keep]))
        await self._writer.drain()
        raise DropConnectionError(reset=False)

    def _head(self, response: Response) -> h11.Response:
        length = response.body.stat().st_size if isinstance(response.body, Path) else len(response.body)
        headers = [("Content-Length", str(length)), *response.headers]
        if response.content_type is not None:
            headers.append(("Content-Type", response.content_type))
        if response.close:
            headers.append(("Connection", "close"))
        return h11.Response(
            status_code=response.status,
            headers=[(name.encode("ascii"), value.encode("latin-1")) for name, value in headers],
        )

    def _write(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)


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

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self.finished:
            return
        await self._send_continue()
        while True:
            await self._maybe_strike()
            event = await self._next_event()
            if isinstance(event, h11.Data):
                self._record.body_bytes += len(event.data)
                self._hash.update(event.data)
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self.finished = True
                self._record.body_sha256 = self.sha256
                return
            else:
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
