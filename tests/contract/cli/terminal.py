"""A terminal: what a command writes to it, and what is then to be seen on it."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TOKEN: Final = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|\r|\n|[^\r\n\x1b]+")
_ROWS: Final = 40


class Seen(NamedTuple):
    """What came of a command.

    :param written: All that it wrote.
    :param screen: What is left on the screen, line by line.
    """

    code: int
    written: str
    screen: list[str]


def run_on_terminal(command: Sequence[str], env: Mapping[str, str], *, columns: int = 120, typed: str = "") -> Seen:
    """Run a command on a terminal of its own.

    :param typed: What is typed on it, ahead of being asked for.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
    environment = {**env, "TERM": "xterm-256color"}
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "CI"):
        environment.pop(name, None)
    with subprocess.Popen(  # noqa: S603
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        written = _read(ours).decode()
    os.close(ours)
    return Seen(process.returncode, written, screen(written))


def _read(terminal: int) -> bytes:
    blocks: list[bytes] = []
    while True:
        try:
            block = os.read(terminal, 65536)
        except OSError as error:
            # Linux's way of saying that nobody holds the other end any more.
            if error.errno == errno.EIO:
                return b"".join(blocks)
            raise
        if not block:
            return b"".join(blocks)
        blocks.append(block)


def screen(written: str) -> list[str]:
    """Return what is to be seen after all this has been written; a screen without end, that knows what rich uses."""
    lines = [""]
    row = column = 0
    for token in _TOKEN.finditer(written):
        text, action = token.group(), token.group(2)
        if action == "A":
            row = max(0, row - int(token.group(1) or 1))
        elif action == "K":
            lines[row] = "" if token.group(1) == "2" else lines[row][:column]
        elif text == "\r":
            column = 0
        elif text == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif not action:
            lines[row] = lines[row].ljust(column)[:column] + text + lines[row][column + len(text) :]
            column += len(text)
    return [line.rstrip() for line in lines]
