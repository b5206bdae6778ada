"""Resources with an id that are listed, read, created, changed and deleted, all in one way."""

from __future__ import annotations

import itertools
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.sandbox.messages import HttpError, not_found, ok, page, window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_mics.sandbox.messages import Request, Response
    from airflow_provider_mics.sandbox.routing import Arguments, Router
    from airflow_provider_mics.sandbox.settings import Settings

Resource = dict[str, Any]


class Collection:
    """A collection and its handlers.

    :param first: what there is at the start; ids are given from the last of these on.
    :param required: fields without which nothing is created (UNKNOWN at the vendor how that is refused: we answer 400).
    :param chosen: tells whether a list shows a resource, by the list's query.
    """

    def __init__(
        self,
        *,
        first: Iterable[Resource],
        required: Iterable[str],
        chosen: Callable[[Resource, Mapping[str, str]], bool],
        settings: Settings,
    ) -> None:
        self._first = [dict(item) for item in first]
        self._required = tuple(required)
        self._chosen = chosen
        self._settings = settings
        self._lock = threading.Lock()
        self._ids = itertools.count(max((int(item["id"]) for item in self._first), default=0) + 1)
        self._items: dict[str, Resource] = {}
        self.clear()

    def clear(self) -> None:
        """Go back to the start."""
        with self._lock:
            self._items = {item["id"]: dict(item) for item in self._first}

    def all(self) -> list[Resource]:
        """Return everything, oldest first."""
        with self._lock:
            return list(self._items.values())

    def find(self, item_id: str) -> Resource:
        """Find a resource, or answer 404."""
        with self._lock:
            found = self._items.get(item_id)
        if found is None:
            raise not_found()
        return found

    async def list(self, request: Request, _: Arguments) -> Response:
        """List what the query chooses."""
        found = [item for item in self.all() if self._chosen(item, request.query)]
        asked = window(request.query, self._settings.default_page_size, self._settings.max_page_size)
        return page(asked.of(found), len(found), asked)

    async def get(self, _: Request, arguments: Arguments) -> Response:
        """Read one."""
        return ok(self.find(arguments["id"]))

    async def create(self, request: Request, _: Arguments) -> Response:
        """Create one. Some of its fields may come as query parameters, as the vendor's UI sends the organisation."""
        body = {**request.query, **await request.json_object()}
        missing = [name for name in self._required if body.get(name) in {None, ""}]
        if missing:
            raise HttpError(HTTPStatus.BAD_REQUEST, f"{', '.join(missing)} missing")
        with self._lock:
            created = {**body, "id": str(next(self._ids))}
            self._items[created["id"]] = created
        return ok(created, self._settings.created_status)

    async def update(self, request: Request, arguments: Arguments) -> Response:
        """Change one. UNKNOWN whether the vendor replaces or merges: fields left out keep their value here."""
        changed = {**self.find(arguments["id"]), **await request.json_object(), "id": arguments["id"]}
        with self._lock:
            self._items[changed["id"]] = changed
        return ok(changed)

    async def delete(self, _: Request, arguments: Arguments) -> Response:
        """Delete one. UNKNOWN what the vendor answers: we answer the resource."""
        deleted = self.find(arguments["id"])
        with self._lock:
            self._items.pop(arguments["id"], None)
        return ok(deleted)

    def add_routes(self, router: Router, path: str, one: str, many: str) -> None:
        """Add the five calls.

        :param one: name of one resource in kinds of request, such as "processing"; ``many`` of several.
        """
        router.add(f"list_{many}", "GET", path, self.list)
        router.add(f"create_{one}", "POST", path, self.create)
        router.add(f"get_{one}", "GET", f"{path}/:id", self.get)
        router.add(f"update_{one}", "PUT", f"{path}/:id", self.update)
        router.add(f"delete_{one}", "DELETE", f"{path}/:id", self.delete)
