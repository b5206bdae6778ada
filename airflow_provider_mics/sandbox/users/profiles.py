"""User profiles: several of one person, by compartment and account."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.sandbox.messages import HttpError, is_true, merge, not_found, ok
from airflow_provider_mics.sandbox.users.identifiers import DEFAULT_COMPARTMENT, Identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.messages import Request, Response
    from airflow_provider_mics.sandbox.users.points import ProfileKey, UserPoint, UserPoints


class Profiles:
    """The handlers of ``user_points/<selector>/user_profiles[/compartment_id=c[/user_account_id=a]]``."""

    def __init__(self, points: UserPoints, clock: Clock) -> None:
        self._points = points
        self._clock = clock

    async def put(self, datamart_id: str, identifier: Identifier, tail: list[str], request: Request) -> Response:
        """Store a profile. The selector names the person, the tail the profile: they may differ."""
        body = await request.json_object()
        key = profile_key(tail)
        with self._points.lock:
            point = self._points.put(datamart_id, [identifier])
            replace, deep = is_true(request.query, "force_replace"), is_true(request.query, "merge_objects")
            return ok(put_profile(point, key, body, self._clock.now(), replace=replace, deep=deep))

    def get(self, datamart_id: str, identifier: Identifier, tail: list[str]) -> Response:
        """Read one profile, or all of them."""
        with self._points.lock:
            profiles = self._points.known(datamart_id, identifier).profiles
            if not tail:
                return ok(list(profiles.values()))
            key = profile_key(tail)
            if key not in profiles:
                raise not_found()
            return ok(profiles[key])

    def delete(self, datamart_id: str, identifier: Identifier, tail: list[str]) -> Response:
        """Delete one profile. INFERRED from "retrieve, create, update or delete"; UNKNOWN what it answers."""
        key = profile_key(tail)
        with self._points.lock:
            profiles = self._points.known(datamart_id, identifier).profiles
            if key not in profiles:
                raise not_found()
            return ok(profiles.pop(key))


def put_profile(
    point: UserPoint, key: ProfileKey, body: Mapping[str, Any], now: int, *, replace: bool = False, deep: bool = False
) -> dict[str, Any]:
    """Store a profile, in one of three ways.

    UNKNOWN at the vendor: arrays and nulls in a deep merge (we replace, and store the null).

    :param replace: nothing of the stored profile stays; otherwise top-level fields are merged.
    :param deep: merge the objects in them too.
    """
    stored = point.profiles.get(key, {})
    created = stored.get("$creation_ts", now)
    profile: dict[str, Any] = {}
    if not replace:
        merge(profile, stored)
    if deep and not replace:
        merge(profile, body)
    else:
        profile.update(body)
    profile["$compartment_id"] = key[0]
    if key[1] is not None:
        profile["$user_account_id"] = key[1]
    profile.update({"$creation_ts": created, "$last_modified_ts": now})
    point.profiles[key] = profile
    return profile


def profile_key(tail: list[str]) -> ProfileKey:
    """Read which profile is meant; without any account it is the compartment's anonymous one."""
    named = dict(item.partition("=")[::2] for item in tail)
    if not set(named) <= {"compartment_id", "user_account_id"} or not all(named.values()):
        raise HttpError(HTTPStatus.BAD_REQUEST, "Not a profile selector")
    return named.get("compartment_id", DEFAULT_COMPARTMENT), named.get("user_account_id")
