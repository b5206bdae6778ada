"""The listening socket, and how its connections end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import struct
from typing import TYPE_CHECKING, Final

import h11

from airflow_provider_mics.sandbox.body import DropConnectionError
from airflow_provider_mics.sandbox.connection import READ_BYTES, Connection, Surroundings

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

#: How long a connection that ends waits for the client to end its side, seconds.
_LAST_WORDS_S: Final = 2


class Server:
    """The listening socket and its connections; lives on one event loop."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._ids = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int, ssl_context: ssl.SSLContext | None) -> int:
        """Listen; returns the port, which the system chose if it was 0."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Protocol(loop, self._connected), host, port, ssl=ssl_context, backlog=512
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

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client_gone: asyncio.Event
    ) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._surroundings.recorder.count("connections")
        connection = Connection(self._surroundings, reader, writer, next(self._ids), client_gone)
        try:
            await connection.serve()
        except DropConnectionError as drop:
            if drop.reset:
                _reset_on_close(writer)
            else:
                await _end(reader, writer)
        except (OSError, h11.ProtocolError):
            # The client went away; nobody is left to be told.
            pass
        except asyncio.CancelledError:
            # Only ``stop`` cancels connections. Swallowed: asyncio would log it as an error of the callback.
            writer.transport.abort()
        finally:
            await _close(writer)


class _Protocol(asyncio.StreamReaderProtocol):
    """Streams, which also tell when the client ends its side, be it before all it sent was read.

    Noticed while there is room for what it sent: a client that dies in the middle of a big body that nobody reads is
    not seen to be dead until somebody does.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connected: Callable[[asyncio.StreamReader, asyncio.StreamWriter, asyncio.Event], Awaitable[None]],
    ) -> None:
        self.client_gone = asyncio.Event()
        reader = asyncio.StreamReader(limit=READ_BYTES, loop=loop)
        super().__init__(reader, lambda reader, writer: connected(reader, writer, self.client_gone), loop=loop)

    def eof_received(self) -> bool | None:
        self.client_gone.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.client_gone.set()
        super().connection_lost(exc)


def _reset_on_close(writer: asyncio.StreamWriter) -> None:
    """Make the end of the connection a TCP reset: lingering for no time throws unsent data away."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """End our side in order, and read until the client ends its own: unread bytes would make the end a reset."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_LAST_WORDS_S):
            await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
                while await reader.read(READ_BYTES):
                    pass


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, asyncio.CancelledError, TimeoutError):
        # A TLS client that does not answer the end of the connection must not keep it.
        await asyncio.wait_for(writer.wait_closed(), _LAST_WORDS_S)
