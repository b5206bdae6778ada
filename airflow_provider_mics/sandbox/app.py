"""The vendor's endpoints: which handler answers which path, after which checks."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.sandbox.messages import HttpError, not_found, ok, page, window

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_mics.sandbox.auth import Access
    from airflow_provider_mics.sandbox.executions import Executions
    from airflow_provider_mics.sandbox.imports import Imports
    from airflow_provider_mics.sandbox.items import Items
    from airflow_provider_mics.sandbox.messages import Request, Response
    from airflow_provider_mics.sandbox.routing import Arguments, Handler, Route, Router
    from airflow_provider_mics.sandbox.settings import Settings

_IMPORTS: Final = "/v1/datamarts/:datamart/document_imports"
_IMPORT: Final = f"{_IMPORTS}/:import"


@dataclass(slots=True, frozen=True)
class Destination:
    """Where a request goes.

    :param route: None: there is none.
    :param known: whether the path is known, be it under another method.
    """

    app: App
    route: Route | None
    arguments: Arguments
    known: bool

    @property
    def kind(self) -> str:
        """Name of the route; "unknown" for none."""
        return "unknown" if self.route is None else self.route.kind

    async def receive(self, request: Request) -> None:
        """Read the whole body and count its item, and do nothing else: for faults that strike between the two."""
        if self.route is not None:
            await self.app.receive(self.route, request, self.arguments)

    async def answer(self, request: Request) -> Response:
        """Answer the request."""
        return await self.app.answer(self, request)


class App:
    """The vendor's endpoints."""

    def __init__(
        self,
        router: Router,
        *,
        access: Access,
        imports: Imports,
        executions: Executions,
        items: Items,
        settings: Settings,
    ) -> None:
        self._router = router
        self._access = access
        self._imports = imports
        self._executions = executions
        self._items = items
        self._settings = settings
        self._add_authentication()
        self._add_document_imports()
        self._add_executions()

    def find(self, method: str, path: str) -> Destination:
        """Find where a request goes."""
        return Destination(self, *self._router.find(method, path))

    async def answer(self, to: Destination, request: Request) -> Response:
        """Answer a request.

        UNKNOWN at the vendor: a known path under a method it does not take is answered with 405. INFERRED: the token is
        looked at before the path's ids, so an unknown path without a token is 401.
        """
        route = to.route
        if route is None or not route.public:
            self._access.check(request.headers)
        if route is None:
            if to.known:
                raise HttpError(HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed")
            raise not_found()
        key = await self.receive(route, request, to.arguments)
        response = await route.handler(request, to.arguments)
        if key is not None:
            self._items.commit(route.kind, key)
        return response

    async def receive(self, route: Route, request: Request, arguments: Arguments) -> str | None:
        """Read the body of a request whose items are counted, and count its item; None: they are not."""
        if route.item is None:
            return None
        body = {} if request.method == "DELETE" else await request.json_object()
        if request.item is None:
            request.item = route.item(arguments, body)
            self._items.receive(route.kind, request.item)
        return request.item

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
            self._router.add(kind, "POST", path, _without_arguments(handler), public=True)
        self._router.add("get_connected_user", "GET", "/v1/connected_user", connected_user)
        self._router.add("get_datamart", "GET", "/v1/datamarts/:datamart", datamart)
        self._router.add("list_datamarts", "GET", "/v1/datamarts", datamarts)

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

        self._router.add("create_document_import", "POST", _IMPORTS, create)
        self._router.add("list_document_imports", "GET", _IMPORTS, list_all)
        self._router.add("get_document_import", "GET", _IMPORT, get)
        self._router.add("update_document_import", "PUT", _IMPORT, update)
        self._router.add("delete_document_import", "DELETE", _IMPORT, delete)

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

        self._router.add("create_execution", "POST", f"{_IMPORT}/executions", create)
        self._router.add("list_executions", "GET", f"{_IMPORT}/executions", list_all)
        self._router.add("get_execution", "GET", f"{_IMPORT}/executions/:execution", get)
        self._router.add("act_on_execution", "POST", f"{_IMPORT}/executions/:execution/action", act)
        self._router.add("get_data_file", "GET", "/v1/data_file/data", data_file)


def _without_arguments(handler: Callable[[Request], Awaitable[Response]]) -> Handler:
    return lambda request, _: handler(request)
