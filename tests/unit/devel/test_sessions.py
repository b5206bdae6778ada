from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devel.sessions import end_sessions, kill_session, session_members, signal_session
from devel.waiting import wait_until
from devel.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[3]
# A leader whose child has left its process group, as Airflow's tasks do, and lives longer than it.
FAMILY = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0)
print("ready", flush=True)
time.sleep(600)
"""
# One that does not stop when it is asked.
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
)


def start(code: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdout.close()
    return process


@pytest.fixture
def family() -> Iterator[subprocess.Popen[str]]:
    with start(FAMILY) as process:
        yield process
        kill_session(process.pid)


def test_a_child_in_a_group_of_its_own_is_a_member(family: subprocess.Popen[str]) -> None:
    assert len(session_members(family.pid)) == 2
    assert family.pid in session_members(family.pid)


def test_killing_reaches_the_child_of_a_dead_leader(family: subprocess.Popen[str]) -> None:
    family.kill()
    family.wait()
    assert len(session_members(family.pid)) == 1
    kill_session(family.pid)
    assert session_members(family.pid) == []


def test_a_frozen_session_is_ended_too(family: subprocess.Popen[str]) -> None:
    signal_session(family.pid, signal.SIGSTOP)
    end_sessions([family.pid], grace_s=0.5)
    assert session_members(family.pid) == []


def test_who_does_not_stop_when_asked_is_killed_and_named() -> None:
    with start(STUBBORN) as process:
        assert end_sessions([process.pid], grace_s=0.3) == [process.pid]
        assert process.wait(timeout=5) < 0


def test_the_watchdog_ends_what_a_killed_parent_left() -> None:
    # The parent tells the watchdog of a family, says its number, and is killed with SIGKILL.
    code = f"""
import subprocess, sys, time
from devel.watchdog import Watchdog
family = subprocess.Popen([sys.executable, "-c", {FAMILY!r}], start_new_session=True, stdout=subprocess.PIPE)
family.stdout.readline()
watchdog = Watchdog()
watchdog.watch(family.pid)
print(family.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as parent:
        assert parent.stdout is not None
        leader = int(parent.stdout.readline())
        assert len(session_members(leader)) == 2
        parent.kill()
    wait_until(lambda: not session_members(leader), what="family ended", timeout_s=15)


def test_the_watchdog_leaves_alone_what_it_was_told_to_forget(family: subprocess.Popen[str]) -> None:
    watchdog = Watchdog()
    watchdog.watch(family.pid)
    watchdog.forget(family.pid)
    watchdog.close()
    assert len(session_members(family.pid)) == 2


def test_a_wait_that_fails_says_what_it_saw() -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError, match=r"the moon: not within 0.1 s; last seen: clouds"):
        wait_until(lambda: None, what="the moon", timeout_s=0.1, interval_s=0.01, last_seen=lambda: "clouds")
    assert time.monotonic() - started < 5
