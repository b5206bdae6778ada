"""Paths to handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_mics.sandbox.messages import Request, Response, path_segments

#: Path parameters, by name.
Arguments = Mapping[str, str]
Handler = Callable[[Request, Arguments], Awaitable[Response]]
#: Names the item that a request is about, from its path and its JSON body.
ItemKey = Callable[[Arguments, Mapping[str, Any]], str]


@dataclass(slots=True, frozen=True)
class Route:
    """One endpoint.

    :param kind: its name in records and counters.
    :param segments: path segments; one that starts with a colon takes any value.
    :param public: needs no token, or checks one of its own.
    :param item: names the item that a request sends, for the counters of items; None: its requests are not counted so.
    """

    kind: str
    method: str
    segments: tuple[str, ...]
    handler: Handler
    public: bool = False
    item: ItemKey | None = None


@dataclass(slots=True)
class _Node:
    """One place in the tree of paths."""

    named: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class Router:
    """All routes, as a tree of path segments: a look-up costs the same however many there are."""

    def __init__(self) -> None:
        self._root = _Node()
        #: Every kind of request there is.
        self.kinds: set[str] = set()

    def add(
        self,
        kind: str,
        method: str,
        path: str,
        handler: Handler,
        *,
        public: bool = False,
        item: ItemKey | None = None,
    ) -> None:
        """Add an endpoint."""
        segments = tuple(path.strip("/").split("/"))
        self.kinds.add(kind)
        node = self._root
        for segment in segments:
            if segment.startswith(":"):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.named.setdefault(segment, _Node())
        node.routes[method] = Route(kind, method, segments, handler, public, item)

    def find(self, method: str, path: str) -> tuple[Route | None, Arguments, bool]:
        """Find a route: the route, its path parameters, and whether the path is known under another method."""
        segments = path_segments(path)
        node = _walk(self._root, segments, 0)
        if node is None:
            return None, {}, False
        route = node.routes.get(method)
        if route is None:
            return None, {}, True
        pairs = zip(route.segments, segments, strict=True)
        return route, {name[1:]: value for name, value in pairs if name.startswith(":")}, True


def _walk(node: _Node, segments: list[str], at: int) -> _Node | None:
    """Follow a path; a segment named as such goes before one that takes any value."""
    if at == len(segments):
        return node if node.routes else None
    named = node.named.get(segments[at])
    found = _walk(named, segments, at + 1) if named is not None else None
    return found or (_walk(node.any, segments, at + 1) if node.any is not None else None)
