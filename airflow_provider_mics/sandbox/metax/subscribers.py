"""What subscribers watched and like, and how a PUT changes it."""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_rating(value: Any) -> bool:
    """Tell whether it is a rating from 0 to 5. UNKNOWN at the vendor whether halves are fine: they are here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 5  # noqa: PLR2004


#: Fields of an entry of ``view_data`` beside ``asset_id``: times in seconds, but ``last_played_on`` in milliseconds.
_VIEW_FIELDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "play_count": _is_count,
    "view_time": _is_count,
    "pause_time": _is_count,
    "last_played_on": _is_count,
    "user_rating": _is_rating,
}


@dataclass(slots=True)
class Subscriber:
    """One subscriber's history.

    :param view_data: entries by asset id.
    """

    favorites: list[str] = field(default_factory=list)
    view_data: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the history in the form in which it is sent."""
        return {"favorites": list(self.favorites), "view_data": copy.deepcopy(list(self.view_data.values()))}


def changed(present: Subscriber, body: Mapping[str, Any], *, delta: bool) -> Subscriber:
    """Apply a body that was checked.

    With ``delta`` the list of favourites is replaced if it is sent (an empty one erases it) and kept otherwise; each
    entry of ``view_data`` changes the fields it has, of its asset only. Without, the body is the whole history.
    """
    start = present if delta else Subscriber()
    favorites = body.get("favorites")
    result = Subscriber(
        list(start.favorites if favorites is None else favorites),
        {asset: dict(entry) for asset, entry in start.view_data.items()},
    )
    for entry in body.get("view_data") or ():
        known = {name: entry[name] for name in _VIEW_FIELDS if name in entry}
        asset = entry["asset_id"]
        result.view_data[asset] = {"asset_id": asset, **result.view_data.get(asset, {}), **known}
    return result


def problem_of(body: Mapping[str, Any]) -> str | None:
    """Say what is wrong with a body; None: nothing.

    UNKNOWN at the vendor: how strict it is. Types and ranges are those of its page; unknown fields, the ``user_id``
    that its page once mentions among them, are ignored, and null is refused where the page has an array or a number.
    """
    favorites = body.get("favorites", [])
    if not isinstance(favorites, list) or not all(isinstance(item, str) and item for item in favorites):
        return "favorites must be an array of asset ids"
    view_data = body.get("view_data", [])
    if not isinstance(view_data, list):
        return "view_data must be an array"
    for number, entry in enumerate(view_data):
        if not isinstance(entry, dict) or not isinstance(entry.get("asset_id"), str) or not entry["asset_id"]:
            return f"asset_id is missing in view_data[{number}]"
        for name, fits in _VIEW_FIELDS.items():
            if name in entry and not fits(entry[name]):
                return f"{name} is not valid in view_data[{number}]"
    return None


class Subscribers:
    """The store, readable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: dict[str, Subscriber] = {}

    def __len__(self) -> int:
        return len(self._subscribers)

    def put(self, subscriber_id: str, body: Mapping[str, Any], *, delta: bool) -> None:
        """Change a subscriber's history; one who is not known yet starts with an empty one (INFERRED)."""
        with self._lock:
            present = self._subscribers.get(subscriber_id, Subscriber())
            self._subscribers[subscriber_id] = changed(present, body, delta=delta)

    def get(self, subscriber_id: str) -> dict[str, Any]:
        """Return a subscriber's history.

        :raises KeyError: nothing was ever sent for this one.
        """
        with self._lock:
            return self._subscribers[subscriber_id].as_json()

    def favorites(self, subscriber_id: str) -> list[str]:
        """Return a subscriber's favourites. INFERRED: nobody's are none, whoever it is."""
        with self._lock:
            return list(self._subscribers.get(subscriber_id, Subscriber()).favorites)

    def set_favorite(self, subscriber_id: str, asset: str, *, present: bool) -> None:
        """Add a favourite, or take it away."""
        with self._lock:
            favorites = self._subscribers.setdefault(subscriber_id, Subscriber()).favorites
            if present and asset not in favorites:
                favorites.append(asset)
            elif not present and asset in favorites:
                favorites.remove(asset)

    def clear(self) -> None:
        """Forget everybody."""
        with self._lock:
            self._subscribers.clear()
