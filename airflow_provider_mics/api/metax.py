"""Endpoints of MetaX, JunctionTV's metadata exchange: what subscribers of a video service watch and like.

Sources, all on JunctionTV's API site: the page on bulk ingestion of a subscriber's activity history for user stats, and
those on favourites. Nothing here is mediarithmics' but the transports. What an accepted PUT answers is not public: any
2xx is taken, unless it says that it is an error.
"""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from airflow_provider_mics.api.call import Call, Reply, json_body
from airflow_provider_mics.api.envelope import described, kind_of
from airflow_provider_mics.api.identifiers import flags
from airflow_provider_mics.api.redaction import redact
from airflow_provider_mics.api.repeat import retry_after
from airflow_provider_mics.api.selectors import identifier
from airflow_provider_mics.exceptions import MicsConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_mics.exceptions import MicsAPIError

#: Fields of ``view_data`` that are sums. The page says of a delta that it has "additional information", and of a new
#: value that it takes the place of the old: whether a sum that is sent twice counts twice is not public.
SUMS: Final = ("play_count", "view_time")

_HINTS: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "Check the connection's password: an access token may have ended; with a client id in "
    "login, it is the client secret.",
    HTTPStatus.FORBIDDEN: "The connection's token has no right to it.",
    HTTPStatus.NOT_FOUND: "Check the connection's host: a server that is no MetaX answers so.",
    HTTPStatus.TOO_MANY_REQUESTS: "Set rate_limit (requests/s) in the connection's extra.",
}


def put_user_stats(subscriber_id: str, stats: Mapping[str, Any], *, is_delta: bool = True) -> Call[None]:
    """Add to what is known of a subscriber, or replace it.

    :param stats: ``favorites`` and ``view_data``, in the vendor's form. With ``is_delta``, a field that is absent keeps
        what is there; ``favorites`` replaces the list, and ``[]`` erases it; an asset of ``view_data`` keeps its
        fields that are not named.
    :param is_delta: False: what is sent takes the place of the subscriber's whole history.
    """
    what = "put a subscriber's user stats" if is_delta else "replace a subscriber's user stats"
    return Call(
        what=what,
        method="PUT",
        path=f"/metax/3.0/ui/user/stat/{_subscriber(subscriber_id)}",
        query=flags({"isDelta": is_delta}),
        read=_reader(what, lambda _: None),
        read_error=read_error,
        repeatable=not (is_delta and has_sums(stats)),
        **json_body(stats),
    )


def has_sums(stats: Mapping[str, Any]) -> bool:
    """Return whether user stats hold what may count again if it is sent again as a delta."""
    view_data = stats.get("view_data")
    # Nothing is checked before: what is no list of objects is the server's to refuse.
    entries = [entry for entry in view_data if isinstance(entry, dict)] if isinstance(view_data, list) else []
    return any(name in entry for entry in entries for name in SUMS)


def list_favorites(subscriber_id: str, *, size: str | None = None) -> Call[Any]:
    """Get a subscriber's favourite items.

    :param size: How much is told of each, ``min`` or ``max``; None: not sent, which means ``min``.
    """
    what = "list a subscriber's favorites"
    return Call(
        what=what,
        method="GET",
        path=_favorites(subscriber_id),
        query=() if size is None else (("size", size),),
        read=_reader(what, msgspec.json.decode),
        read_error=read_error,
        repeatable=True,
    )


def add_favorite(subscriber_id: str, asset_id: str) -> Call[None]:
    """Add an asset to a subscriber's favourites."""
    return _change_favorite("PUT", "add a favorite of a subscriber", subscriber_id, asset_id)


def delete_favorite(subscriber_id: str, asset_id: str) -> Call[None]:
    """Take an asset from a subscriber's favourites."""
    return _change_favorite("DELETE", "delete a favorite of a subscriber", subscriber_id, asset_id)


def read_error(what: str, reply: Reply, hints: Mapping[int, str] = _HINTS) -> MicsAPIError:
    """Read an error, which comes as ``{"result": "error", "message", "reason"}`` or as the page of a web server.

    :param hints: What to do, by HTTP status.
    """
    refusal = _refusal(reply)
    wait_s = retry_after(reply.headers, dt.datetime.now(dt.UTC))
    texts = [text for text in (refusal or {}).values() if text]
    return kind_of(reply.status)(
        call=what,
        http_status=reply.status,
        error=redact(": ".join(texts)) if texts else f"{described(reply)}, not an error of MetaX",
        retry_after_s=wait_s,
        has_envelope=refusal is not None,
        hint=hints.get(reply.status),
    )


def _reader(what: str, read: Callable[[bytes], Any]) -> Callable[[Reply], Any]:
    def read_accepted(reply: Reply) -> Any:
        if _refusal(reply) is not None:
            raise read_error(what, reply)
        return read(reply.body)

    return read_accepted


def _refusal(reply: Reply) -> dict[str, str] | None:
    """Return the texts of an error in MetaX's form; None if it is none."""
    try:
        found = msgspec.json.decode(reply.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(found, dict) or str(found.get("result")).lower() != "error":
        return None
    return {name: str(found.get(name) or "") for name in ("message", "reason")}


def _change_favorite(method: str, what: str, subscriber_id: str, asset_id: str) -> Call[None]:
    return Call(
        what=what,
        method=method,
        path=f"{_favorites(subscriber_id)}/{_segment(asset_id, 'asset id')}",
        read=_reader(what, lambda _: None),
        read_error=read_error,
        repeatable=True,
    )


def _favorites(subscriber_id: str) -> str:
    return f"/metax/2.1/activity/fav/{_subscriber(subscriber_id)}"


def _subscriber(subscriber_id: str) -> str:
    return _segment(subscriber_id, "subscriber id")


def _segment(value: str, name: str) -> str:
    """Return an id as one segment of a path: escaped but for the @, as the vendor's own examples write it."""
    if identifier(value, name) in {".", ".."}:
        # Every client and server reads these as ways through the path, escaped too.
        raise MicsConfigurationError(f"A {name} cannot be . or .. in MetaX's addresses.")
    return quote(value, safe="@")
