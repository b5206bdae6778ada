from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devel.airflow_settings import LOOPBACK
from devel.server_process import ServerProcess, free_port
from devel.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).resolve().parents[3]


def answers(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def server(port: int) -> list[str]:
    return [sys.executable, "-m", "http.server", "--bind", LOOPBACK, str(port)]


def as_soon_as_it_answers(port: int) -> Callable[[], bool]:
    return lambda: answers(port)


def test_a_server_answers_within_the_block_and_not_after_it(tmp_path: Path) -> None:
    port = free_port()

    with ServerProcess(server(port), log=tmp_path / "log", is_ready=as_soon_as_it_answers(port)):
        assert answers(port)

    assert not answers(port)


def test_a_server_that_ends_by_itself_is_an_error_with_what_it_said(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such option')"]

    with (
        pytest.raises(RuntimeError, match=r"(?s)ended with code 1.*no such option"),
        ServerProcess(command, log=tmp_path / "log", is_ready=lambda: False),
    ):
        pass


def test_a_server_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    port = free_port()
    parent = f"""
import os, pathlib, signal
from devel.server_process import ServerProcess

server = ServerProcess({server(port)}, log=pathlib.Path({str(tmp_path / "log")!r}), is_ready=lambda: True)
server.__enter__()
print("started", flush=True)
signal.pause()
"""
    with subprocess.Popen([sys.executable, "-c", parent], cwd=REPOSITORY, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        wait_until(lambda: answers(port), what="an answer", timeout_s=30)
        process.kill()

    wait_until(lambda: not answers(port), what="the end of the server", timeout_s=30)
