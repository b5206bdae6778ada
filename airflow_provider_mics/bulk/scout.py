"""A second process that checks lines of a large local file, ahead of the one that cuts it: two cores instead of one.

It only tells which blocks are good all through. Whoever cuts the file reads them in order as if there were no scout,
and examines the others itself; so what is found, and where is cut, does not depend on the scout, nor on whether it
lives.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
from multiprocessing import Pipe
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.bulk import scouting
from airflow_provider_mics.bulk.checks import checker_for
from airflow_provider_mics.bulk.cutting import GRID, block_limit
from airflow_provider_mics.bulk.scouting import encode, look_at, read_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.scouting import GoodBlock, Stretch

log = logging.getLogger(__name__)

#: Size of files that one process reads before another one has started and earned its keep, in bytes.
MIN_FILE_BYTES: Final = 64 * 1024 * 1024
#: Parts in which a line may be larger than a block many times over are not worth the trouble.
MIN_PART_BYTES: Final = 1024 * 1024
#: Bytes that are looked at for one question: a few milliseconds.
_STRETCH: Final = 16 * GRID
#: Questions that wait at the scout, so that it never waits for one.
_QUESTIONS: Final = 2
#: Stretches that are looked at before an answer that is awaited: what is known of them is kept in memory.
_FAR: Final = 512
#: Time that an answer may take when there is nothing else to do, in s.
_LONGEST_WAIT_S: Final = 10.0
#: Blocks that need a second look before it is thought that most do.
_PATIENCE: Final = 32


@contextlib.contextmanager
def scouting_of(file: SourceFile, document_type: str, *, max_part_bytes: int) -> Iterator[Scout | None]:
    """Give a scout for an NDJSON file, where one helps: a large file of this machine, and a processor to spare.

    It ends with the ``with`` block.
    """
    if file.size < MIN_FILE_BYTES or max_part_bytes < MIN_PART_BYTES or _processors() < 2:  # noqa: PLR2004 - one for each
        yield None
        return
    with contextlib.closing(file.open()) as reader:
        descriptor = _descriptor(reader)
        if descriptor is None:
            yield None
            return
        try:
            scout = Scout(descriptor, file.size, document_type)
        except OSError as error:
            log.info("Lines are checked by one process, as another cannot be started: %s", error)
            yield None
            return
        with contextlib.closing(scout):
            yield scout


class Scout:
    """Looks ahead in a file, by another process and, while that is awaited, by this one.

    :param descriptor: The file, open; its offset is left alone.
    :param size: The file's size in bytes.
    """

    def __init__(self, descriptor: int, size: int, document_type: str) -> None:
        self._descriptor = descriptor
        self._checker = checker_for(document_type, MimeType.NDJSON)
        self._known: dict[int, GoodBlock] = {}
        #: Stretches that the other process has been asked for, in order.
        self._asked: list[int] = []
        self._next = 0
        # Of the last one, the end matters: it is left to who cuts the file.
        self._count = size // _STRETCH
        self._good = self._others = 0
        self._connection, theirs = Pipe()
        with theirs:
            # Started anew, not forked: of an Airflow task it must not inherit the channel to the supervisor, nor locks
            # that other threads hold. Its connection breaks when this process dies, however that is.
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [
                    sys.executable,
                    "-P",
                    "-m",
                    scouting.__name__,
                    str(theirs.fileno()),
                    str(descriptor),
                    document_type,
                ],
                pass_fds=(theirs.fileno(), descriptor),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )

    def good_block(self, offset: int) -> GoodBlock | None:
        """Return the block that begins at ``offset`` if it is known to be good. Ask in the order of the file."""
        stretch = (block_limit(offset) - 1) // _STRETCH
        # What nobody has begun yet is looked at fastest by who asks for it.
        self._next = max(self._next, stretch + 1)
        self._ask()
        while stretch in self._asked:
            has_work = self._next < min(self._count, stretch + _FAR)
            if self._connection.poll(0 if has_work else _LONGEST_WAIT_S):
                self._take_answer()
            elif has_work:
                self._note(look_at(self._read, self._checker, self._next * _STRETCH, (self._next + 1) * _STRETCH))
                self._next += 1
            else:
                # It hangs, for example as it was stopped. What it was asked for is looked at by who cuts the file.
                self.close()
            self._ask()
        return self._known.pop(offset, None)

    def close(self) -> None:
        """End the other process."""
        self._asked.clear()
        self._next = self._count
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def _ask(self) -> None:
        while len(self._asked) < _QUESTIONS and self._next < self._count:
            try:
                self._connection.send_bytes(encode((self._next * _STRETCH, (self._next + 1) * _STRETCH)))
            except OSError:
                self.close()
                return
            self._asked.append(self._next)
            self._next += 1

    def _take_answer(self) -> None:
        try:
            self._note(read_answer(self._connection.recv_bytes()))
        except (EOFError, OSError):
            # It was killed, for example for its memory.
            self.close()
            return
        self._asked.pop(0)
        if self._others > self._good + _PATIENCE:
            # Most blocks have to be looked at again anyway.
            self.close()

    def _note(self, stretch: Stretch) -> None:
        self._good += len(stretch.good)
        self._others += stretch.others
        self._known.update((block.offset, block) for block in stretch.good)

    def _read(self, offset: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, offset)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _descriptor(reader: object) -> int | None:
    """Return the descriptor of a reader of a local file; None: it reads from elsewhere."""
    try:
        descriptor: int = reader.fileno()  # type: ignore[attr-defined]  # files have it
    except (AttributeError, OSError):
        return None
    return descriptor
