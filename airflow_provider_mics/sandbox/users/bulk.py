"""Good lines of bulk imports, carried out on the same people as unit calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.api.constants import DocumentType
from airflow_provider_mics.sandbox.users.choices import put_choice
from airflow_provider_mics.sandbox.users.identifiers import DEFAULT_COMPARTMENT, of_command, of_element
from airflow_provider_mics.sandbox.users.people import put_segment
from airflow_provider_mics.sandbox.users.profiles import put_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.users.points import UserPoint, UserPoints
    from airflow_provider_mics.sandbox.users.tracking import Tracking

    Line = Mapping[str, Any]

_MINUTE_MS: Final = 60_000


class Bulk:
    """Carries lines out. Lines that were checked only: nothing is looked at twice.

    :param segment_id: finds a segment by its technical name.
    """

    def __init__(
        self, points: UserPoints, tracking: Tracking, clock: Clock, segment_id: Callable[[str], str | None]
    ) -> None:
        self._points = points
        self._tracking = tracking
        self._clock = clock
        self._segment_id = segment_id
        self._actions: dict[str, Callable[[str, Line], None]] = {
            DocumentType.USER_ACTIVITY: self._activity,
            DocumentType.USER_PROFILE: self._profile,
            DocumentType.USER_CHOICE: self._choice,
            DocumentType.USER_SEGMENT: self._segment,
            DocumentType.USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS: tracking.relate,
            DocumentType.USER_IDENTIFIERS_DELETION: self._forget,
            DocumentType.USER_DEVICE_POINTS_DELETION: self._forget,
            DocumentType.USER_POINTS_DELETION: self._erase,
        }

    def action(self, datamart_id: str, document_type: str) -> Callable[[Line], None] | None:
        """Return what carries out a line of this type; None: nothing does."""
        act = self._actions.get(document_type)
        if act is None:
            return None

        def carry_out(line: Line) -> None:
            with self._points.lock:
                act(datamart_id, line)

        return carry_out

    def _activity(self, datamart_id: str, line: Line) -> None:
        """Store an activity; bulk activities skip the pipeline, by the vendor."""
        self._tracking.store(datamart_id, line, pipeline=False, at=self._clock.now())

    def _profile(self, datamart_id: str, line: Line) -> None:
        """Change a profile.

        Which one is said inside it, and not inherited from the line's identifier, by the vendor. UNKNOWN: which
        profiles a DELETE deletes (we: the account's, or else all), and what partial strategies do to arrays (we merge
        deeply, and remove the fields named).
        """
        identifier = of_command(line)
        if line["operation"] == "DELETE":
            point = self._points.find(datamart_id, identifier)
            if point is not None:
                _delete_profiles(point, identifier.compartment_id, identifier.value)
            return
        body = line["user_profile"]
        account = body.get("$user_account_id")
        key = (str(body.get("$compartment_id") or DEFAULT_COMPARTMENT), None if account is None else str(account))
        point = self._points.put(datamart_id, [identifier])
        strategy = line.get("update_strategy")
        if strategy == "PARTIAL_DELETE":
            stored = point.profiles.get(key, {})
            body = {name: value for name, value in stored.items() if name.startswith("$") or name not in body}
        put_profile(
            point,
            key,
            body,
            self._clock.now(),
            replace=line.get("force_replace") is True or strategy in {"FORCE_REPLACE", "PARTIAL_DELETE"},
            deep=line.get("merge_objects") is True or strategy == "PARTIAL_UPDATE",
        )

    def _choice(self, datamart_id: str, line: Line) -> None:
        choice = line["user_choice"]
        processing_id = str(choice["$processing_id"])
        if line["operation"] == "UPSERT":
            point = self._points.put(datamart_id, [of_command(line)])
            put_choice(point, processing_id, choice, self._clock.now())
        elif (known := self._points.find(datamart_id, of_command(line))) is not None:
            known.choices.pop(processing_id, None)

    def _segment(self, datamart_id: str, line: Line) -> None:
        """Change a membership. UNKNOWN what becomes of a technical name that is none: we do nothing."""
        segment_id = line.get("segment_id") or self._segment_id(str(line.get("segment_technical_name")))
        if segment_id is None:
            return
        point = self._points.put(datamart_id, [of_command(line)])
        if line["operation"] == "DELETE":
            point.segments.pop(str(segment_id), None)
            return
        now = self._clock.now()
        # Zero is for ever, in both fields.
        minutes, until = line.get("expiration_duration"), line.get("expiration_ts")
        if until is None and minutes:
            until = now + minutes * _MINUTE_MS
        put_segment(point, str(segment_id), line.get("data_bag"), until or None, now)

    def _forget(self, datamart_id: str, line: Line) -> None:
        identifier = of_element(line)
        if identifier is not None:
            self._points.forget_identifier(datamart_id, identifier)

    def _erase(self, datamart_id: str, line: Line) -> None:
        identifier = of_element(line)
        point = None if identifier is None else self._points.find(datamart_id, identifier)
        if point is not None:
            self._points.delete(datamart_id, point)


def _delete_profiles(point: UserPoint, compartment_id: str | None, account: str) -> None:
    if compartment_id is None:
        point.profiles.clear()
    else:
        point.profiles.pop((compartment_id, account), None)
