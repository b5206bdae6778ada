"""The server in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

from airflow_provider_mics.sandbox.server import Server

if TYPE_CHECKING:
    import ssl

    from airflow_provider_mics.sandbox.connection import Surroundings


class ServerThread:
    """A server, its event loop and the thread of both."""

    def __init__(self, surroundings: Surroundings, host: str, port: int, ssl_context: ssl.SSLContext | None) -> None:
        self._surroundings = surroundings
        self._host, self._port = host, port
        self._ssl_context = ssl_context
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_event: asyncio.Event | None = None
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._url = ""

    def start(self) -> str:
        """Listen; returns the base URL once requests are answered.

        :raises OSError: it cannot listen there.
        """
        self._thread = threading.Thread(target=self._run, name="mics-sandbox", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        return self._url

    def stop(self) -> None:
        """End every connection and the thread; may be called again."""
        if self._thread is not None:
            if self._loop is not None and self._stop_event is not None:
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._stop_event.set)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that called start
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        server = Server(self._surroundings)
        self._loop, self._stop_event = asyncio.get_running_loop(), asyncio.Event()
        port = await server.start(self._host, self._port, self._ssl_context)
        scheme = "http" if self._ssl_context is None else "https"
        host = f"[{self._host}]" if ":" in self._host else self._host
        self._url = f"{scheme}://{host}:{port}"
        self._started.set()
        try:
            await self._stop_event.wait()
        finally:
            await server.stop()
