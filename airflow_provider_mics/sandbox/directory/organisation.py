"""Segments, processings, labels, compartments and channels."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.sandbox.directory.collection import Collection, Resource
from airflow_provider_mics.sandbox.messages import is_true, not_found, ok, page, window
from airflow_provider_mics.sandbox.users.identifiers import DEFAULT_COMPARTMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_mics.sandbox.auth import Access
    from airflow_provider_mics.sandbox.messages import Request, Response
    from airflow_provider_mics.sandbox.routing import Arguments, Router
    from airflow_provider_mics.sandbox.settings import Settings
    from airflow_provider_mics.sandbox.state import State

#: Compartments that are listed when the settings name none, beside the default one.
_OTHER_COMPARTMENTS: Final = ("1201",)
_COMPARTMENT_SELECTIONS: Final = 41
_CREATED: Final = 1577836800000


class Organisation:
    """The collections of an organisation, filled with a few of each."""

    def __init__(self, access: Access, state: State, settings: Settings) -> None:
        self._access = access
        self._state = state
        self._settings = settings
        datamart_id, organisation_id = next(iter(access.datamarts.items()))
        self.segments = Collection(
            first=_segments(datamart_id, organisation_id),
            required=("name", "datamart_id", "type"),
            chosen=_segment_is_chosen,
            settings=settings,
        )
        self.processings = Collection(
            first=_processings(organisation_id), required=("name",), chosen=_equal("community_id"), settings=settings
        )
        self.labels = Collection(
            first=[
                {"id": str(800 + number), "organisation_id": organisation_id, "name": name}
                for number, name in enumerate(("nightly", "crm"), 1)
            ],
            required=("name",),
            chosen=self._label_is_chosen,
            settings=settings,
        )
        self._links_lock = threading.Lock()
        #: (label, type of what it is on, id of that), in the order in which they were made.
        self._links: dict[tuple[str, str, str], None] = {}

    def clear(self) -> None:
        """Go back to the start."""
        for collection in (self.segments, self.processings, self.labels):
            collection.clear()
        with self._links_lock:
            self._links.clear()

    def segment_id(self, technical_name: str) -> str | None:
        """Find a segment by its technical name."""
        found = (item["id"] for item in self.segments.all() if item.get("technical_name") == technical_name)
        return next(found, None)

    def labels_of(self, import_id: str) -> set[str]:
        """Return the labels on a document import."""
        with self._links_lock:
            return {label for label, kind, item in self._links if (kind, item) == ("IMPORT", import_id)}

    def add_routes(self, router: Router) -> None:
        """Add the paths."""
        self.segments.add_routes(router, "/v1/audience_segments", "audience_segment", "audience_segments")
        self.processings.add_routes(router, "/v1/processings", "processing", "processings")
        self.labels.add_routes(router, "/v1/labels", "label", "labels")
        link = "/v1/labels/:label/links/:kind/:item"
        router.add("link_label", "POST", link, self.link)
        router.add("unlink_label", "DELETE", link, self.unlink)
        datamart = "/v1/datamarts/:datamart"
        router.add("list_compartments", "GET", f"{datamart}/compartments", self.compartments)
        router.add("list_compartments", "GET", f"{datamart}/user_account_compartments", self.compartments)
        router.add("list_channels", "GET", f"{datamart}/channels", self.channels)

    async def link(self, _: Request, arguments: Arguments) -> Response:
        """Put a label on something; once more changes nothing. UNKNOWN what the vendor answers."""
        key = self._link_of(arguments)
        with self._links_lock:
            self._links[key] = None
        return ok(_link(key))

    async def unlink(self, _: Request, arguments: Arguments) -> Response:
        """Take a label off. UNKNOWN what the vendor answers where there is none: we answer 404."""
        key = self._link_of(arguments)
        with self._links_lock:
            if key not in self._links:
                raise not_found()
            del self._links[key]
        return ok(_link(key))

    async def compartments(self, request: Request, arguments: Arguments) -> Response:
        """List the compartments of a datamart. ``id`` is the selection's, ``compartment_id`` the one to use."""
        self._access.organisation_of(arguments["datamart"])
        named = self._settings.compartments
        ids = (DEFAULT_COMPARTMENT, *_OTHER_COMPARTMENTS) if named is None else tuple(map(str, named))
        default = DEFAULT_COMPARTMENT if DEFAULT_COMPARTMENT in ids else next(iter(ids), None)
        found: list[Resource] = [
            {
                "id": str(_COMPARTMENT_SELECTIONS + number),
                "datamart_id": arguments["datamart"],
                "compartment_id": compartment_id,
                "default": compartment_id == default,
                "token": f"compartment-{compartment_id}",
                "name": f"Compartment {compartment_id}",
            }
            for number, compartment_id in enumerate(ids)
        ]
        if is_true(request.query, "default"):
            found = [item for item in found if item["default"]]
        return self._page(found, request)

    async def channels(self, request: Request, arguments: Arguments) -> Response:
        """List the channels of a datamart."""
        datamart_id = arguments["datamart"]
        common = {
            "organisation_id": self._access.organisation_of(datamart_id),
            "datamart_id": datamart_id,
            "creation_ts": _CREATED,
        }
        site = {"id": "2001", "name": "Shop", "token": "shop", "type": "SITE", "domain": "shop.example.com"}
        app = {"id": "2002", "name": "Shop app", "token": "shop-app", "type": "MOBILE_APPLICATION"}
        return self._page([{**site, **common}, {**app, **common}], request)

    def _page(self, found: list[Resource], request: Request) -> Response:
        asked = window(request.query, self._settings.default_page_size, self._settings.max_page_size)
        return page(asked.of(found), len(found), asked)

    def _link_of(self, arguments: Arguments) -> tuple[str, str, str]:
        label_id, kind, item = arguments["label"], arguments["kind"], arguments["item"]
        self.labels.find(label_id)
        match kind:
            case "IMPORT":
                known = {found.id for found in self._state.imports()}
            case "SEGMENT":
                known = {found["id"] for found in self.segments.all()}
            case _:
                known = set()
        if item not in known:
            raise not_found()
        return label_id, kind, item

    def _label_is_chosen(self, label: Resource, query: Mapping[str, str]) -> bool:
        """Choose by organisation, and by what carries the label (INFERRED: the names of those two parameters)."""
        if not _equal("organisation_id")(label, query):
            return False
        kind, item = query.get("labelable_type"), query.get("labelable_id")
        if kind is None or item is None:
            return True
        with self._links_lock:
            return (label["id"], kind, item) in self._links


def _link(key: tuple[str, str, str]) -> dict[str, str]:
    return {"label_id": key[0], "labelable_type": key[1], "labelable_id": key[2]}


def _equal(*names: str) -> Callable[[Resource, Mapping[str, str]], bool]:
    def chosen(item: Resource, query: Mapping[str, str]) -> bool:
        return all(name not in query or _text(item.get(name)) == query[name] for name in names)

    return chosen


def _text(value: Any) -> str:
    """Render a value as it stands in a query."""
    return str(value).lower() if isinstance(value, bool) else str(value)


_segment_equal = _equal("organisation_id", "datamart_id", "technical_name", "name", "persisted", "feed_type")


def _segment_is_chosen(segment: Resource, query: Mapping[str, str]) -> bool:
    """Choose a segment. INFERRED: ``keywords`` is part of the name, ``type`` may list several with commas."""
    types = {item for item in query.get("type", "").split(",") if item}
    return (
        _segment_equal(segment, query)
        and query.get("keywords", "").lower() in str(segment["name"]).lower()
        and (not types or segment["type"] in types)
    )


def _segments(datamart_id: str, organisation_id: str) -> list[Resource]:
    common = {"organisation_id": organisation_id, "datamart_id": datamart_id, "persisted": True, "default_ttl": None}
    file_import = {"type": "USER_LIST", "feed_type": "FILE_IMPORT", "subtype": "STANDARD"}
    return [
        {"id": "9001", "name": "Very important", "technical_name": "vip", **file_import, **common},
        {"id": "9002", "name": "Likely to leave", "technical_name": "churn_risk", **file_import, **common},
        {"id": "9003", "name": "Visitors", "technical_name": None, "type": "USER_QUERY", **common},
    ]


def _processings(community_id: str) -> list[Resource]:
    return [
        {
            "id": str(450 + number),
            "community_id": community_id,
            "name": name,
            "purpose": name,
            "legal_basis": "CONSENT",
            "technical_name": name.lower().replace(" ", "_"),
            "token": f"processing-{450 + number}",
            "archived": False,
        }
        for number, name in enumerate(("Newsletter", "Targeted ads"))
    ]
