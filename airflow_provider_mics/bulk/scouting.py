"""The process of a scout: looks at stretches of a file that it is asked for, until nobody asks any more.

It is started by :mod:`~airflow_provider_mics.bulk.scout`, and imports no more than it takes to check lines.
"""

from __future__ import annotations

import os
import sys
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.bulk.checks import checker_for
from airflow_provider_mics.bulk.cutting import MARGIN, block_limit

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_mics.bulk.checks import Checker


class GoodBlock(NamedTuple):
    """A block of which every line is good.

    :param offset: Bytes before it in the file.
    :param length: Its bytes.
    :param deletions: Lines that delete something.
    """

    offset: int
    length: int
    lines: int
    deletions: int


class Stretch(NamedTuple):
    """What was found in some blocks that follow each other.

    :param good: Those of which every line is good.
    :param others: Number of the others.
    """

    good: list[GoodBlock]
    others: int


encode: Final = msgspec.msgpack.encode
read_question: Final = msgspec.msgpack.Decoder(tuple[int, int]).decode
read_answer: Final = msgspec.msgpack.Decoder(Stretch).decode


def look_at(read: Callable[[int, int], bytes], checker: Checker, start: int, stop: int) -> Stretch:
    """Look at the blocks whose limits are behind ``start``, up to ``stop``: two offsets on the grid.

    What is not where it is looked for, such as the end of a long line, is left to who reads the file in order.

    :param read: Returns so many bytes from an offset of the file.
    """
    newline = read(start - MARGIN, MARGIN).rfind(b"\n")
    position = start - MARGIN + newline + 1
    good: list[GoodBlock] = []
    others = 0
    while newline >= 0 and (limit := block_limit(position)) <= stop:
        block = read(position, limit - position)
        result = checker.check_block(block, first_line=1, offset=position, problems=[], limit=0)
        length = result.consumed
        if not length:
            break
        if result.bad or result.blank:
            others += 1
        else:
            good.append(GoodBlock(position, length, result.lines, result.deletions))
        position += length
    return Stretch(good, others)


def main() -> None:
    """Answer until the connection closes, as it also does when the other process dies."""
    connection = Connection(int(sys.argv[1]))
    descriptor = int(sys.argv[2])
    checker = checker_for(sys.argv[3], MimeType.NDJSON)

    def read(offset: int, length: int) -> bytes:
        return os.pread(descriptor, length, offset)

    try:
        while True:
            start, stop = read_question(connection.recv_bytes())
            connection.send_bytes(encode(look_at(read, checker, start, stop)))
    except (EOFError, OSError):
        # Nobody asks any more.
        return


if __name__ == "__main__":
    main()
