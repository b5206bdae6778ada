"""Measuring commands: each in a fresh process, competitors in turn, figures as ratios taken round by round."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from benchmarks.programs import high_water

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

REPOSITORY: Final = Path(__file__).resolve().parents[1]
MEGA: Final = 1_000_000
GIGA: Final = 1_000_000_000
#: Time between two looks at the memory of a command's processes, in s.
_LOOK_S: Final = 0.01


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """What one run of a command took.

    :param wall_s: From its start to its end.
    :param cpu_s: User and system time, its own and that of the processes it has waited for.
    :param peak_bytes: Most memory that its living processes had together, each with its own peak (VmHWM).
    :param told: What it said of itself: a JSON object in the last line of its output.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    told: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Spread:
    """A median, and what it lies between."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Return that of some values."""
        known = sorted(values)
        return cls(statistics.median(known), known[0], known[-1])

    def text(self, digits: int = 2) -> str:
        """Return it for a table."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f} - {self.high:.{digits}f})"


def python(module: str, *arguments: object) -> list[str]:
    """Return the command that runs a module of this repository."""
    return [sys.executable, "-W", "ignore", "-m", module, *map(str, arguments)]


def run(command: Sequence[str], *, environ: Mapping[str, str] | None = None, cwd: Path = REPOSITORY) -> Run:
    """Run a command and measure it.

    :raises RuntimeError: It failed.
    """
    begun = time.perf_counter()
    # Its output goes to a pipe that is read at the end: it must be short.
    process = subprocess.Popen(  # noqa: S603 - our own commands
        command,
        cwd=cwd,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with _Memory(process.pid) as memory:
        _, status, used = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    said, complained = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)[:300]} ended with code {process.returncode}:\n{complained[-3000:]}")
    last = said.rstrip().rpartition("\n")[2]
    told = json.loads(last) if last.startswith("{") else {}
    return Run(wall_s, used.ru_utime + used.ru_stime, max(memory.peak, told.get("peak_bytes", 0)), told)


def started(*imported: str) -> Spread:
    """Return what an interpreter takes that imports some modules and does nothing, in s."""
    code = "; ".join(f"import {name}" for name in imported) or "pass"
    return Spread.of(run([sys.executable, "-c", code]).wall_s for _ in range(5))


def in_turn(competitors: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, list[Run]]:
    """Let each competitor run once in each round, after one round that warms up and does not count."""
    runs: dict[str, list[Run]] = {name: [] for name in competitors}
    for number in range(rounds + 1):
        say(f"  round {number} of {rounds}" if number else "  warming up")
        for name, compete in competitors.items():
            measured = compete()
            if number:
                runs[name].append(measured)
    return runs


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Return what each round says of two competitors."""
    return Spread.of(a / b for a, b in zip(ours, theirs, strict=True))


def column(runs: Sequence[Run], name: str) -> list[float]:
    """Return one figure of several runs: a field of :class:`Run`, or what they told."""
    return [float(getattr(item, name) if hasattr(item, name) else item.told[name]) for item in runs]


def say(text: str) -> None:
    """Tell who waits."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


class _Memory:
    """Watches the memory of a process and of all below it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        before: set[int] = set()
        while not self._is_over.wait(_LOOK_S):
            now = set(_family(self._pid))
            # Between fork and exec a process looks as large as the one it comes from.
            self.peak = max(self.peak, sum(map(high_water, now & before)))
            before = now


def _family(pid: int) -> list[int]:
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                for child in (task / "children").read_text().split():
                    found += _family(int(child))
    return found
