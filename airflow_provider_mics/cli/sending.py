"""A bar of bytes and lines of what is being sent. It watches from outside: who sends knows nothing of it."""

from __future__ import annotations

import collections
import contextlib
import threading
from typing import TYPE_CHECKING

from airflow_provider_mics.bulk.lines import LineCounter
from airflow_provider_mics.bulk.planning import PlannedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_mics.bulk.files import Reader, SourceFile
    from airflow_provider_mics.bulk.parts import Part
    from airflow_provider_mics.bulk.planning import Plan
    from airflow_provider_mics.cli.screen import Screen

    Delivery = tuple[Iterator[tuple[Part, SourceFile]], Callable[[SourceFile], None]]


@contextlib.contextmanager
def sending(plan: Plan, screen: Screen) -> Iterator[Delivery]:
    """Give what :meth:`Plan.delivery` gives, with a bar while it is sent, which is gone afterwards."""
    with plan.delivery() as (parts, discard), contextlib.ExitStack() as stack:
        if not screen.shows_progress:
            yield parts, discard
            return
        # What compressed files hold is not known before.
        is_known = all(isinstance(item, PlannedFile) for item in plan.sources)
        bar = stack.enter_context(_bar(sum(part.size for part, _ in plan.planned) if is_known else None, screen))

        def discard_source(file: SourceFile) -> None:
            discard(file.source if isinstance(file, SentFile) else file)

        yield ((part, SentFile(file, bar)) for part, file in parts), discard_source


@contextlib.contextmanager
def _bar(size: int | None, screen: Screen) -> Iterator[Callable[[int, int], None]]:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[lines]:,} lines"),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=screen.aside, transient=True) as bar:
        task = bar.add_task("Sending", total=size, lines=0)
        sent = collections.Counter[str]()
        # Parts are sent by several threads.
        lock = threading.Lock()

        def move(size: int, lines: int) -> None:
            with lock:
                sent.update(bytes=size, lines=lines)
                bar.update(task, completed=sent["bytes"], lines=sent["lines"])

        yield move


class SentFile:
    """The file of one part, that tells how much of it is being sent.

    :param move: Called with bytes and lines read; less than 0 if they are read again.
    """

    def __init__(self, file: SourceFile, move: Callable[[int, int], None]) -> None:
        self.source = file
        self._move = move
        self._bytes = self._lines = 0
        self.name = file.name
        self.size = file.size
        self.version = file.version

    def open(self) -> Reader:
        """Open it anew: what was sent of it before does not count."""
        self._move(-self._bytes, -self._lines)
        self._bytes = self._lines = 0
        return _SentReader(self.source.open(), self)

    def read_range(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to before ``end``; they are not sent."""
        return self.source.read_range(start, end)

    def check_unchanged(self) -> None:
        """Raise if it is no longer the file that was first looked at."""
        self.source.check_unchanged()

    def moved(self, size: int, lines: int) -> None:
        """Take note of what a reader has read."""
        self._bytes += size
        self._lines += lines
        self._move(size, lines)


class _SentReader:
    def __init__(self, reader: Reader, file: SentFile) -> None:
        self._reader = reader
        self._file = file
        self._counter = LineCounter()

    def seek(self, offset: int, /) -> None:
        self._reader.seek(offset)

    def read(self, size: int, /) -> bytes:
        content = self._reader.read(size)
        before = self._counter.count
        self._counter.feed(content)
        self._file.moved(len(content), self._counter.count - before)
        return content

    def close(self) -> None:
        self._reader.close()
