"""multipart/form-data read piece by piece, for uploads made the way the vendor's web UI makes them."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.sandbox.messages import HttpError

if TYPE_CHECKING:
    from collections.abc import Callable

#: A part's header block may have so many bytes.
_MAX_HEADER_BYTES: Final = 16 * 1024
#: Values of parts other than the file are kept in memory up to so many bytes.
_MAX_FIELD_BYTES: Final = 64 * 1024
#: What follows the last delimiter; a line end, as long, follows the others.
_LAST: Final = b"--"


@dataclass(slots=True)
class Part:
    """Head of one part."""

    name: str
    file_name: str | None
    content_type: str | None


class _State(Enum):
    PREAMBLE = auto()
    HEADERS = auto()
    BODY = auto()
    END = auto()


class MultipartReader:
    """Push parser: ``feed`` it the body, it hands on the content of the part ``file``.

    :param content_type: the request's Content-Type, which names the boundary.
    :param on_file: told once the head of the part ``file`` was read; returns where its content goes.
    """

    def __init__(self, content_type: str, on_file: Callable[[Part], Callable[[bytes], None]]) -> None:
        boundary = _parameters(content_type).get_param("boundary", header="content-type")
        if not isinstance(boundary, str) or not boundary:
            raise _bad("multipart/form-data without a boundary")
        self._delimiter = b"\r\n--" + boundary.encode("latin-1")
        self._on_file = on_file
        self._state = _State.PREAMBLE
        # The first delimiter has no line end before it.
        self._buffer = bytearray(b"\r\n")
        self._sink: Callable[[bytes], None] = self._ignore
        self._field: bytearray | None = None
        self.fields: dict[str, bytearray] = {}
        self.file: Part | None = None

    def feed(self, piece: bytes) -> None:
        """Read on."""
        self._buffer += piece
        while self._step():
            pass

    def finish(self) -> None:
        """Refuse a body without its last delimiter or without a part named ``file``."""
        if self._state is not _State.END:
            raise _bad("multipart/form-data ends before its last boundary")
        if self.file is None:
            raise _bad("multipart/form-data without a part named file")

    def _step(self) -> bool:
        """Make one move; False when more bytes are needed."""
        match self._state:
            case _State.HEADERS:
                return self._read_headers()
            case _State.END:
                self._buffer.clear()
                return False
            case _:
                return self._read_until_delimiter()

    def _read_until_delimiter(self) -> bool:
        at = self._buffer.find(self._delimiter)
        if at < 0:
            # Everything but what may be the start of a delimiter is content.
            safe = len(self._buffer) - len(self._delimiter) - 1
            if safe > 0:
                self._sink(bytes(self._buffer[:safe]))
                del self._buffer[:safe]
            return False
        after = at + len(self._delimiter)
        tail = bytes(self._buffer[after : after + len(_LAST)])
        if len(tail) < len(_LAST):
            return False
        if at:
            self._sink(bytes(self._buffer[:at]))
        del self._buffer[: after + len(_LAST)]
        if tail == _LAST:
            self._state = _State.END
        elif tail == b"\r\n":
            self._state = _State.HEADERS
        else:
            raise _bad("malformed multipart/form-data boundary")
        return True

    def _read_headers(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MAX_HEADER_BYTES:
                raise _bad("part headers are too large")
            return False
        part = _part(bytes(self._buffer[:end]).decode("utf-8", "replace"))
        del self._buffer[: end + 4]
        self._state = _State.BODY
        if part.name == "file" and self.file is None:
            self.file = part
            self._sink = self._on_file(part)
        else:
            self._field = self.fields.setdefault(part.name, bytearray())
            self._sink = self._keep
        return True

    def _keep(self, piece: bytes) -> None:
        if self._field is not None:
            if len(self._field) + len(piece) > _MAX_FIELD_BYTES:
                raise _bad("a form field is too large")
            self._field += piece

    def _ignore(self, piece: bytes) -> None:
        """Drop what stands before the first part."""


def _parameters(content_type: str) -> Message:
    message = Message()
    message["content-type"] = content_type
    return message


def _part(block: str) -> Part:
    headers = Message()
    for line in block.split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip()] = value.strip()
    given: object = headers.get_param("name", header="content-disposition")
    file_name = headers.get_filename()
    content_type = headers.get_content_type() if headers["content-type"] else None
    return Part(given if isinstance(given, str) else "", file_name, content_type)


def _bad(text: str) -> HttpError:
    return HttpError(HTTPStatus.BAD_REQUEST, text)
