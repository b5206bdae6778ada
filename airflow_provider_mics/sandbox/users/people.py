"""User points themselves: their identifiers, their segments, and their erasure."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.sandbox.messages import HttpError, not_found, ok
from airflow_provider_mics.sandbox.users.identifiers import DEVICE_POINT, Identifier, value_of

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox.messages import Response
    from airflow_provider_mics.sandbox.users.points import UserPoint, UserPoints


class People:
    """The handlers of ``user_points/<selector>``, ``user_identifiers`` and ``user_segments``."""

    def __init__(self, points: UserPoints) -> None:
        self._points = points

    def identifiers(self, datamart_id: str, identifier: Identifier) -> Response:
        """List a person's identifiers. The item of the point itself is second: clients must not count on its place."""
        with self._points.lock:
            point = self._points.known(datamart_id, identifier)
            found = [_resource(item, created) for item, created in point.identifiers.items()]
            own = {"type": "USER_POINT", "user_point_id": point.id, "creation_ts": point.created}
        return ok([*found[:1], own, *found[1:]])

    def segments(self, datamart_id: str, identifier: Identifier) -> Response:
        """List the segments a person is in."""
        with self._points.lock:
            return ok(list(self._points.known(datamart_id, identifier).segments.values()))

    def segment(self, datamart_id: str, identifier: Identifier, item: str) -> Response:
        """Read one membership."""
        segment_id = value_of(item, "audience_segment_id")
        if segment_id is None:
            raise HttpError(HTTPStatus.BAD_REQUEST, "Not a segment selector")
        with self._points.lock:
            segments = self._points.known(datamart_id, identifier).segments
            if segment_id not in segments:
                raise not_found()
            return ok(segments[segment_id])

    def delete(self, datamart_id: str, identifier: Identifier) -> Response:
        """Erase a person. UNKNOWN what the vendor answers: we answer no data."""
        with self._points.lock:
            self._points.delete(datamart_id, self._points.known(datamart_id, identifier))
        return ok(data=None)

    def describe(self, datamart_id: str, identifier: Identifier) -> dict[str, Any]:
        """Return all of a person, for tests."""
        with self._points.lock:
            return self._points.known(datamart_id, identifier).as_json()


def put_segment(point: UserPoint, segment_id: str, data_bag: str | None, expiration_ts: int | None, now: int) -> None:
    """Put a person into a segment, or change the membership.

    :param expiration_ts: milliseconds; None: never.
    """
    stored = point.segments.get(segment_id)
    point.segments[segment_id] = {
        "segment_id": segment_id,
        "data_bag": data_bag,
        "creation_ts": now if stored is None else stored["creation_ts"],
        "last_modified_ts": now,
        **({} if expiration_ts is None else {"expiration_ts": expiration_ts}),
    }


def _resource(identifier: Identifier, created: int) -> dict[str, Any]:
    """Render an identifier as the vendor's UI types it; a compartment is a number there."""
    match identifier.kind:
        case "USER_ACCOUNT":
            compartment = identifier.compartment_id or ""
            return {
                "type": "USER_ACCOUNT",
                "user_account_id": identifier.value,
                "compartment_id": int(compartment) if compartment.isdecimal() else compartment,
                "creation_ts": created,
            }
        case "USER_EMAIL":
            return {
                "type": "USER_EMAIL",
                "hash": identifier.value,
                "creation_ts": created,
                "last_activity_ts": created,
                "providers": [],
            }
        case _ if identifier.value.startswith(DEVICE_POINT):
            return {
                "type": "USER_DEVICE_POINT",
                "id": identifier.value,
                "device": None,
                "technical_identifiers": [],
                "creation_ts": created,
            }
        case _:
            return {
                "type": "USER_AGENT",
                "vector_id": identifier.value,
                "device": None,
                "creation_ts": created,
                "last_activity_ts": created,
                "providers": [],
                "mappings": [],
            }
