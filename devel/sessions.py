"""Ending whole process sessions.

Every component of the Airflow under test leads a session of its own. Its process group alone is not enough: Airflow
puts each task into a group of its own, and a task whose supervisor was killed goes on running. They all stay in the
session.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PROC = Path("/proc")


def _living_pids() -> list[int]:
    """Return the ids of all processes that still run: a zombie is dead, whoever has not collected it yet."""
    if (_PROC / "self/stat").exists():
        return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit() and not _is_zombie(entry)]
    listing = subprocess.run(["ps", "-A", "-o", "pid=,stat="], check=True, capture_output=True, text=True).stdout
    rows = (line.split() for line in listing.splitlines())
    return [int(pid) for pid, state in rows if not state.startswith("Z")]


def _is_zombie(entry: Path) -> bool:
    try:
        # "pid (name) state ...": the name may hold spaces and parentheses.
        return (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return True


def session_members(leader: int) -> list[int]:
    """Return the ids of the living processes of the session that ``leader`` leads, or led before it died."""
    members = []
    for pid in _living_pids():
        with contextlib.suppress(OSError):
            if os.getsid(pid) == leader:
                members.append(pid)
    return members


def signal_session(leader: int, signum: signal.Signals) -> None:
    """Send a signal to every process of a session, its leader first."""
    for pid in sorted(session_members(leader), key=lambda pid: pid != leader):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signum)


def end_sessions(leaders: Iterable[int], *, grace_s: float) -> list[int]:
    """Ask the leaders to stop, and after ``grace_s`` seconds kill what is left of their sessions.

    A leader that is frozen is woken first, otherwise it would never see the request. Returns the leaders whose
    session had to be killed.
    """
    waiting = set(leaders)
    for leader in waiting:
        signal_session(leader, signal.SIGCONT)
        with contextlib.suppress(ProcessLookupError):
            os.kill(leader, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while waiting := {leader for leader in waiting if session_members(leader)}:
        if time.monotonic() >= deadline:
            break
        time.sleep(0.1)
    for leader in waiting:
        kill_session(leader)
    return sorted(waiting)


def kill_session(leader: int) -> None:
    """Kill a whole session with SIGKILL, again until nothing is left: its processes may be forking meanwhile."""
    deadline = time.monotonic() + 10
    while session_members(leader):
        signal_session(leader, signal.SIGKILL)
        if time.monotonic() >= deadline:
            raise TimeoutError(f"processes {session_members(leader)} of session {leader} outlive SIGKILL")
        time.sleep(0.02)
