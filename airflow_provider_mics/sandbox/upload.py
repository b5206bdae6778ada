"""Uploads on their way to disk: written, hashed and counted piece by piece."""

from __future__ import annotations

import hashlib
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec

from airflow_provider_mics.sandbox.messages import HttpError

if TYPE_CHECKING:
    from pathlib import Path

#: A first line longer than this is only looked at, not parsed, before the upload is taken; bytes.
HEAD_BYTES: Final = 1024 * 1024
#: A line of white space only, seen from the line end before it.
_BLANK_LINE: Final = re.compile(rb"\n[ \t\r\f\v]*(?=\n)")


class LineCounter:
    r"""Count lines that hold more than white space, over pieces cut anywhere.

    A line ends with ``\n``; the last one needs none.
    """

    def __init__(self) -> None:
        self._count = 0
        #: Whether the unfinished line so far holds more than white space.
        self._open = False

    def feed(self, piece: bytes) -> None:
        """Count on."""
        first = piece.find(b"\n")
        if first < 0:
            self._open = self._open or not _blank(piece)
            return
        if self._open or not _blank(piece[:first]):
            self._count += 1
        last = piece.rfind(b"\n")
        if last > first:
            blank = sum(1 for _ in _BLANK_LINE.finditer(piece, first, last + 1))
            self._count += piece.count(b"\n", first, last + 1) - 1 - blank
        self._open = not _blank(piece[last + 1 :])

    @property
    def lines(self) -> int:
        """Lines counted so far, the unfinished one included."""
        return self._count + int(self._open)


def _blank(piece: bytes) -> bool:
    return not piece or piece.isspace()


class Spool:
    """One upload's file on disk.

    :param path: where it is written; made by ``__init__``.
    :param max_bytes: more than this raises 413 (UNKNOWN at the vendor).
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self.bytes = 0
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self._counter = LineCounter()
        self._head = bytearray()
        self._head_done = False
        self._file = path.open("xb")

    @property
    def lines(self) -> int:
        """Lines that are not blank."""
        return self._counter.lines

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written, hexadecimal."""
        return self._hash.hexdigest()

    def write(self, piece: bytes) -> None:
        """Take the next piece of the file."""
        self.bytes += len(piece)
        if self.bytes > self._max_bytes:
            raise too_large(self._max_bytes)
        self._file.write(piece)
        self._hash.update(piece)
        self._counter.feed(piece)
        if not self._head_done:
            self._head += piece[: HEAD_BYTES - len(self._head)]
            self._head_done = b"\n" in self._head or len(self._head) >= HEAD_BYTES

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def discard(self) -> None:
        """Throw the file away."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def check_ndjson_head(self, encoding: str) -> None:
        """Refuse a file whose first line is not a JSON object.

        INFERRED from the vendor's own test, which uploads a pretty-printed array and sees the POST refused. UNKNOWN
        with which status: we answer 400.
        """
        head = bytes(self._head)
        first, line_end, _ = head.partition(b"\n")
        whole = bool(line_end) or self.bytes < HEAD_BYTES
        is_object = first.lstrip(b" \t\r").startswith(b"{")
        if is_object and whole:
            try:
                msgspec.json.decode(first.decode(encoding))
            except (msgspec.DecodeError, UnicodeDecodeError):
                is_object = False
        if not is_object:
            raise HttpError(HTTPStatus.BAD_REQUEST, "The first line of the document is not a JSON object")

    def check_not_empty(self) -> None:
        """Refuse a file of nothing. UNKNOWN at the vendor: we answer 400."""
        if self.lines == 0:
            raise HttpError(HTTPStatus.BAD_REQUEST, "The document is empty")


def too_large(max_bytes: int) -> HttpError:
    """Build the refusal of a big file. UNKNOWN at the vendor: we answer 413 and end the connection."""
    return HttpError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The document is larger than {max_bytes} bytes, split it", close=True
    )
