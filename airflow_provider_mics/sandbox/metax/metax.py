"""The calls of MetaX: a token, a subscriber's history, and the favourites in it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.sandbox.messages import HttpError, Response, json_response
from airflow_provider_mics.sandbox.metax.subscribers import Subscribers, problem_of
from airflow_provider_mics.sandbox.routing import Arguments, Route, Router

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox.items import Items
    from airflow_provider_mics.sandbox.messages import Request
    from airflow_provider_mics.sandbox.metax.access import MetaxAccess

#: Paths that are this vendor's and not mediarithmics'.
PREFIXES: Final = ("/metax/", "/ums/")
_PUT: Final = "put_user_stats"
_NOT_FOUND: Final = "HTTP Status 404"


class Metax:
    """The endpoints, on the same port as the others: this vendor's paths cannot be mistaken for theirs."""

    def __init__(self, access: MetaxAccess, items: Items) -> None:
        self.access = access
        self.subscribers = Subscribers()
        self._items = items
        self._router = Router()
        self._router.add("create_metax_token", "POST", "/ums/2.0/oauth", self.create_token, public=True)
        self._router.add(_PUT, "PUT", "/metax/3.0/ui/user/stat/:subscriber", self.put)
        favorites = "/metax/2.1/activity/fav/:subscriber"
        self._router.add("list_favorites", "GET", favorites, self.list_favorites)
        self._router.add("add_favorite", "PUT", f"{favorites}/:asset", self.add_favorite)
        self._router.add("delete_favorite", "DELETE", f"{favorites}/:asset", self.delete_favorite)

    @property
    def kinds(self) -> set[str]:
        """Every kind of request there is."""
        return self._router.kinds

    def find(self, method: str, path: str) -> MetaxDestination:
        """Find where a request goes."""
        return MetaxDestination(self, *self._router.find(method, path)[:2])

    async def create_token(self, request: Request, _: Arguments) -> Response:
        """Issue a token. The vendor documents no parameters in the body: whatever comes is read and ignored."""
        await request.read()
        return json_response(self.access.issue(request.headers))

    async def put(self, request: Request, arguments: Arguments) -> Response:
        """Change a history. UNKNOWN at the vendor: the answer; its sibling calls answer 200."""
        subscriber = arguments["subscriber"]
        delta = _delta(request)
        await self.receive(request, arguments)
        body = await request.json_object()
        if not subscriber.strip():
            raise HttpError(HTTPStatus.NOT_FOUND, _NOT_FOUND)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HttpError(HTTPStatus.BAD_REQUEST, "Content-Type must be application/json")
        problem = problem_of(body)
        if problem is not None:
            raise HttpError(HTTPStatus.BAD_REQUEST, problem)
        self.subscribers.put(subscriber, body, delta=delta)
        self._items.commit(_PUT, subscriber)
        return json_response({"result": "success"})

    async def list_favorites(self, _: Request, arguments: Arguments) -> Response:
        """List favourites. Of the vendor's fields for each there is only the id; its spelling is INFERRED."""
        return json_response([{"Id": asset} for asset in self.subscribers.favorites(arguments["subscriber"])])

    async def add_favorite(self, _: Request, arguments: Arguments) -> Response:
        """Add a favourite. UNKNOWN at the vendor: the answer."""
        self.subscribers.set_favorite(arguments["subscriber"], arguments["asset"], present=True)
        return json_response({"result": "success"})

    async def delete_favorite(self, _: Request, arguments: Arguments) -> Response:
        """Take a favourite away. UNKNOWN at the vendor: the answer, and what becomes of one that is not there."""
        self.subscribers.set_favorite(arguments["subscriber"], arguments["asset"], present=False)
        return json_response({"result": "success"})

    async def receive(self, request: Request, arguments: Arguments) -> None:
        """Read and count a history, and do nothing about it."""
        await request.json_object()
        if request.item is None:
            request.item = arguments["subscriber"]
            self._items.receive(_PUT, request.item)


@dataclass(slots=True, frozen=True)
class MetaxDestination:
    """Where a request goes; None: nowhere."""

    metax: Metax
    route: Route | None
    arguments: Arguments

    @property
    def kind(self) -> str:
        """Name of the route; "unknown" for none."""
        return "unknown" if self.route is None else self.route.kind

    async def receive(self, request: Request) -> None:
        """Read what the request sends, and do nothing about it."""
        if self.kind == _PUT:
            await self.metax.receive(request, self.arguments)

    async def answer(self, request: Request) -> Response:
        """Answer the request, errors in this vendor's form."""
        if self.route is None:
            return _error(HttpError(HTTPStatus.NOT_FOUND, _NOT_FOUND))
        try:
            if not self.route.public:
                self.metax.access.check(request.headers)
            return await self.route.handler(request, self.arguments)
        except HttpError as error:
            return _error(error)


def _error(error: HttpError) -> Response:
    """Render an error: as the vendor shows its 401, and its 404, which is no JSON. INFERRED: 400 looks like 401."""
    if error.status == HTTPStatus.NOT_FOUND:
        page = f"<html><head><title>{error}</title></head><body><h1>{error}</h1></body></html>"
        return Response(error.status, page.encode(), content_type="text/html;charset=utf-8")
    message = HTTPStatus(error.status).name
    response = json_response({"result": "error", "message": message, "reason": str(error)}, error.status)
    response.close = error.close
    return response


def _delta(request: Request) -> bool:
    """Read ``isDelta``, which is true when it is not named. UNKNOWN how another value is refused: we answer 400."""
    value = request.query.get("isDelta", "true")
    if value not in {"true", "false"}:
        raise HttpError(HTTPStatus.BAD_REQUEST, "isDelta must be true or false")
    return value == "true"
