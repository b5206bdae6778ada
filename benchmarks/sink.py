"""A server that takes uploads as fast as a process can, and throws them away: the same for all competitors.

``python -m benchmarks.sink`` prints its address and serves until its input ends. It answers the calls that a load
makes, in the form of the API; executions have succeeded as soon as they are there. Without TLS and without
``--count``, bodies are dropped by the kernel and never copied.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measuring import MEGA, REPOSITORY, python
from benchmarks.programs import DOCUMENT_IMPORT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LINE_END: Final = ord("\n")
_BLOCK: Final = 1024 * 1024
_THROTTLED_BLOCK: Final = 64 * 1024
#: Time that a throttled link may make up for, in s: sleeping is not exact.
_SLACK_S: Final = 0.02
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RESOURCE: Final = {
    "id": DOCUMENT_IMPORT,
    "name": "Benchmark",
    "document_type": "USER_PROFILE",
    "mime_type": "APPLICATION_X_NDJSON",
    "encoding": "utf-8",
}


class Link:
    """Lets so many bytes a second through."""

    def __init__(self, bytes_per_s: float) -> None:
        self._rate = bytes_per_s
        self._free_at = 0.0
        self._lock = threading.Lock()

    def carry(self, size: int) -> None:
        """Take as long as the bytes take."""
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now - _SLACK_S) + size / self._rate
            ahead_s = self._free_at - now
        if ahead_s > 0:
            time.sleep(ahead_s)


class Executions:
    """What was uploaded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[dict[str, Any]] = []

    def add(self, lines: int) -> dict[str, Any]:
        """Take note of one."""
        with self._lock:
            made = {
                "id": str(len(self._all) + 1),
                "status": "SUCCEEDED",
                "parameters": {"number_of_lines": lines},
                "result": {"total_success": lines, "total_failure": 0},
                "creation_date": int(time.time() * 1000),
            }
            self._all.append(made)
        return made

    def answer(self, path: str) -> dict[str, Any]:
        """Answer a GET."""
        path, _, query = path.partition("?")
        if path.endswith("/executions"):
            first, most = (int(re.search(rf"{name}=(\d+)", query)[1]) if name in query else default  # type: ignore[index]
                           for name, default in (("first_result", 0), ("max_results", 50)))  # fmt: skip
            newest = self._all[::-1]
            return {"status": "ok", "data": newest[first : first + most], "total": len(newest), "max_results": most}
        if path.rpartition("/")[0].endswith("/executions"):
            return {"status": "ok", "data": self._all[int(path.rpartition("/")[2]) - 1]}
        return {"status": "ok", "data": _RESOURCE}


class Conversation:
    """Serves one connection."""

    def __init__(self, connection: socket.socket, executions: Executions, link: Link | None, *, count: bool) -> None:
        self._connection = connection
        self._executions = executions
        self._link = link
        self._count = count
        self._buffer = bytearray(_THROTTLED_BLOCK if link else _BLOCK)
        is_plain = not isinstance(connection, ssl.SSLSocket)
        self._flags = socket.MSG_TRUNC if is_plain and not count else 0
        self._rest = b""

    def serve(self) -> None:
        """Answer requests until the client goes."""
        while head := self._head():
            method, path, _ = head.split(b" ", 2)
            length = _LENGTH.search(head)
            if b"100-continue" in head.lower():
                self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            lines = self._body(int(length[1]) if length else 0)
            is_upload = path.endswith(b"/executions") and method != b"GET"
            answer = (
                {"status": "ok", "data": self._executions.add(lines)}
                if is_upload
                else self._executions.answer(path.decode())
            )
            body = json.dumps(answer).encode()
            reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            self._connection.sendall(reply + body)

    def _head(self) -> bytes:
        while b"\r\n\r\n" not in self._rest:
            more = self._connection.recv(_THROTTLED_BLOCK)
            if not more:
                return b""
            self._rest += more
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        return head

    def _body(self, left: int) -> int:
        content, self._rest = self._rest[:left], self._rest[left:]
        left -= len(content)
        lines = content.count(b"\n")
        buffer, link, receive = self._buffer, self._link, self._connection.recv_into
        while left:
            # TLS takes no flags, not even none.
            size = receive(buffer, min(left, len(buffer)), *([self._flags] if self._flags else []))
            if not size:
                raise ConnectionError
            left -= size
            if self._count:
                # Three times as fast as to count the character.
                lines += len(io.BytesIO(memoryview(buffer)[:size]).readlines()) - (buffer[size - 1] != _LINE_END)
            if link:
                link.carry(size)
        return lines


def serve(certificate: str | None, bytes_per_s: float, *, per_connection: bool, count: bool) -> None:
    """Serve until standard input ends."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    executions = Executions()
    shared = Link(bytes_per_s) if bytes_per_s and not per_connection else None

    def talk(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            spoken = context.wrap_socket(connection, server_side=True) if context else connection
            link = Link(bytes_per_s) if bytes_per_s and per_connection else shared
            with contextlib.closing(spoken):
                Conversation(spoken, executions, link, count=count).serve()

    def accept() -> None:
        while True:
            connection, _ = listening.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        if bytes_per_s:
            # What is in the kernel's hands has not been carried.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2 * _THROTTLED_BLOCK)
        threading.Thread(target=accept, daemon=True).start()
        scheme = "https" if context else "http"
        sys.stdout.write(f"{scheme}://127.0.0.1:{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        sys.stdin.read()


@contextlib.contextmanager
def running(
    *, certificate: Path | None = None, mb_per_s: float = 0, per_connection: bool = False, count: bool = False
) -> Iterator[str]:
    """Run a sink in a process of its own, and give its address.

    :param certificate: File of a certificate and its key; None: without TLS.
    :param mb_per_s: How fast it takes what is sent; 0: as fast as it can.
    :param per_connection: Whether each connection has that speed, or all of them together.
    :param count: Whether it counts the lines, which a verdict needs.
    """
    command = python("benchmarks.sink", "--bytes-per-s", mb_per_s * MEGA)
    command += ["--certificate", str(certificate)] if certificate else []
    command += ["--per-connection"] if per_connection else []
    command += ["--count"] if count else []
    with subprocess.Popen(  # noqa: S603 - ourselves
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - a pipe
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def certificates(folder: Path) -> tuple[Path, Path]:
    """Write a server's certificate and that of the authority that vouches for it."""
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    server = authority.issue_cert("127.0.0.1", "localhost")
    server.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    return folder / "server.pem", folder / "authority.pem"


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--certificate")
    parser.add_argument("--bytes-per-s", type=float, default=0)
    parser.add_argument("--per-connection", action="store_true")
    parser.add_argument("--count", action="store_true")
    options = parser.parse_args()
    serve(options.certificate, options.bytes_per_s, per_connection=options.per_connection, count=options.count)


if __name__ == "__main__":
    main()
