"""What tells the content of a part from that of any other, here and as the platform has stored it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.bulk.body import PartBody
from airflow_provider_mics.bulk.lines import LineCounter

if TYPE_CHECKING:
    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.parts import Part

_BLOCK: Final = 256 * 1024
#: Bytes by which files are told apart before they are read to their ends: more than a page has that says that there is
#: no such file.
_BEGINNING: Final = 64 * 1024
_WHITESPACE: Final = b" \t\r\n"


class Content:
    """Takes bytes block by block, and knows their lines and hash.

    White space does not count for the hash: that the platform stores a file byte for byte is not documented, and one
    that it ended with another line end is the same file all the same.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._lines = LineCounter()
        self._newlines = 0
        self._last = b"\n"
        #: The first bytes that are no white space.
        self.beginning = b""
        #: Commands in it; None: not known, as of a file that was read back it is not known where it has line ends
        #: inside quotes.
        self.commands: int | None = None

    def feed(self, block: bytes, /) -> None:
        """Take the next bytes."""
        dense = block.translate(None, _WHITESPACE)
        self._hash.update(dense)
        if len(self.beginning) < _BEGINNING:
            self.beginning += dense[: _BEGINNING - len(self.beginning)]
        self._lines.feed(block)
        self._newlines += block.count(b"\n")
        self._last = block[-1:] or self._last

    @property
    def is_settled(self) -> bool:
        """Whether the rest need not be read: what it is takes all of it."""
        return False

    @property
    def digest(self) -> str:
        """SHA-256 of all bytes that are no white space, in hex."""
        return self._hash.hexdigest()

    @property
    def line_counts(self) -> frozenset[int]:
        """The numbers that a platform may count as its lines.

        Whether the header of CSV, a blank line, or a line end inside quotes counts is not documented.
        """
        every_line = self._newlines + (self._last != b"\n")
        commands = () if self.commands is None else (self.commands, self.commands + 1)
        return frozenset({self._lines.count, self._lines.count - 1, every_line, every_line - 1, *commands})


class StoredContent(Content):
    """A file as the platform has stored it, which is read only until it is shown to be another than ``sought``."""

    def __init__(self, sought: Content) -> None:
        super().__init__()
        self._sought = sought

    @property
    def is_settled(self) -> bool:
        """Whether it is another file of the same kind.

        What is short, or begins as no such file does, may be no file at all: it is read to its end, and its lines are
        counted.
        """
        is_long = len(self.beginning) == _BEGINNING
        is_of_kind = self.beginning[:1] == self._sought.beginning[:1]
        return is_long and is_of_kind and self.beginning != self._sought.beginning


def content_of(part: Part, file: SourceFile) -> Content:
    """Read the content of a part.

    :raises MicsSourceError: Its file has changed.
    """
    content = Content()
    with contextlib.closing(PartBody(file, part)) as body:
        while block := body.read(_BLOCK):
            content.feed(block)
        content.commands = body.lines
    return content


def identity_of(part: Part, file: SourceFile) -> str:
    """Return what tells a part from others, the same in each try: its hash where it is known before it is sent."""
    if part.sha256:
        return f"sha256:{part.sha256}"
    cut = json.dumps([part.file, file.version, part.ranges]).encode()
    return f"cut:{hashlib.sha256(cut).hexdigest()}"
