"""One HTTP/1.1 connection: requests in, answers out, and what planned faults do in between."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import h11

from airflow_provider_mics.sandbox.body import Body, DropConnectionError, Striker
from airflow_provider_mics.sandbox.messages import HttpError, Request, Response, error_response, split_target
from airflow_provider_mics.sandbox.plans import Hit
from airflow_provider_mics.sandbox.record import CONTROL, UPLOAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.faults import Fault
    from airflow_provider_mics.sandbox.plans import FaultPlans
    from airflow_provider_mics.sandbox.record import Recorder, RequestRecord

_log = logging.getLogger(__name__)

#: Bytes read from a socket or a file at a time.
READ_BYTES: Final = 256 * 1024
_MAX_HEADER_BYTES: Final = 64 * 1024
#: How long the rest of a refused body is read and dropped, so that the client gets to see the answer; seconds.
_LINGER_S: Final = 10
_REASONS: Final = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}
_WITHOUT_BODY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class Target(Protocol):
    """Who answers a request."""

    @property
    def kind(self) -> str:
        """Name of the route."""

    async def receive(self, request: Request) -> None:
        """Read what the request sends, and do nothing about it."""

    async def answer(self, request: Request) -> Response:
        """Answer the request."""


class Routed(Protocol):
    """What the server asks of the application."""

    def find(self, method: str, path: str) -> Target:
        """Find who answers a path."""


@dataclass(slots=True)
class Surroundings:
    """What a connection works with.

    :param log: told each request when it is done; None: nobody is.
    """

    app: Routed
    faults: FaultPlans
    recorder: Recorder
    clock: Clock
    log: Callable[[RequestRecord], None] | None = None


class Connection:
    """One client's connection, request after request."""

    def __init__(
        self,
        surroundings: Surroundings,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        connection_id: int,
        client_gone: asyncio.Event,
    ) -> None:
        self._around = surroundings
        self._reader = reader
        self._writer = writer
        self._id = connection_id
        self._client_gone = client_gone
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
        around = self._around
        method = head.method.decode("ascii")
        path, query = split_target(head.target.decode("ascii"))
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
        target = around.app.find(method, path)
        record = around.recorder.start(
            kind=target.kind,
            time_ms=around.clock.now(),
            connection_id=self._id,
            method=method,
            path=path,
            query=query,
            headers=headers,
        )
        fault = None
        length = headers.get("content-length", "")
        declared = int(length) if length.isdigit() else None
        if record.kind != CONTROL:
            raw = head.target.decode("ascii").partition("?")[2]
            fault = around.faults.take(Hit(record.number, method, path, raw, record.kind, declared))
        if fault is not None:
            record.fault = fault.number
            around.recorder.count(f"fault_{fault.action}")
        striker = Striker(fault, record.number, self._client_gone)
        body = Body(self._http, self._next_event, self._send_continue, record=record, striker=striker, length=declared)
        request = Request(method, path, query, headers, body, record)
        try:
            await self._answer(target, request, body, striker)
        except (DropConnectionError, OSError, h11.ProtocolError):
            record.dropped = True
            around.recorder.count("dropped")
            raise
        finally:
            if around.log is not None:
                around.log(record)

    async def _answer(self, target: Target, request: Request, body: Body, striker: Striker) -> None:
        record, fault = request.record, striker.fault
        response = await self._respond(target, request, body, striker)
        record.status = response.status
        if record.kind != CONTROL:
            self._around.recorder.count(f"status_{response.status}")
        refused = body.refused
        if refused:
            # It was never told to send its body, and may or may not do so now: nothing after it could be understood.
            response.close = True
        if fault is not None and (fault.action == "cut" or fault.when == "mid_reply"):
            await self._send_half(response, fault, striker)
        else:
            drip = fault if fault is not None and fault.action == "drip" else None
            await self._send(response, drip, bare=request.method == "HEAD" or response.status in _WITHOUT_BODY)
        if fault is not None and (fault.when == "after_reply" or fault.then_reset):
            raise DropConnectionError(reset=fault.action != "close")
        if not body.finished and not refused:
            # The answer came before the end of the body. Reading on lets the client see it instead of a reset.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LINGER_S):
                    await body.discard()

    async def _respond(self, target: Target, request: Request, body: Body, striker: Striker) -> Response:
        """Make the answer, letting the fault strike at its moment."""
        replaced = None
        if striker.at("before_body"):
            replaced = await striker.strike()
        elif striker.at("after_body") and striker.holds:
            await self._hold_before_commit(target, request, striker)
        elif striker.at("after_body"):
            with contextlib.suppress(HttpError):
                await target.receive(request)
            await body.discard()
            replaced = await striker.strike()
        if replaced is not None:
            return replaced
        response = await self._handle(target, request)
        fault = striker.fault
        if fault is not None and fault.when == "after_commit":
            if fault.action == "rewrite":
                fault.rewrite(response)
            elif fault.action not in {"cut", "drip"}:
                return await striker.strike() or response
        return response

    @staticmethod
    async def _hold_before_commit(target: Target, request: Request, striker: Striker) -> None:
        """Hold a request that may go on later: its body is kept, on disk if it is an upload."""
        if request.record.kind == UPLOAD:
            request.before_commit = striker.strike
            return
        with contextlib.suppress(HttpError):
            await target.receive(request)
            await request.read()
        await striker.strike()

    async def _handle(self, target: Target, request: Request) -> Response:
        try:
            return await target.answer(request)
        except HttpError as error:
            return error.response()
        except (OSError, DropConnectionError, h11.ProtocolError):
            raise
        except Exception as error:  # noqa: BLE001 - a bug must not look like a dropped connection
            # Such as a test's own reject_if that fails. The client gets an answer, the test a trace.
            _log.exception("The sandbox failed on %s %s", request.method, request.path)
            return error_response(HTTPStatus.INTERNAL_SERVER_ERROR, f"The sandbox failed: {error!r}")

    async def _send_continue(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            self._write(h11.InformationalResponse(status_code=HTTPStatus.CONTINUE, headers=[]))
            await self._writer.drain()

    async def _send(self, response: Response, drip: Fault | None = None, *, bare: bool = False) -> None:
        """Send an answer; ``bare``: its head only, as HTTP wants it for some methods and statuses."""
        if bare or (drip is None and isinstance(response.body, bytes)):
            # In one piece: a second system call would cost as much as all the rest of a small answer.
            content = [] if bare or isinstance(response.body, Path) else [h11.Data(data=response.body)]
            self._write(self._head(response), *content, h11.EndOfMessage())
        else:
            self._write(self._head(response))
            if drip is not None:
                await self._send_in_drops(response, drip)
            elif isinstance(response.body, Path):
                await self._send_file(response.body)
            self._write(h11.EndOfMessage())
        await self._writer.drain()

    async def _send_in_drops(self, response: Response, drip: Fault) -> None:
        body = response.whole()
        for start in range(0, len(body), drip.piece_bytes):
            self._write(h11.Data(data=body[start : start + drip.piece_bytes]))
            await self._writer.drain()
            await drip.pause()

    async def _send_file(self, path: Path) -> None:
        with path.open("rb") as file:
            while piece := file.read(READ_BYTES):
                self._write(h11.Data(data=piece))
                await self._writer.drain()

    async def _send_half(self, response: Response, fault: Fault, striker: Striker) -> None:
        """Send a part of the answer, let the fault strike, and send the rest if it lets us."""
        body = response.whole()
        keep = len(body) // 2 if fault.keep_bytes is None else fault.keep_bytes
        self._write(self._head(response))
        self._write(h11.Data(data=body[:keep]))
        await self._writer.drain()
        if fault.action == "cut":
            raise DropConnectionError(reset=False)
        await striker.strike()
        self._write(h11.Data(data=body[keep:]))
        self._write(h11.EndOfMessage())
        await self._writer.drain()

    def _head(self, response: Response) -> h11.Response:
        length = response.body.stat().st_size if isinstance(response.body, Path) else len(response.body)
        headers = [("Content-Length", str(length)), *response.headers]
        if response.content_type is not None:
            headers.append(("Content-Type", response.content_type))
        if response.close:
            headers.append(("Connection", "close"))
        return h11.Response(
            status_code=response.status,
            reason=_REASONS.get(response.status, b""),
            headers=[(name.encode("ascii"), value.encode("latin-1")) for name, value in headers],
        )

    def _write(self, *events: h11.Event) -> None:
        data = b"".join(self._http.send(event) or b"" for event in events)
        if data:
            self._writer.write(data)
