"""The unit API: user activities, and a small store of user points, profiles and choices."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.sandbox.messages import HttpError, merge, not_found, ok
from airflow_provider_mics.sandbox.rules import association, user_activity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.messages import Request, Response

#: Compartment of an account for which none is named. Every datamart has a default one; this id is ours.
DEFAULT_COMPARTMENT: Final = "1000"
_SELECTORS: Final = ("user_agent_id", "email_hash", "user_account_id")
#: (compartment, account) of a profile; the account is None for an anonymous one.
_ProfileKey = tuple[str, str | None]


@dataclass(slots=True)
class UserPoint:
    """One person, as far as the stand-in knows."""

    id: str
    profiles: dict[_ProfileKey, dict[str, Any]] = field(default_factory=dict)
    choices: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class Users:
    """The handlers of ``/v1/datamarts/:datamartId/user_points/...`` and ``.../user_activities``.

    Bulk imports do not reach this store: it holds what came through the unit API only.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._points: dict[tuple[str, str], UserPoint] = {}
        self._activities: list[dict[str, Any]] = []

    @property
    def activities(self) -> list[dict[str, Any]]:
        """Activities received, oldest first."""
        with self._lock:
            return list(self._activities)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._points.clear()
            self._activities.clear()

    async def track(self, request: Request) -> Response:
        """Take one activity. UNKNOWN at the vendor: how a bad one is refused (we answer 400), and what ``data`` is."""
        activity = await request.json_object()
        problem = user_activity(activity)
        if problem is not None:
            raise HttpError(HTTPStatus.BAD_REQUEST, problem)
        with self._lock:
            self._activities.append(activity)
        return ok(data=True)

    async def associate(self, request: Request) -> Response:
        """Take one association of identifiers. UNKNOWN at the vendor: how a bad one is refused (we answer 400)."""
        declaration = await request.json_object()
        problem = association(declaration)
        if problem is not None:
            raise HttpError(HTTPStatus.BAD_REQUEST, problem)
        return ok(declaration)

    async def profile(self, datamart_id: str, selector: str, tail: list[str], request: Request) -> Response:
        """Answer ``user_points/<selector>/user_profiles[/compartment_id=c[/user_account_id=a]]``."""
        body = await request.json_object() if request.method == "PUT" else {}
        with self._lock:
            if request.method == "PUT":
                key = _profile_key(tail)
                return ok(self._put_profile(self._point(datamart_id, selector), key, body, request.query))
            profiles = self._known(datamart_id, selector).profiles
            if request.method == "GET" and not tail:
                return ok(list(profiles.values()))
            key = _profile_key(tail)
            if key not in profiles:
                raise not_found()
            # DELETE is INFERRED from "retrieve, create, update or delete"; UNKNOWN what it answers.
            return ok(profiles.pop(key) if request.method == "DELETE" else profiles[key])

    def _put_profile(
        self, point: UserPoint, key: _ProfileKey, body: Mapping[str, Any], query: Mapping[str, str]
    ) -> dict[str, Any]:
        """Store a profile, in one of three ways.

        ``force_replace=true`` replaces it; otherwise top-level fields are merged, and with ``merge_objects=true`` the
        objects in them too. UNKNOWN at the vendor: arrays and nulls in a deep merge (we replace, and store the null).
        """
        now = self._clock.now()
        stored = point.profiles.get(key, {})
        created = stored.get("$creation_ts", now)
        profile: dict[str, Any] = {}
        if not _flag(query, "force_replace"):
            merge(profile, stored)
        if _flag(query, "merge_objects") and not _flag(query, "force_replace"):
            merge(profile, body)
        else:
            profile.update(body)
        profile["$compartment_id"] = key[0]
        if key[1] is not None:
            profile["$user_account_id"] = key[1]
        profile.update({"$creation_ts": created, "$last_modified_ts": now})
        point.profiles[key] = profile
        return profile

    async def choice(self, datamart_id: str, selector: str, tail: list[str], request: Request) -> Response:
        """Answer ``user_points/<selector>/user_choices[/processing_id=p]``."""
        body = await request.json_object() if request.method == "PUT" else {}
        with self._lock:
            if request.method == "GET" and not tail:
                return ok(list(self._known(datamart_id, selector).choices.values()))
            processing_id = _processing(tail[0])
            if request.method == "PUT":
                return ok(self._put_choice(datamart_id, selector, processing_id, body))
            choices = self._known(datamart_id, selector).choices
            if processing_id not in choices:
                raise not_found()
            # DELETE is INFERRED, by symmetry with bulk imports.
            return ok(choices.pop(processing_id) if request.method == "DELETE" else choices[processing_id])

    def choice_changes(self, datamart_id: str, selector: str, item: str) -> Response:
        """List every value a choice has had, oldest first. UNKNOWN at the vendor: the order and the fields."""
        with self._lock:
            changes = self._known(datamart_id, selector).changes.get(_processing(item))
        if not changes:
            raise not_found()
        return ok(changes)

    def _put_choice(
        self, datamart_id: str, selector: str, processing_id: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        if not isinstance(body.get("$choice_acceptance_value"), bool) or not isinstance(body.get("$choice_ts"), int):
            # Both are required by the vendor's types; UNKNOWN how it refuses: we answer 400.
            raise HttpError(HTTPStatus.BAD_REQUEST, "$choice_acceptance_value and $choice_ts are required")
        point, now = self._point(datamart_id, selector), self._clock.now()
        choice = {**body, "$processing_id": processing_id, "$user_point_id": point.id, "$creation_ts": now}
        point.choices[processing_id] = choice
        point.changes.setdefault(processing_id, []).append(choice)
        return choice

    def delete_point(self, datamart_id: str, selector: str) -> Response:
        """Erase a person. UNKNOWN what the vendor answers: we answer no data."""
        with self._lock:
            erased = self._known(datamart_id, selector)
            self._points = {key: point for key, point in self._points.items() if point is not erased}
        return ok(data=None)

    def _point(self, datamart_id: str, selector: str) -> UserPoint:
        """Find a person, or make one: INFERRED that an unknown identifier does so, as it does for activities."""
        key = datamart_id, _canonical(selector)
        point = self._points.get(key)
        if point is None:
            point = UserPoint(_value(key[1], "user_point_id") or str(uuid.uuid4()))
            self._points[key] = self._points[datamart_id, f"user_point_id={point.id}"] = point
        return point

    def _known(self, datamart_id: str, selector: str) -> UserPoint:
        """Find a person, or answer 404: the vendor says so for people without data."""
        point = self._points.get((datamart_id, _canonical(selector)))
        if point is None:
            raise not_found()
        return point


def _canonical(selector: str) -> str:
    """Read a selector: a UUID, ``name=value``, or ``compartment_id=c,user_account_id=a`` with a comma.

    UNKNOWN at the vendor: how a selector of another form is refused (we answer 400).
    """
    try:
        return f"user_point_id={uuid.UUID(_value(selector, 'user_point_id') or selector)}"
    except ValueError:
        pass
    # Ids may hold commas themselves: only the comma before the account's name parts the pair.
    first, comma, rest = selector.partition(",user_account_id=")
    if comma and _value(first, "compartment_id") and rest:
        return selector
    if any(_value(selector, name) for name in _SELECTORS):
        account = _value(selector, "user_account_id")
        return f"compartment_id={DEFAULT_COMPARTMENT},user_account_id={account}" if account else selector
    raise HttpError(HTTPStatus.BAD_REQUEST, f"Not a user point selector: {selector}")


def _profile_key(tail: list[str]) -> _ProfileKey:
    """Read which profile is meant; without any account it is the compartment's anonymous one."""
    named = dict(item.partition("=")[::2] for item in tail)
    if not set(named) <= {"compartment_id", "user_account_id"} or not all(named.values()):
        raise HttpError(HTTPStatus.BAD_REQUEST, "Not a profile selector")
    return named.get("compartment_id", DEFAULT_COMPARTMENT), named.get("user_account_id")


def _processing(item: str) -> str:
    processing_id = _value(item, "processing_id")
    if processing_id is None:
        raise HttpError(HTTPStatus.BAD_REQUEST, "Not a choice selector")
    return processing_id


def _value(item: str, name: str) -> str | None:
    found, _, value = item.partition("=")
    return value if found == name and value else None


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() == "true"
