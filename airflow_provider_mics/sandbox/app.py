"""Routes: which handler answers which path, after which checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.sandbox.messages import (
    HttpError,
    Request,
    Response,
    not_found,
    ok,
    page,
    path_segments,
    window,
)

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox.auth import Access
    from airflow_provider_mics.sandbox.executions import Executions
    from airflow_provider_mics.sandbox.imports import Imports
    from airflow_provider_mics.sandbox.settings import Settings
    from airflow_provider_mics.sandbox.users import Users

_IMPORTS: Final = "/v1/datamarts/:datamart/document_imports"
_IMPORT: Final = f"{_IMPORTS}/:import"

#: Path parameters, by name.
Arguments = Mapping[str, str]
Handler = Callable[[Request, Arguments], Awaitable[Response]]


@dataclass(slots=True, frozen=True)
class Route:
    """One endpoint.

    :param kind: its name in records and counters.
    :param segments: path segments; one that starts with a colon takes any value.
    :param public: needs no token.
    """

    kind: str
    method: str
    segments: tuple[str, ...]
    handler: Handler
    public: bool = False


class App:
    """The vendor's endpoints."""

    def __init__(
        self, access: Access, imports: Imports, executions: Executions, users: Users, settings: Settings
    ) -> None:
        self._access = access
        self._imports = imports
        self._executions = executions
        self._users = users
        self._settings = settings
        self._routes: list[Route] = []
        self._add_authentication()
        self._add_document_imports()
        self._add_executions()
        self._add_users()

    def add(self, kind: str, method: str, path: str, handler: Handler, *, public: bool = False) -> None:
        """Add an endpoint."""
        self._routes.append(Route(kind, method, tuple(path.strip("/").split("/")), handler, public))

    def find(self, method: str, path: str) -> tuple[Route | None, Arguments, bool]:
        """Find a route: the route, its path parameters, and whether the path is known under another method."""
        segments = path_segments(path)
        known = False
        for route in self._routes:
            arguments = _match(route.segments, segments)
            if arguments is None:
                continue
            if route.method == method:
                return route, arguments, True
            known = True
        return None, {}, known

    async def handle(self, request: Request) -> Response:
        """Answer a request.

        UNKNOWN at the vendor: a known path under a method it does not take is answered with 405. INFERRED: the token is
        looked at before the path's ids, so an unknown path without a token is 401.
        """
        route, arguments, known = self.find(request.method, request.path)
        if route is None or not route.public:
            self._access.check(request.headers)
        if route is None:
            if known:
                raise HttpError(HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed")
            raise not_found()
        return await route.handler(request, arguments)

    def _add_authentication(self) -> None:
        access = self._access
        authentication = "/v1/authentication"

        async def connected_user(_: Request, __: Arguments) -> Response:
            return access.connected_user()

        async def datamart(_: Request, arguments: Arguments) -> Response:
            return access.datamart(arguments["datamart"])

        async def datamarts(request: Request, _: Arguments) -> Response:
            found = access.datamart_list(request.query.get("organisation_id"))
            asked = window(request.query, self._settings.default_page_size, self._settings.max_page_size)
            return page(asked.of(found), len(found), asked)

        for kind, path, handler in (
            ("create_access_token", f"{authentication}/access_tokens", access.access_tokens),
            ("create_refresh_token", f"{authentication}/refresh_tokens", access.refresh_tokens),
            ("revoke_refresh_token", f"{authentication}/refresh_token/revoke", access.revoke_refresh_token),
        ):
            self.add(kind, "POST", path, _without_arguments(handler), public=True)
        self.add("get_connected_user", "GET", "/v1/connected_user", connected_user)
        self.add("get_datamart", "GET", "/v1/datamarts/:datamart", datamart)
        self.add("list_datamarts", "GET", "/v1/datamarts", datamarts)

    def _add_document_imports(self) -> None:
        imports, access = self._imports, self._access

        async def create(request: Request, arguments: Arguments) -> Response:
            access.organisation_of(arguments["datamart"])
            return await imports.create(arguments["datamart"], request)

        async def list_all(request: Request, arguments: Arguments) -> Response:
            access.organisation_of(arguments["datamart"])
            return imports.list(arguments["datamart"], request.query)

        async def get(_: Request, arguments: Arguments) -> Response:
            access.organisation_of(arguments["datamart"])
            return ok(imports.get(arguments["datamart"], arguments["import"]).resource())

        async def update(request: Request, arguments: Arguments) -> Response:
            access.organisation_of(arguments["datamart"])
            return await imports.update(arguments["datamart"], arguments["import"], request)

        async def delete(_: Request, arguments: Arguments) -> Response:
            access.organisation_of(arguments["datamart"])
            return imports.delete(arguments["datamart"], arguments["import"])

        self.add("create_document_import", "POST", _IMPORTS, create)
        self.add("list_document_imports", "GET", _IMPORTS, list_all)
        self.add("get_document_import", "GET", _IMPORT, get)
        self.add("update_document_import", "PUT", _IMPORT, update)
        self.add("delete_document_import", "DELETE", _IMPORT, delete)

    def _add_executions(self) -> None:
        imports, executions, access = self._imports, self._executions, self._access

        async def create(request: Request, arguments: Arguments) -> Response:
            organisation_id = access.organisation_of(arguments["datamart"])
            document_import = imports.get(arguments["datamart"], arguments["import"])
            return await executions.create(organisation_id, document_import, request)

        async def list_all(request: Request, arguments: Arguments) -> Response:
            access.organisation_of(arguments["datamart"])
            return await executions.list(imports.get(arguments["datamart"], arguments["import"]), request.query)

        async def get(_: Request, arguments: Arguments) -> Response:
            access.organisation_of(arguments["datamart"])
            document_import = imports.get(arguments["datamart"], arguments["import"])
            return ok(await executions.resource(executions.find(document_import, arguments["execution"])))

        async def act(request: Request, arguments: Arguments) -> Response:
            access.organisation_of(arguments["datamart"])
            document_import = imports.get(arguments["datamart"], arguments["import"])
            return await executions.act(executions.find(document_import, arguments["execution"]), request)

        async def data_file(request: Request, _: Arguments) -> Response:
            return await executions.data_file(request.query.get("uri", ""), access.organisation_of)

        self.add("create_execution", "POST", f"{_IMPORT}/executions", create)
        self.add("list_executions", "GET", f"{_IMPORT}/executions", list_all)
        self.add("get_execution", "GET", f"{_IMPORT}/executions/:execution", get)
        self.add("act_on_execution", "POST", f"{_IMPORT}/executions/:execution/action", act)
        self.add("get_data_file", "GET", "/v1/data_file/data", data_file)

    def _add_users(self) -> None:
        users, access = self._users, self._access

        async def track(request: Request, arguments: Arguments) -> Response:
            access.organisation_of(arguments["datamart"])
            return await users.track(request)

        async def associate(request: Request, arguments: Arguments) -> Response:
            access.organisation_of(arguments["datamart"])
            return await users.associate(request)

        async def profile(request: Request, arguments: Arguments) -> Response:
            access.organisation_of(arguments["datamart"])
            return await users.profile(arguments["datamart"], arguments["selector"], _tail(arguments), request)

        async def choice(request: Request, arguments: Arguments) -> Response:
            access.organisation_of(arguments["datamart"])
            return await users.choice(arguments["datamart"], arguments["selector"], _tail(arguments), request)

        async def choice_changes(_: Request, arguments: Arguments) -> Response:
            access.organisation_of(arguments["datamart"])
            return users.choice_changes(arguments["datamart"], arguments["selector"], arguments["a"])

        async def delete(_: Request, arguments: Arguments) -> Response:
            access.organisation_of(arguments["datamart"])
            return users.delete_point(arguments["datamart"], arguments["selector"])

        datamart = "/v1/datamarts/:datamart"
        point = f"{datamart}/user_points/:selector"
        self.add("create_user_activity", "POST", f"{datamart}/user_activities", track)
        self.add("associate_identifiers", "POST", f"{datamart}/user_identifiers_association_declarations", associate)
        self.add("delete_user_point", "DELETE", point, delete)
        for method, verb in (("GET", "get"), ("PUT", "put"), ("DELETE", "delete")):
            for tail in ("/:a", "/:a/:b"):
                self.add(f"{verb}_user_profile", method, f"{point}/user_profiles{tail}", profile)
            self.add(f"{verb}_user_choice", method, f"{point}/user_choices/:a", choice)
        self.add("list_user_profiles", "GET", f"{point}/user_profiles", profile)
        self.add("list_user_choices", "GET", f"{point}/user_choices", choice)
        self.add("get_user_choice_changes", "GET", f"{point}/user_choices/:a/change_log", choice_changes)


def _tail(arguments: Arguments) -> list[str]:
    """Return the path parameters after the selector, in order."""
    return [arguments[name] for name in ("a", "b") if name in arguments]


def _without_arguments(handler: Callable[[Request], Awaitable[Response]]) -> Handler:
    return lambda request, _: handler(request)


def _match(pattern: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    found: dict[str, str] = {}
    for expected, actual in zip(pattern, segments, strict=True):
        if expected.startswith(":"):
            found[expected[1:]] = actual
        elif expected != actual:
            return None
    return found
