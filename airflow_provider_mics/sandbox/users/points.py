"""The people of all datamarts, and by which identifiers they are found."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.sandbox.messages import not_found

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.users.identifiers import Identifier

#: (compartment, account) of a profile; the account is None for an anonymous one.
ProfileKey = tuple[str, str | None]


@dataclass(slots=True)
class UserPoint:
    """One person, as far as the stand-in knows.

    :param created: milliseconds since the epoch.
    :param identifiers: with the moment each came to be known.
    :param changes: every value that each choice has had.
    :param segments: memberships by segment id.
    :param activities: those stored, each with the moment from which it can be read.
    """

    id: str
    created: int
    identifiers: dict[Identifier, int] = field(default_factory=dict)
    profiles: dict[ProfileKey, dict[str, Any]] = field(default_factory=dict)
    choices: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    segments: dict[str, dict[str, Any]] = field(default_factory=dict)
    activities: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def absorb(self, other: UserPoint) -> None:
        """Take over what another point holds; what both hold stays this one's. UNKNOWN at the vendor."""
        self.identifiers = other.identifiers | self.identifiers
        self.profiles = other.profiles | self.profiles
        self.choices = other.choices | self.choices
        self.changes = other.changes | self.changes
        self.segments = other.segments | self.segments
        self.activities += other.activities

    def as_json(self) -> dict[str, Any]:
        """Return everything, for the control API."""
        return {
            "user_point_id": self.id,
            "identifiers": [item.selector for item in self.identifiers],
            "profiles": list(self.profiles.values()),
            "choices": self.choices,
            "changes": self.changes,
            "segments": self.segments,
            "activities": [activity for _, activity in self.activities],
        }


class UserPoints:
    """The store. Its methods that find or change something are called with ``lock`` held."""

    def __init__(self, clock: Clock) -> None:
        self.lock = threading.RLock()
        self._clock = clock
        self._points: dict[tuple[str, str], UserPoint] = {}
        self._by_identifier: dict[tuple[str, Identifier], UserPoint] = {}

    def __len__(self) -> int:
        return len(self._points)

    def clear(self) -> None:
        """Forget everybody."""
        with self.lock:
            self._points.clear()
            self._by_identifier.clear()

    def find(self, datamart_id: str, identifier: Identifier) -> UserPoint | None:
        """Find a person."""
        if identifier.kind == "USER_POINT":
            return self._points.get((datamart_id, identifier.value))
        return self._by_identifier.get((datamart_id, identifier))

    def known(self, datamart_id: str, identifier: Identifier) -> UserPoint:
        """Find a person, or answer 404: the vendor says so for people without data."""
        point = self.find(datamart_id, identifier)
        if point is None:
            raise not_found()
        return point

    def put(self, datamart_id: str, identifiers: Iterable[Identifier]) -> UserPoint:
        """Find the person of all these identifiers, or make one.

        An activity with an unknown identifier makes a point, by the vendor; INFERRED that profiles and choices do too.
        Several points named at once become one, the oldest; the vendor says so of associations, INFERRED of activities.
        """
        wanted = list(identifiers)
        found = {point.id: point for item in wanted if (point := self.find(datamart_id, item)) is not None}
        if found:
            oldest, *others = sorted(found.values(), key=lambda point: point.created)
        else:
            named = next((item.value for item in wanted if item.kind == "USER_POINT"), None)
            oldest, others = UserPoint(named or str(uuid.uuid4()), self._clock.now()), []
            self._points[datamart_id, oldest.id] = oldest
        for other in others:
            oldest.absorb(other)
            del self._points[datamart_id, other.id]
            for item in other.identifiers:
                self._by_identifier[datamart_id, item] = oldest
        for item in wanted:
            if item.kind != "USER_POINT" and item not in oldest.identifiers:
                oldest.identifiers[item] = self._clock.now()
                self._by_identifier[datamart_id, item] = oldest
        return oldest

    def forget_identifier(self, datamart_id: str, identifier: Identifier) -> None:
        """Take an identifier away from its person, who stays."""
        point = self._by_identifier.pop((datamart_id, identifier), None)
        if point is not None:
            del point.identifiers[identifier]

    def delete(self, datamart_id: str, point: UserPoint) -> None:
        """Forget a person."""
        del self._points[datamart_id, point.id]
        for item in point.identifiers:
            del self._by_identifier[datamart_id, item]
