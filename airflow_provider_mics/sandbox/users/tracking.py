"""Activities and associations of identifiers: taken one by one, read back as time lines."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.sandbox.clock import milliseconds
from airflow_provider_mics.sandbox.messages import HttpError, is_true, ok, page, window
from airflow_provider_mics.sandbox.rules import association, user_activity
from airflow_provider_mics.sandbox.users.choices import put_choice
from airflow_provider_mics.sandbox.users.identifiers import DEFAULT_COMPARTMENT, Identifier, of_activity, of_element
from airflow_provider_mics.sandbox.users.profiles import put_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.messages import Request, Response
    from airflow_provider_mics.sandbox.settings import Settings
    from airflow_provider_mics.sandbox.users.points import UserPoint, UserPoints

_PROFILE_EVENT: Final = "$set_user_profile_properties"
_CHOICE_EVENT: Final = "$set_user_choice"


class Tracking:
    """The handlers of ``user_activities``, ``user_timelines`` and ``user_identifiers_association_declarations``."""

    def __init__(self, points: UserPoints, clock: Clock, settings: Settings) -> None:
        self._points = points
        self._clock = clock
        self._settings = settings
        self._activities: list[dict[str, Any]] = []

    @property
    def activities(self) -> list[dict[str, Any]]:
        """Activities received, oldest first, as they were sent."""
        with self._points.lock:
            return list(self._activities)

    def clear(self) -> None:
        """Forget the activities received."""
        with self._points.lock:
            self._activities.clear()

    async def track(self, datamart_id: str, request: Request) -> Response:
        """Take one activity. UNKNOWN at the vendor: how a bad one is refused (we answer 400), and what ``data`` is."""
        activity = await request.json_object()
        problem = user_activity(activity)
        if problem is not None:
            raise HttpError(HTTPStatus.BAD_REQUEST, problem)
        pipeline = _boolean(request.query, "processing_pipeline")
        # Stored after the answer unless the request says otherwise, so that a test of reading back has to wait.
        later = milliseconds(self._settings.activity_lag_s) if _boolean(request.query, "async") else 0
        if self._settings.keep_activities:
            with self._points.lock:
                self._activities.append(activity)
                self.store(datamart_id, activity, pipeline=pipeline, at=self._clock.now() + later)
        return ok(data=True)

    def store(self, datamart_id: str, activity: Mapping[str, Any], *, pipeline: bool, at: int) -> None:
        """Keep an activity with its person, and do what its events say if it goes through the pipeline.

        INFERRED: an activity with the ``$unique_key`` of one that is there replaces it; and a choice or profile event
        does nothing when the pipeline is left out.

        :param at: from when it can be read, milliseconds.
        """
        point = self._points.put(datamart_id, of_activity(activity))
        key = activity.get("$unique_key") or str(uuid.uuid1())
        point.activities = [item for item in point.activities if item[1]["$unique_key"] != key]
        point.activities.append((at, {**activity, "$unique_key": key, "$user_point_id": point.id}))
        if pipeline:
            for event in activity.get("$events") or ():
                self._apply(point, event["$event_name"], event.get("$properties") or {})

    def _apply(self, point: UserPoint, name: str, properties: Mapping[str, Any]) -> None:
        now = self._clock.now()
        if name == _PROFILE_EVENT:
            compartment = properties.get("$compartment_id")
            account = properties.get("$user_account_id")
            named = DEFAULT_COMPARTMENT if compartment is None else str(compartment)
            put_profile(point, (named, None if account is None else str(account)), properties, now)
        elif name == _CHOICE_EVENT and properties.get("$processing_id") is not None:
            choice = {"$choice_ts": now, **properties}
            put_choice(point, str(properties["$processing_id"]), choice, now)

    async def associate(self, datamart_id: str, request: Request) -> Response:
        """Take one association of identifiers. UNKNOWN at the vendor: how a bad one is refused (we answer 400)."""
        declaration = await request.json_object()
        problem = association(declaration)
        if problem is not None:
            raise HttpError(HTTPStatus.BAD_REQUEST, problem)
        self.relate(datamart_id, declaration)
        return ok(declaration)

    def relate(self, datamart_id: str, declaration: Mapping[str, Any]) -> None:
        """Make one person of all identifiers of a declaration."""
        found = [item for element in declaration["identifiers"] if (item := of_element(element)) is not None]
        with self._points.lock:
            self._points.put(datamart_id, found)

    def timeline(self, datamart_id: str, identifier: Identifier, query: Mapping[str, str]) -> Response:
        """List a person's activities, newest first. INFERRED: the order, and that pages work as elsewhere."""
        chosen = _filter(query.get("filters", ""))
        now = self._clock.now()
        with self._points.lock:
            stored = self._points.known(datamart_id, identifier).activities
            found = [activity for at, activity in reversed(stored) if at <= now and chosen(activity)]
        asked = window(query, self._settings.default_page_size, self._settings.max_page_size)
        return page(asked.of(found), len(found), asked)

    def delete_activities(self, datamart_id: str, identifier: Identifier, query: Mapping[str, str]) -> Response:
        """Delete a person's activities that the filters choose. UNKNOWN what the vendor answers: we answer no data."""
        chosen = _filter(query.get("filters", ""))
        with self._points.lock:
            point = self._points.known(datamart_id, identifier)
            point.activities = [item for item in point.activities if not chosen(item[1])]
        return ok(data=None)


def activity_key(activity: Mapping[str, Any]) -> str:
    """Name an activity for the counters: by its ``$unique_key``, or by its first identifier."""
    key = activity.get("$unique_key")
    if key is not None:
        return str(key)
    try:
        return next((item.selector for item in of_activity(activity)), "")
    except (KeyError, TypeError, AttributeError):
        # It will be refused; it counts all the same.
        return ""


def association_key(declaration: Mapping[str, Any]) -> str:
    """Name an association for the counters: by all its identifiers."""
    try:
        found = (of_element(element) for element in declaration["identifiers"])
        return " ".join(item.selector for item in found if item is not None)
    except (KeyError, TypeError, AttributeError):
        return ""


def _filter(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """Read ``field==v1|v2,field2==v``: a comma is "and", a bar "or"; ``start_ts`` and ``end_ts`` bound ``$ts``.

    UNKNOWN at the vendor: how another form is refused (we answer 400), and whether the bounds belong to the span.
    """
    wanted: list[tuple[str, set[str]]] = []
    for part in text.split(",") if text else ():
        name, sign, values = part.partition("==")
        if not sign:
            raise HttpError(HTTPStatus.BAD_REQUEST, f"Not a filter: {part}")
        wanted.append((name.strip(), set(values.split("|"))))

    def chosen(activity: Mapping[str, Any]) -> bool:
        return all(_passes(activity, name, values) for name, values in wanted)

    return chosen


def _passes(activity: Mapping[str, Any], name: str, values: set[str]) -> bool:
    if name == "start_ts":
        return all(activity.get("$ts", 0) >= int(value) for value in values)
    if name == "end_ts":
        return all(activity.get("$ts", 0) <= int(value) for value in values)
    return str(activity.get(name)) in values


def _boolean(query: Mapping[str, str], name: str) -> bool:
    """Read a switch that is on when it is not named (INFERRED); anything but true and false is answered with 400."""
    if query.get(name, "true").lower() not in {"true", "false"}:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"{name} must be true or false")
    return name not in query or is_true(query, name)
