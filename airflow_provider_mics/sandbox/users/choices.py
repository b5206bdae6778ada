"""User choices, and every value they have had."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.sandbox.messages import HttpError, not_found, ok
from airflow_provider_mics.sandbox.users.identifiers import Identifier, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.messages import Request, Response
    from airflow_provider_mics.sandbox.users.points import UserPoint, UserPoints


class Choices:
    """The handlers of ``user_points/<selector>/user_choices[/processing_id=p[/change_log]]``."""

    def __init__(self, points: UserPoints, clock: Clock) -> None:
        self._points = points
        self._clock = clock

    async def put(self, datamart_id: str, identifier: Identifier, item: str, request: Request) -> Response:
        """Store a choice."""
        processing_id = _processing(item)
        body = await request.json_object()
        if not isinstance(body.get("$choice_acceptance_value"), bool) or not isinstance(body.get("$choice_ts"), int):
            # Both are required by the vendor's types; UNKNOWN how it refuses: we answer 400.
            raise HttpError(HTTPStatus.BAD_REQUEST, "$choice_acceptance_value and $choice_ts are required")
        with self._points.lock:
            return ok(put_choice(self._points.put(datamart_id, [identifier]), processing_id, body, self._clock.now()))

    def list(self, datamart_id: str, identifier: Identifier) -> Response:
        """Read all choices of a person."""
        with self._points.lock:
            return ok(list(self._points.known(datamart_id, identifier).choices.values()))

    def get(self, datamart_id: str, identifier: Identifier, item: str) -> Response:
        """Read one choice."""
        processing_id = _processing(item)
        with self._points.lock:
            choices = self._points.known(datamart_id, identifier).choices
            if processing_id not in choices:
                raise not_found()
            return ok(choices[processing_id])

    def delete(self, datamart_id: str, identifier: Identifier, item: str) -> Response:
        """Delete one choice: INFERRED, by symmetry with bulk imports. Its history stays."""
        processing_id = _processing(item)
        with self._points.lock:
            choices = self._points.known(datamart_id, identifier).choices
            if processing_id not in choices:
                raise not_found()
            return ok(choices.pop(processing_id))

    def changes(self, datamart_id: str, identifier: Identifier, item: str) -> Response:
        """List every value a choice has had, oldest first. UNKNOWN at the vendor: the order and the fields."""
        processing_id = _processing(item)
        with self._points.lock:
            changes = self._points.known(datamart_id, identifier).changes.get(processing_id)
            if not changes:
                raise not_found()
            return ok(changes)


def put_choice(point: UserPoint, processing_id: str, body: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Store a choice, and remember it in the history."""
    choice = {**body, "$processing_id": processing_id, "$user_point_id": point.id, "$creation_ts": now}
    point.choices[processing_id] = choice
    point.changes.setdefault(processing_id, []).append(choice)
    return choice


def _processing(item: str) -> str:
    processing_id = value_of(item, "processing_id")
    if processing_id is None:
        raise HttpError(HTTPStatus.BAD_REQUEST, "Not a choice selector")
    return processing_id
