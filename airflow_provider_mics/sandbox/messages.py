"""Requests, responses and the vendor's envelopes."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

    from airflow_provider_mics.sandbox.record import RequestRecord

#: A body that is read as JSON (not an upload) may have so many bytes.
MAX_JSON_BYTES: Final = 32 * 1024 * 1024
NOT_FOUND_TEXT: Final = "Resource Not Found"
FORBIDDEN_TEXT: Final = "User is not authorized to perform this operation"


_T = TypeVar("_T")


@dataclass(slots=True)
class Response:
    """What is answered.

    :param body: the bytes, or the file that is streamed.
    :param close: end the connection after this answer.
    """

    status: int
    body: bytes | Path = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    content_type: str | None = "application/json;charset=UTF-8"
    close: bool = False

    def whole(self) -> bytes:
        """Return all of its body."""
        return self.body if isinstance(self.body, bytes) else self.body.read_bytes()


class HttpError(Exception):
    """A request that is answered with the error envelope."""

    def __init__(self, status: int, text: str, *, code: str | None = None, close: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.close = close

    def response(self) -> Response:
        """Render the error envelope."""
        return error_response(self.status, str(self), code=self.code, close=self.close)


async def _nothing() -> None:
    """Do nothing before a commit."""


@dataclass(slots=True)
class Request:
    """One request; its body comes in pieces and is not kept.

    :param record: what is remembered of it; a handler adds what it did.
    :param item: what it is about, once that was counted.
    :param before_commit: awaited by the handler of uploads when all is read and nothing done.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]
    record: RequestRecord
    item: str | None = None
    before_commit: Callable[[], Awaitable[object]] = _nothing
    _whole: bytes | None = None
    _json: Any = None
    _decoded: bool = False

    async def read(self) -> bytes:
        """Read the whole body, once; asked again, the same is returned.

        UNKNOWN at the vendor: we answer 413 to a body of more than MAX_JSON_BYTES.
        """
        if self._whole is None:
            collected = bytearray()
            async for piece in self.body:
                collected += piece
                if len(collected) > MAX_JSON_BYTES:
                    raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request body is too large", close=True)
            self._whole = bytes(collected)
        return self._whole

    async def json(self) -> Any:
        """Read the whole body as JSON. UNKNOWN at the vendor: we answer 400 to what is not JSON."""
        if not self._decoded:
            try:
                self._json = msgspec.json.decode(await self.read())
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise HttpError(HTTPStatus.BAD_REQUEST, f"Request body is not valid JSON: {error}") from error
            self._decoded = True
        return self._json

    async def json_object(self) -> dict[str, Any]:
        """Read the whole body as a JSON object; anything else is answered with 400 (UNKNOWN at the vendor)."""
        value = await self.json()
        if not isinstance(value, dict):
            raise HttpError(HTTPStatus.BAD_REQUEST, "Request body must be a JSON object")
        return value


def split_target(target: str) -> tuple[str, dict[str, str]]:
    """Split a request target into its path, still percent-encoded, and its query, decoded; the last value wins."""
    path, _, query = target.partition("?")
    return path, dict(parse_qsl(query, keep_blank_values=True))


def path_segments(path: str) -> list[str]:
    """Decode the segments of a path; a trailing slash counts for nothing, as in one of the vendor's examples."""
    return [unquote(segment) for segment in path.strip("/").split("/")]


def json_response(value: Any, status: int = HTTPStatus.OK) -> Response:
    """Answer any JSON value as it is."""
    return Response(status, msgspec.json.encode(value, enc_hook=str))


def ok(data: Any, status: int = HTTPStatus.OK) -> Response:
    """Wrap one resource in the success envelope."""
    return json_response({"status": "ok", "data": data}, status)


@dataclass(slots=True, frozen=True)
class Window:
    """Which part of a list is asked for."""

    first: int
    size: int

    def of(self, items: Sequence[_T]) -> Sequence[_T]:
        """Cut it out."""
        return items[self.first : self.first + self.size]


def window(query: Mapping[str, str], default_size: int, max_size: int | None) -> Window:
    """Read ``first_result`` and ``max_results``.

    UNKNOWN at the vendor: we answer 400 to a page that is not made of numbers, and cap the size silently if told to.
    """
    size = _number(query, "max_results", default_size)
    return Window(_number(query, "first_result", 0), size if max_size is None else min(size, max_size))


def page(shown: Sequence[Any], total: int, asked: Window) -> Response:
    """Answer one page of a list, with the fields of the vendor's samples, ``max_result`` and ``max_results`` alike."""
    return json_response(
        {
            "status": "ok",
            "data": shown,
            "count": len(shown),
            "total": total,
            "first_result": asked.first,
            "max_result": asked.size,
            "max_results": asked.size,
        }
    )


def error_response(status: int, text: str, *, code: str | None = None, close: bool = False) -> Response:
    """Render the vendor's error envelope.

    ``error_code`` is left out where no value of the vendor's is known, as it often does itself.
    """
    envelope = {"status": "error", "error": text, "error_id": str(uuid.uuid4())}
    if code is not None:
        envelope["error_code"] = code
    return Response(status, msgspec.json.encode(envelope), close=close)


def not_found() -> HttpError:
    """Build the 404 of the vendor."""
    return HttpError(HTTPStatus.NOT_FOUND, NOT_FOUND_TEXT)


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    # isascii: isdigit alone also holds for digits that int() refuses.
    if not (text.isascii() and text.isdigit()):
        raise HttpError(HTTPStatus.BAD_REQUEST, f"{name} must be a positive integer")
    return int(text)


def is_true(query: Mapping[str, str], name: str) -> bool:
    """Tell whether a switch is on; one that is not named is off."""
    return query.get(name, "").lower() == "true"


def merge(target: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """Merge ``patch`` into ``target``, objects deeply, everything else by replacement."""
    for name, value in patch.items():
        present = target.get(name)
        if isinstance(value, Mapping) and isinstance(present, dict):
            merge(present, value)
        else:
            # A copy: the patch is used again for other requests.
            target[name] = copy.deepcopy(value)
