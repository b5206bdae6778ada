"""Compressed files on their way into parts: what they hold, in blocks of whole lines."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.bulk.block import Block
from airflow_provider_mics.bulk.compressed import decompressed
from airflow_provider_mics.bulk.lines import LineCounter, RecordEnds, RecordScanner
from airflow_provider_mics.bulk.spool import Spool
from airflow_provider_mics.exceptions import MicsInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import ExitStack

    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.parts import Part

_PIECE: Final = 64 * 1024
#: Longest line of a stream, in bytes: it is held in memory until its end is seen.
MAX_LINE_BYTES: Final = 16 * 1024 * 1024


class CompressedFile:
    """A compressed file, to be sent as what it holds.

    :param kind: How it is compressed.
    """

    def __init__(self, file: SourceFile, kind: str, *, mime_type: str, max_part_bytes: int) -> None:
        self.file = file
        self._kind = kind
        self._mime_type = mime_type
        self._max_part_bytes = max_part_bytes
        #: What lets only some of the lines pass, header first where there is one.
        self.screen: Callable[[Iterable[bytes]], Iterator[bytes]] = iter

    def contents(self) -> Iterator[bytes]:
        """Give what it holds in blocks of whole lines; of CSV, its header by itself."""
        chunks = _without_byte_order_mark(decompressed(self.file, self._kind))
        read = csv_records if self._mime_type == MimeType.CSV else ndjson_lines
        return read(chunks, self.file.name)

    def parts(self, spools: ExitStack, opened: list[Spool]) -> Iterator[tuple[Part, SourceFile]]:
        """Give the parts as they fill.

        :param spools: Keeps the parts' folder until they are all sent.
        :param opened: The spool is added, to discard the parts that are in.
        """
        name = self.file.name
        contents = self.screen(self.contents())
        if self._mime_type == MimeType.CSV:
            # A header alone has no record behind it, and gives no part.
            header = next(contents, b"")
            new_counter: Callable[[], RecordScanner | LineCounter] = RecordScanner
        else:
            header = b""
            new_counter = LineCounter
        spool = spools.enter_context(Spool(name, self._max_part_bytes, header=header))
        opened.append(spool)
        room = min(_PIECE, self._max_part_bytes - len(header))
        yield from spool.parts(
            Block(piece, lines)
            for content in contents
            for piece in _pieces(content, room, self._mime_type)
            if (lines := _count(new_counter(), piece))
        )


def ndjson_lines(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Give the lines of a text in blocks of whole lines."""
    rest = b""
    for chunk in chunks:
        content = rest + chunk
        end = content.rfind(b"\n") + 1
        if end:
            yield content[:end]
        rest = content[end:]
        _check_length(rest, name)
    if rest:
        yield rest


def csv_records(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Give the records of a CSV text in blocks of whole records, the first of them, its header, by itself."""
    rest = b""
    has_header = False
    for chunk in chunks:
        rest += chunk
        if not has_header:
            if not (end := _first_record_end(rest)):
                _check_length(rest, name)
                continue
            has_header = True
            yield rest[:end]
            rest = rest[end:]
        if end := RecordEnds().feed(rest):
            yield rest[:end]
            rest = rest[end:]
        _check_length(rest, name)
    if rest:
        yield rest


def _first_record_end(content: bytes) -> int:
    ends = RecordEnds()
    position = 0
    for line in content.splitlines(keepends=True):
        if ends.feed(line):
            return position + len(line)
        position += len(line)
    return 0


def _pieces(content: bytes, room: int, mime_type: str) -> Iterator[bytes]:
    """Cut whole lines into pieces of whole lines that have room in a part; a longer line is a piece by itself."""
    position = 0
    while position < len(content):
        window = content[position : position + room]
        if position + len(window) == len(content):
            end = len(window)
        elif mime_type == MimeType.CSV:
            end = RecordEnds().feed(window) or _first_record_end(content[position:]) or len(content) - position
        else:
            end = (window.rfind(b"\n") + 1) or (content.find(b"\n", position) + 1 or len(content)) - position
        yield content[position : position + end]
        position += end


def _count(counter: RecordScanner | LineCounter, content: bytes) -> int:
    counter.feed(content)
    return counter.count


def _without_byte_order_mark(chunks: Iterable[bytes]) -> Iterator[bytes]:
    iterator = iter(chunks)
    beginning = b""
    while len(beginning) < len(codecs.BOM_UTF8) and (chunk := next(iterator, None)) is not None:
        beginning += chunk
    yield beginning.removeprefix(codecs.BOM_UTF8)
    yield from iterator


def _check_length(rest: bytes, name: str) -> None:
    if len(rest) > MAX_LINE_BYTES:
        raise MicsInputError(
            f"{name} holds a line longer than {MAX_LINE_BYTES} bytes.",
            hint="Look for a missing line end or quote; decompress the file if its lines are really so long.",
        )
