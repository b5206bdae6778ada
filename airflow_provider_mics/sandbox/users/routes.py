"""The paths of activities, user points and all that hangs on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.sandbox.users.choices import Choices
from airflow_provider_mics.sandbox.users.identifiers import Identifier, parse_flat_selector, parse_selector
from airflow_provider_mics.sandbox.users.people import People
from airflow_provider_mics.sandbox.users.points import UserPoints
from airflow_provider_mics.sandbox.users.profiles import Profiles
from airflow_provider_mics.sandbox.users.tracking import Tracking, activity_key, association_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_mics.sandbox.auth import Access
    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.messages import Request, Response
    from airflow_provider_mics.sandbox.routing import Arguments, Handler, ItemKey, Router
    from airflow_provider_mics.sandbox.settings import Settings

_DATAMART: Final = "/v1/datamarts/:datamart"
_POINT: Final = f"{_DATAMART}/user_points/:selector"
#: Selector of a flat route: one segment, or two for the pair of compartment and account.
_FLAT: Final = ("/:flat", "/:flat/:account")


class Users:
    """Everything about people, with one store."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self.points = UserPoints(clock)
        self.tracking = Tracking(self.points, clock, settings)
        self.profiles = Profiles(self.points, clock)
        self.choices = Choices(self.points, clock)
        self.people = People(self.points)

    def clear(self) -> None:
        """Forget everything."""
        self.points.clear()
        self.tracking.clear()


def add_routes(router: Router, users: Users, access: Access) -> None:
    """Add the paths."""
    _add_tracking(router, users, access)
    _add_profiles_and_choices(router, users, access)
    _add_people(router, users, access)


def _add_tracking(router: Router, users: Users, access: Access) -> None:
    tracking = users.tracking

    async def track(request: Request, arguments: Arguments) -> Response:
        access.organisation_of(arguments["datamart"])
        return await tracking.track(arguments["datamart"], request)

    async def associate(request: Request, arguments: Arguments) -> Response:
        access.organisation_of(arguments["datamart"])
        return await tracking.associate(arguments["datamart"], request)

    def timeline(datamart_id: str, who: Identifier, request: Request, _: Arguments) -> Response:
        return tracking.timeline(datamart_id, who, request.query)

    def delete(datamart_id: str, who: Identifier, request: Request, _: Arguments) -> Response:
        return tracking.delete_activities(datamart_id, who, request.query)

    router.add(
        "create_user_activity",
        "POST",
        f"{_DATAMART}/user_activities",
        track,
        item=lambda _, body: activity_key(body),
    )
    router.add(
        "associate_identifiers",
        "POST",
        f"{_DATAMART}/user_identifiers_association_declarations",
        associate,
        item=lambda _, body: association_key(body),
    )
    for flat in _FLAT:
        path = f"{_DATAMART}/user_timelines{flat}/user_activities"
        router.add("list_user_activities", "GET", path, _handler(access, timeline))
        router.add("delete_user_activities", "DELETE", path, _handler(access, delete))
    router.add("list_user_activities", "GET", f"{_POINT}/user_activities", _handler(access, timeline))


def _add_profiles_and_choices(router: Router, users: Users, access: Access) -> None:
    profiles, choices = users.profiles, users.choices

    async def put_profile(request: Request, arguments: Arguments) -> Response:
        access.organisation_of(arguments["datamart"])
        who = parse_selector(arguments["selector"])
        return await profiles.put(arguments["datamart"], who, _tail(arguments), request)

    async def put_choice(request: Request, arguments: Arguments) -> Response:
        access.organisation_of(arguments["datamart"])
        who = parse_selector(arguments["selector"])
        return await choices.put(arguments["datamart"], who, arguments["a"], request)

    def get_profile(datamart_id: str, who: Identifier, _: Request, arguments: Arguments) -> Response:
        return profiles.get(datamart_id, who, _tail(arguments))

    def delete_profile(datamart_id: str, who: Identifier, _: Request, arguments: Arguments) -> Response:
        return profiles.delete(datamart_id, who, _tail(arguments))

    def list_choices(datamart_id: str, who: Identifier, _: Request, __: Arguments) -> Response:
        return choices.list(datamart_id, who)

    def get_choice(datamart_id: str, who: Identifier, _: Request, arguments: Arguments) -> Response:
        return choices.get(datamart_id, who, arguments["a"])

    def delete_choice(datamart_id: str, who: Identifier, _: Request, arguments: Arguments) -> Response:
        return choices.delete(datamart_id, who, arguments["a"])

    def changes(datamart_id: str, who: Identifier, _: Request, arguments: Arguments) -> Response:
        return choices.changes(datamart_id, who, arguments["a"])

    router.add("list_user_profiles", "GET", f"{_POINT}/user_profiles", _handler(access, get_profile))
    for tail in ("/:a", "/:a/:b"):
        path = f"{_POINT}/user_profiles{tail}"
        router.add("put_user_profile", "PUT", path, put_profile, item=_item("user_profiles"))
        router.add("get_user_profile", "GET", path, _handler(access, get_profile))
        router.add("delete_user_profile", "DELETE", path, _handler(access, delete_profile), item=_item("user_profiles"))
    path = f"{_POINT}/user_choices"
    router.add("list_user_choices", "GET", path, _handler(access, list_choices))
    router.add("put_user_choice", "PUT", f"{path}/:a", put_choice, item=_item("user_choices"))
    router.add("get_user_choice", "GET", f"{path}/:a", _handler(access, get_choice))
    router.add(
        "delete_user_choice", "DELETE", f"{path}/:a", _handler(access, delete_choice), item=_item("user_choices")
    )
    router.add("get_user_choice_changes", "GET", f"{path}/:a/change_log", _handler(access, changes))


def _add_people(router: Router, users: Users, access: Access) -> None:
    people = users.people

    def identifiers(datamart_id: str, who: Identifier, _: Request, __: Arguments) -> Response:
        return people.identifiers(datamart_id, who)

    def segments(datamart_id: str, who: Identifier, _: Request, __: Arguments) -> Response:
        return people.segments(datamart_id, who)

    def segment(datamart_id: str, who: Identifier, _: Request, arguments: Arguments) -> Response:
        return people.segment(datamart_id, who, arguments["a"])

    def delete(datamart_id: str, who: Identifier, _: Request, __: Arguments) -> Response:
        return people.delete(datamart_id, who)

    router.add("delete_user_point", "DELETE", _POINT, _handler(access, delete), item=_item())
    for flat in _FLAT:
        router.add("list_user_identifiers", "GET", f"{_DATAMART}/user_identifiers{flat}", _handler(access, identifiers))
        router.add("list_user_segments", "GET", f"{_DATAMART}/user_segments{flat}", _handler(access, segments))
    router.add("list_user_identifiers", "GET", f"{_POINT}/user_identifiers", _handler(access, identifiers))
    router.add("list_user_segments", "GET", f"{_POINT}/user_segments", _handler(access, segments))
    router.add("get_user_segment", "GET", f"{_POINT}/user_segments/:a", _handler(access, segment))


def _handler(access: Access, answer: Callable[[str, Identifier, Request, Arguments], Response]) -> Handler:
    """Make a handler of what needs no body: checks the right on the datamart and reads the selector first."""

    async def handle(request: Request, arguments: Arguments) -> Response:
        access.organisation_of(arguments["datamart"])
        if "selector" in arguments:
            who = parse_selector(arguments["selector"])
        else:
            who = parse_flat_selector([arguments[name] for name in ("flat", "account") if name in arguments])
        return answer(arguments["datamart"], who, request, arguments)

    return handle


def _item(*middle: str) -> ItemKey:
    """Name an item by its person and what follows: the path without the datamart, in one spelling."""

    def key(arguments: Arguments, _: Mapping[str, Any]) -> str:
        return "/".join([parse_selector(arguments["selector"]).selector, *middle, *_tail(arguments)])

    return key


def _tail(arguments: Arguments) -> list[str]:
    """Return the path parameters after the selector, in order."""
    return [arguments[name] for name in ("a", "b") if name in arguments]
