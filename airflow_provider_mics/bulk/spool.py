"""Cutting a stream of lines into parts that are kept on disk until they are sent.

For sources that are no files of lines: queries, generators, compressed files. What is on disk is at most the parts that
are being sent and the one that is being written.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from airflow_provider_mics.bulk.counted import counted
from airflow_provider_mics.bulk.files import LocalFile
from airflow_provider_mics.bulk.parts import Part
from airflow_provider_mics.exceptions import MicsInputError, MicsSourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_mics.bulk.block import Block
    from airflow_provider_mics.bulk.files import SourceFile


class Spool:
    """Keeps parts in files of a private folder, which goes with the ``with`` block.

    :param name: What the stream is called in messages.
    :param header: Put at the beginning of each part, such as the header of CSV with its line end.
    """

    def __init__(self, name: str, max_part_bytes: int, *, header: bytes = b"") -> None:
        self._name = name
        self._max_part_bytes = max_part_bytes
        self._header = header
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        with self._writing():
            # Only this user may enter it: what is in it are rows.
            self._folder = Path(tempfile.mkdtemp(prefix="mics-parts-"))
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def parts(self, blocks: Iterable[Block]) -> Iterator[tuple[Part, SourceFile]]:
        """Write blocks into parts, and give each part when it is full.

        :raises MicsInputError: A block is larger than a part may be.
        :raises MicsSourceError: There is no room for a part.
        """
        number = 0
        writing: _Writing | None = None
        try:
            for block in blocks:
                self._check_room(block)
                if writing and writing.size + len(block.content) > self._max_part_bytes:
                    full, writing = writing, None
                    yield self._finished(full)
                with self._writing():
                    if writing is None:
                        number += 1
                        writing = _Writing(self._path(number), number, self._header)
                    writing.add(block)
            if writing:
                yield self._finished(writing)
        finally:
            if writing:
                # What is still to be written of it is of no use to anybody.
                with contextlib.suppress(OSError):
                    writing.close()

    def _finished(self, writing: _Writing) -> tuple[Part, SourceFile]:
        with self._writing():
            return writing.finished(self._name)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            folder = self._folder or tempfile.gettempdir()
            raise MicsSourceError(
                f"Parts of {self._name} cannot be written to {folder}: {error.strerror or type(error).__name__}.",
                hint="There must be room for one part more than parallel_uploads; TMPDIR says where they are written.",
            ) from None

    def _check_room(self, block: Block) -> None:
        if len(self._header) + len(block.content) > self._max_part_bytes:
            raise MicsInputError(
                f"{self._name}: a part of {counted(self._max_part_bytes, 'byte')} has no room for "
                f"{counted(block.lines, 'line')} of {counted(len(block.content), 'byte')}.",
                hint="Raise max_part_bytes, or mend the line.",
            )

    def discard(self, file: SourceFile) -> None:
        """Delete the file of a part that is in, if it is one of this spool."""
        if self._folder and Path(file.name).parent == self._folder:
            Path(file.name).unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        if self._folder is None:
            raise RuntimeError("A spool is used within 'with'")
        return self._folder / f"part-{number}"


class _Writing:
    def __init__(self, path: Path, number: int, header: bytes) -> None:
        self._path = path
        self._number = number
        self._file = path.open("wb")
        self._file.write(header)
        self._hash = hashlib.sha256(header)
        self.size = len(header)
        self._lines = 0

    def add(self, block: Block) -> None:
        self._file.write(block.content)
        self._hash.update(block.content)
        self.size += len(block.content)
        self._lines += block.lines

    def close(self) -> None:
        self._file.close()

    def finished(self, name: str) -> tuple[Part, SourceFile]:
        self.close()
        part = Part(
            file=name,
            number=self._number,
            of=None,
            ranges=((0, self.size),),
            lines=self._lines,
            sha256=self._hash.hexdigest(),
        )
        return part, LocalFile(self._path)
