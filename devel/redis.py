"""A Redis server of one's own: in memory only, on a free port of the loopback, ended in any case."""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

from devel.airflow_settings import LOOPBACK
from devel.server_process import ServerProcess, free_port

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM: Final = "redis-server"


def missing() -> str | None:
    """Return why it cannot be run, or None."""
    return None if shutil.which(_PROGRAM) else "no Redis server is installed (Debian: redis-server)"


class Redis:
    """A running server, within ``with``.

    :param folder: For the log; Redis itself writes nothing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cleanup = ExitStack()
        self.port = 0

    def __enter__(self) -> Self:
        self.port = free_port()
        # No file with settings, no files with data.
        settings = {"port": self.port, "bind": LOOPBACK, "save": "", "appendonly": "no", "dir": self._folder}
        command = [_PROGRAM, *(word for name, value in settings.items() for word in (f"--{name}", str(value)))]
        with ExitStack() as cleanup:
            cleanup.enter_context(
                ServerProcess(
                    command,
                    log=self._folder / "redis.log",
                    is_ready=self._answers,
                    options={"cwd": self._folder, "env": {"PATH": os.environ.get("PATH", os.defpath)}},
                )
            )
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._cleanup.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    def _answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False
