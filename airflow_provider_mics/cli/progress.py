"""A bar of the bytes of files that have been read. It watches from outside: who reads them knows nothing of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_mics.bulk.files import Reader, SourceFile
    from airflow_provider_mics.cli.screen import Screen

#: Bytes between two looks at the bar.
_STEP: Final = 1024 * 1024


@contextlib.contextmanager
def watched(files: Sequence[SourceFile], screen: Screen, doing: str) -> Iterator[Sequence[SourceFile]]:
    """Give the files to be read, with a bar while they are, which is gone afterwards.

    :param doing: What is done, for the bar.
    """
    if not screen.shows_progress:
        yield files
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen.aside, transient=True) as bar:
        task = bar.add_task(doing, total=sum(file.size for file in files))

        def advance(count: int) -> None:
            bar.update(task, advance=count)

        yield [WatchedFile(file, advance) for file in files]


class WatchedFile:
    """A file that tells how far it has been read; what is read again does not count.

    :param advance: Called with the number of bytes that were read for the first time.
    """

    def __init__(self, file: SourceFile, advance: Callable[[int], None]) -> None:
        self._file = file
        self._advance = advance
        self._furthest = 0
        self.name = file.name
        self.size = file.size
        self.version = file.version

    def open(self) -> Reader:
        """Open it anew."""
        return _WatchedReader(self._file.open(), self)

    def read_range(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to before ``end``; looking ahead is not counted."""
        return self._file.read_range(start, end)

    def check_unchanged(self) -> None:
        """Raise if it is no longer the file that was first looked at."""
        self._file.check_unchanged()

    def reached(self, position: int) -> None:
        """Take note of how far a reader has come."""
        if position - self._furthest >= _STEP or position >= self.size > self._furthest:
            self._advance(position - self._furthest)
            self._furthest = position


class _WatchedReader:
    def __init__(self, reader: Reader, file: WatchedFile) -> None:
        self._reader = reader
        self._file = file
        self._position = 0

    def seek(self, offset: int, /) -> None:
        self._reader.seek(offset)
        self._position = offset

    def read(self, size: int, /) -> bytes:
        content = self._reader.read(size)
        self._position += len(content)
        self._file.reached(self._position)
        return content

    def fileno(self) -> int:
        """Return the descriptor of a file of this machine: a second process may look ahead in it, which is not counted.

        :raises AttributeError: It has none.
        """
        descriptor: int = self._reader.fileno()  # type: ignore[attr-defined]  # files have it
        return descriptor

    def close(self) -> None:
        self._reader.close()
