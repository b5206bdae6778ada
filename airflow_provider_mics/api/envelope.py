"""Reading the API's replies: its envelope, its errors, its pages.

Facts: one resource comes as ``{"status": "ok", "data": {...}}``, a list with ``count``, ``first_result``,
``max_results`` and, on paginated routes, ``total``; an error as ``{"status": "error", "error", "error_id",
"error_code"}``, of which only ``status`` is certain ("API overview", and the vendor's own web UI).
"""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from airflow_provider_mics.api.models import Page
from airflow_provider_mics.api.redaction import redact
from airflow_provider_mics.api.repeat import retry_after
from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsAuthenticationError,
    MicsNotFoundError,
    MicsPermissionError,
    MicsRateLimitError,
    MicsRedirectError,
    MicsReplyError,
    MicsServerError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_mics.api.call import Call, Reply

T = TypeVar("T")


class _Envelope(msgspec.Struct, frozen=True):
    status: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: Any = None
    error_id: Any = None
    error_code: Any = None
    total: int | None = None
    max_results: int | None = None
    # Some lists carry this spelling too, or only this one.
    max_result: int | None = None


#: What reading a body that is not this API's raises: msgspec's own, and for broken UTF-8 or absurd nesting Python's.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

#: Longest id or code of an error, in characters: theirs are UUIDs and words.
_MAX_ID_LENGTH: Final = 64

_envelope_decoder = msgspec.json.Decoder(_Envelope, strict=False)


def read_reply(call: Call[T], reply: Reply) -> T:
    """Return what ``call`` asked for.

    :raises MicsAPIError: The API refused, with an HTTP status or in its envelope; the subclass says how.
    :raises MicsReplyError: The reply is not one of this API.
    """
    if HTTPStatus.MULTIPLE_CHOICES <= reply.status < HTTPStatus.BAD_REQUEST:
        raise MicsRedirectError(
            f"the server answered HTTP {reply.status}, a redirect, which is never followed.",
            call=call.what,
            hint="Set the connection's host to the address that the API itself answers on.",
        )
    if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
        raise call.read_error(call.what, reply) if call.read_error else _api_error(call, reply, _envelope(reply))
    try:
        return call.read(reply)
    except _ErrorEnvelopeError as refusal:
        raise _api_error(call, reply, refusal.envelope) from None
    except _UNREADABLE as error:
        # What was read stays out of the text: it may be rows.
        raise MicsReplyError(
            f"the reply (HTTP {reply.status}, {described(reply)}) is not what this API answers: {_shape(error)}.",
            call=call.what,
            hint="Check the connection's host: something before the API may have answered.",
        ) from None


def one(model: type[T]) -> Callable[[Reply], T]:
    """Return a reader of an envelope that holds one resource."""
    decoder = msgspec.json.Decoder(model, strict=False)

    def read(reply: Reply) -> T:
        return decoder.decode(_accepted(reply).data)

    return read


def page(model: type[T]) -> Callable[[Reply], Page[T]]:
    """Return a reader of an envelope that holds a page of a list."""
    decoder = msgspec.json.Decoder(list[model], strict=False)  # type: ignore[valid-type]  # a type made at run time

    def read(reply: Reply) -> Page[T]:
        envelope = _accepted(reply)
        items = decoder.decode(envelope.data)
        return Page(items=tuple(items), total=envelope.total, max_results=envelope.max_results or envelope.max_result)

    return read


def some(model: type[T]) -> Callable[[Reply], list[T]]:
    """Return a reader of an envelope that holds one resource, several, or none: its documentation does not say."""
    decoder = msgspec.json.Decoder(list[model] | model | None, strict=False)  # type: ignore[valid-type]  # a type made at run time

    def read(reply: Reply) -> list[T]:
        found = decoder.decode(_accepted(reply).data)
        if found is None:
            return []
        return found if isinstance(found, list) else [found]

    return read


def nothing(reply: Reply) -> None:
    """Read a reply of which only the acceptance matters; it may be empty."""
    if reply.body.strip():
        _accepted(reply)


def raw_bytes(reply: Reply) -> bytes:
    """Return the body of a reply that has no envelope, unless it is an error's: files do not come as JSON."""
    if reply.headers.get("content-type", "").startswith("application/json"):
        envelope = _envelope(reply)
        if envelope is not None and envelope.status.lower() == "error":
            raise _ErrorEnvelopeError(envelope)
    return reply.body


class _ErrorEnvelopeError(Exception):
    def __init__(self, envelope: _Envelope) -> None:
        super().__init__(envelope.status)
        self.envelope = envelope


def kind_of(status: int) -> type[MicsAPIError]:
    """Return the error that an HTTP status means."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return MicsServerError
    return _KINDS.get(status, MicsAPIError)


_KINDS: Final[dict[int, type[MicsAPIError]]] = {
    HTTPStatus.UNAUTHORIZED: MicsAuthenticationError,
    HTTPStatus.FORBIDDEN: MicsPermissionError,
    HTTPStatus.NOT_FOUND: MicsNotFoundError,
    HTTPStatus.TOO_MANY_REQUESTS: MicsRateLimitError,
}
_HINTS: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: (
        "Check the connection's password, and its login if it has one; API tokens end after 12 to 24 months."
    ),
    HTTPStatus.FORBIDDEN: (
        "The token's user has no right to it: check datamart_id, and the user's rights in Navigator."
    ),
    HTTPStatus.NOT_FOUND: "Check the ids; the API also answers so where the token's user has no right.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Lower max_part_bytes.",
    HTTPStatus.TOO_MANY_REQUESTS: "Set rate_limit (requests/s) in the connection's extra.",
}


def _accepted(reply: Reply) -> _Envelope:
    envelope = _envelope_decoder.decode(reply.body)
    if envelope.status.lower() != "ok":
        raise _ErrorEnvelopeError(envelope)
    return envelope


def _envelope(reply: Reply) -> _Envelope | None:
    try:
        return _envelope_decoder.decode(reply.body)
    except _UNREADABLE:
        return None


def _api_error(call: Call[Any], reply: Reply, envelope: _Envelope | None) -> MicsAPIError:
    kind = kind_of(reply.status)
    hint = _HINTS.get(reply.status)
    wait_s = retry_after(reply.headers, dt.datetime.now(dt.UTC))
    if envelope is None:
        return kind(
            call=call.what,
            http_status=reply.status,
            error=f"{described(reply)}, not this API's envelope",
            retry_after_s=wait_s,
            has_envelope=False,
            hint=hint,
        )
    return kind(
        call=call.what,
        http_status=reply.status,
        error=redact(str(envelope.error)) if envelope.error else None,
        error_id=_plain(envelope.error_id),
        error_code=_plain(envelope.error_code),
        retry_after_s=wait_s,
        hint=hint,
    )


def _plain(value: Any) -> str | None:
    """Return an id or code as text; anything longer is not one."""
    text = "" if value is None else str(value)
    return text if len(text) <= _MAX_ID_LENGTH and text.replace("-", "").replace("_", "").isalnum() else None


def described(reply: Reply) -> str:
    """Return what a reply is, without anything of it."""
    media_type = reply.headers.get("content-type", "no content type").split(";")[0][:60]
    return f"{len(reply.body)} bytes of {media_type}"


def _shape(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 ({error.reason})"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    # msgspec's validation texts name types and paths; its decoding texts name a position. Neither quotes a value,
    # except for enumerations, which no model here has.
    return str(error).rstrip(".")
