"""Ends what a dead parent left behind.

A test run that is killed with SIGKILL runs no ``finally`` and no ``atexit``, and the Airflow it had started would stay
for ever. So it starts this first, and tells it by a pipe which sessions exist ("+123") and which have ended ("-123").
When the pipe closes, however the parent ended, the sessions that are left end too.

Run as ``python -m devel.watchdog``.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

from devel.sessions import end_sessions

_GRACE_S = 3.0


class Watchdog:
    """The parent's end of the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "devel.watchdog"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            cwd=Path(__file__).resolve().parents[1],
        )

    def watch(self, leader: int) -> None:
        """Put a session into the watchdog's care."""
        self._tell(f"+{leader}\n")

    def forget(self, leader: int) -> None:
        """Say that a session has ended: its number may be given to another process."""
        self._tell(f"-{leader}\n")

    def _tell(self, line: str) -> None:
        if self._process.stdin is None:  # pragma: no cover - it was asked for
            raise RuntimeError("the watchdog has no pipe")
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()

    def close(self) -> None:
        """Close the pipe and wait: whatever is still in the watchdog's care is ended by it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=_GRACE_S + 30)


def main() -> None:
    """Keep the list of sessions until the pipe closes, then end them."""
    # A Ctrl-C goes to the parent, which stops everything in order; this must outlive it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leaders: set[int] = set()
    for line in sys.stdin:
        leader = int(line[1:])
        if line.startswith("+"):
            leaders.add(leader)
        else:
            leaders.discard(leader)
    end_sessions(leaders, grace_s=_GRACE_S)


if __name__ == "__main__":
    main()
