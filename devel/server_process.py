"""A server of one's own as a process, ended in any case."""

from __future__ import annotations

import signal
import socket
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from devel.airflow_settings import LOOPBACK
from devel.sessions import end_sessions
from devel.waiting import wait_until
from devel.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


class ServerProcess:
    """A program that runs within ``with``, and not longer than this process, however that ends.

    :param command: The program and its arguments.
    :param log: File its output is appended to.
    :param is_ready: Tells whether it serves; asked until it does.
    :param end_with: Signal that asks it to end.
    :param options: More arguments of ``subprocess.Popen``.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        is_ready: Callable[[], bool],
        end_with: signal.Signals = signal.SIGTERM,
        start_timeout_s: float = 60,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._command = list(command)
        self._log = log
        self._is_ready = is_ready
        self._end_with = end_with
        self._start_timeout_s = start_timeout_s
        self._options = dict(options or {})
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as cleanup:
            watchdog = Watchdog()
            cleanup.callback(watchdog.close)
            with self._log.open("ab") as log:
                process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    **self._options,
                )
            watchdog.watch(process.pid)
            cleanup.callback(self._end, process, watchdog)

            def ready() -> bool:
                if process.poll() is not None:
                    said = self._log.read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{self._command[0]} ended with code {process.returncode}:\n{said}")
                return self._is_ready()

            wait_until(ready, what=f"{self._command[0]} ready", timeout_s=self._start_timeout_s, interval_s=0.05)
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._cleanup.close()

    def _end(self, process: subprocess.Popen[bytes], watchdog: Watchdog) -> None:
        if process.poll() is None:
            process.send_signal(self._end_with)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                end_sessions([process.pid], grace_s=0)
        process.wait(timeout=10)
        watchdog.forget(process.pid)


def free_port() -> int:
    """Return a free port of the loopback."""
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        return int(free.getsockname()[1])
