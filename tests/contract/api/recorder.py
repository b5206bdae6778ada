"""A server that keeps each request byte for byte, headers with secrets included, and answers what it is told.

For what the sandbox hides (it keeps no secrets) or cannot be: another server, a proxy.
"""

from __future__ import annotations

import socketserver
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Received:
    """One request."""

    line: str
    headers: dict[str, str]
    body: bytes


def http(body: bytes, *, status: str = "200 OK", content_type: str = "application/json", **headers: str) -> bytes:
    """Write a reply; underscores in header names stand for hyphens."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", f"Content-Type: {content_type}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


#: The API's answer to any request for one thing.
THING = http(b'{"status": "ok", "data": {"id": "1", "name": "thing", "status": "PENDING"}}')


class Recorder:
    """Serves in threads of its own; ``answer`` makes the reply, none at all if it gives no bytes."""

    def __init__(self, answer: Callable[[Received], bytes] = lambda _: THING) -> None:
        recorder = self
        self.requests: list[Received] = []
        self.connections = 0

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                recorder.connections += 1
                line = self.rfile.readline().decode().strip()
                if not line:
                    return
                headers: dict[str, str] = {}
                while text := self.rfile.readline().decode("latin-1").rstrip("\r\n"):
                    name, _, value = text.partition(":")
                    headers[name.lower()] = value.strip()
                body = self.rfile.read(int(headers.get("content-length", "0")))
                received = Received(line, headers, body)
                recorder.requests.append(received)
                self.wfile.write(answer(received))

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://{self.address}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
