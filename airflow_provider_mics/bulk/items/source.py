"""Where items come from: files of NDJSON, or dicts. They are read twice: to check them all, and to send them."""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
import hashlib
import io
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec

from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.bulk.checks import MAX_LINE_BYTES, Problem, checker_for
from airflow_provider_mics.bulk.compressed import compression_of, decompressed
from airflow_provider_mics.bulk.items.item import Item
from airflow_provider_mics.bulk.rows import encode_rows
from airflow_provider_mics.bulk.streams import ndjson_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.items.item import ItemKind

#: Large enough that looking after each whether the file has changed does not show.
_CHUNK: Final = 256 * 1024
_BLANK: Final = b" \t\r\n"


class Lines(NamedTuple):
    """Some whole lines of a file.

    :param file: Its name.
    :param is_first: Whether they are its first ones.
    """

    file: str
    is_first: bool
    content: bytes


class ItemSource(Protocol):
    """Gives lines, each time the same."""

    def lines(self) -> Iterator[Lines]:
        """Give them from the first on, in blocks."""


class FilesOfItems:
    """NDJSON files, compressed or not."""

    def __init__(self, files: Sequence[SourceFile]) -> None:
        self._files = files

    def lines(self) -> Iterator[Lines]:
        """Give the files' lines."""
        for file in self._files:
            kind = compression_of(file)
            chunks = decompressed(file, kind) if kind else _chunks(file)
            for index, content in enumerate(ndjson_lines(_unchanged(file, chunks), file.name)):
                yield Lines(file.name, not index, content)


class RowsOfItems:
    """Dicts, or msgspec structs; the number of a line is that of its dict, from 1."""

    def __init__(self, rows: Iterable[Any], name: str = "items") -> None:
        self._rows = list(rows)
        self._name = name

    def lines(self) -> Iterator[Lines]:
        """Encode them.

        :raises MicsInputError: One is no object, or holds what JSON cannot say.
        """
        blocks = encode_rows(self._rows, source=self._name, max_line_bytes=MAX_LINE_BYTES)
        for index, block in enumerate(blocks):
            yield Lines(self._name, not index, block.content)


@dataclasses.dataclass(slots=True)
class Survey:
    """What a source holds.

    :param good: Lines that can be sent.
    :param bad: Lines that cannot.
    :param fingerprint: Tells its content, and what becomes of it, from others.
    """

    good: int = 0
    bad: int = 0
    fingerprint: str = ""


class Read(NamedTuple):
    """A line as it was read.

    :param value: Its object, if it is good.
    :param problems: What is wrong with it, if it is bad.
    """

    item: Item
    value: Mapping[str, Any] | None
    problems: Sequence[Problem]


def survey(source: ItemSource, kind: ItemKind, on_bad: Any, *, is_checked: bool) -> Survey:
    """Read a source to its end.

    :param on_bad: Told each bad line, a :class:`Read`.
    :param is_checked: Whether lines are checked; otherwise all of them count as good.
    """
    found = Survey()
    digest = hashlib.sha256(repr((kind.noun, kind.identity)).encode())

    def digested() -> Iterator[Lines]:
        for block in source.lines():
            digest.update(b"\0" if block.is_first else b"")
            digest.update(block.content)
            yield block

    for read in read_items(digested(), kind, is_checked=is_checked):
        if read.problems:
            found.bad += 1
            on_bad(read)
        else:
            found.good += 1
    found.fingerprint = digest.hexdigest()
    return found


def read_items(blocks: Iterable[Lines], kind: ItemKind, *, is_checked: bool) -> Iterator[Read]:
    """Give the lines that hold something, with their objects or what is wrong with them.

    :param is_checked: Whether to check by the rules of the document type too, and not only what makes it impossible to
        send a line.
    """
    number = line = offset = 0
    decode = msgspec.json.Decoder().decode
    checker = checker_for(kind.document_type, MimeType.NDJSON)
    for block in blocks:
        if block.is_first:
            line = offset = 0
            checker = checker_for(kind.document_type, MimeType.NDJSON)
        problems: dict[int, list[Problem]] = {}
        if is_checked:
            problems = _problems(checker, block.content, line, offset)
        for content in io.BytesIO(block.content).readlines():
            start = offset
            line += 1
            offset += len(content)
            text = content
            if not start and content.startswith(codecs.BOM_UTF8):
                start = len(codecs.BOM_UTF8)
                text = content[start:]
            if not text.strip(_BLANK):
                continue
            item = Item(number, block.file, line, start, text)
            number += 1
            if found := problems.get(start):
                yield Read(item, None, found)
                continue
            yield _read(item, kind, decode)


def _read(item: Item, kind: ItemKind, decode: Any) -> Read:
    try:
        value = decode(item.content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        return Read(item, None, [_problem(item, None, "is no JSON object", "Write one object on each line.")])
    if problems := [_problem(item, *finding[:3]) for finding in kind.rules(value)]:
        return Read(item, None, problems)
    return Read(item, value, ())


def _problem(item: Item, field: str | None, reason: str, remedy: str) -> Problem:
    return Problem(
        line=item.line, offset=item.offset, length=len(item.content), field=field, reason=reason, remedy=remedy
    )


def _problems(checker: Any, content: bytes, line: int, offset: int) -> dict[int, list[Problem]]:
    """Return what is wrong, by the offset of the line; a bad line may have no problem of its own."""
    found: list[Problem] = []
    result = checker.check_block(
        content, first_line=line + 1, offset=offset, problems=found, limit=sys.maxsize, final=True
    )
    if not result.bad:
        return {}
    by_offset: dict[int, list[Problem]] = {}
    for problem in found:
        by_offset.setdefault(problem.offset, []).append(problem)
    for bad in result.bad:
        if bad.offset not in by_offset:
            layout = Problem(
                line=bad.line,
                offset=bad.offset,
                length=bad.length,
                field=None,
                reason="the file is not laid out as NDJSON",
                remedy="Write one object on each line.",
            )
            by_offset[bad.offset] = [layout]
    return by_offset


def _chunks(file: SourceFile) -> Iterator[bytes]:
    with contextlib.closing(file.open()) as reader:
        while chunk := reader.read(_CHUNK):
            yield chunk


def _unchanged(file: SourceFile, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Give chunks on as long as the file is the same: lines that were not checked must not be sent between others.

    :raises MicsSourceError: It has changed.
    """
    for chunk in chunks:
        file.check_unchanged()
        yield chunk
    file.check_unchanged()
