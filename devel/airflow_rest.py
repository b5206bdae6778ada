"""Calls to Airflow's REST API, in the mode where everybody is an admin."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]

_PAGE: Final = 100


class ApiError(RuntimeError):
    """Airflow answered a call with an error."""

    def __init__(self, call: str, status: int, text: str) -> None:
        super().__init__(f"{call}: HTTP {status}: {text[:1000]}")
        self.status = status


class AirflowRest:
    """One API server.

    :param url: where it listens.
    :param timeout_s: for one call, in seconds.
    """

    def __init__(self, url: str, *, timeout_s: float = 60) -> None:
        self.url = url
        self._timeout_s = timeout_s
        self._session = requests.Session()
        # No proxy, no netrc: the server is on this machine.
        self._session.trust_env = False

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        params: Mapping[str, str | int | bool] | None = None,
    ) -> Any:
        """Make one call below ``/api/v2`` and return its JSON, or its text, or None; an error reply is raised."""
        reply = self._session.request(
            method,
            f"{self.url}/api/v2{path}",
            json=json,
            params=params,
            headers={"Accept": "application/json"},
            timeout=self._timeout_s,
        )
        if not reply.ok:
            raise ApiError(f"{method} {path}", reply.status_code, reply.text)
        if not reply.content:
            return None
        return reply.json() if "json" in reply.headers.get("Content-Type", "") else reply.text

    def pages(self, path: str, key: str, **params: str | int | bool) -> Iterator[Json]:
        """Yield every item of a list, page by page."""
        offset = 0
        while True:
            page = self.call("GET", path, params={**params, "limit": _PAGE, "offset": offset})
            yield from page[key]
            offset += len(page[key])
            if not page[key] or offset >= page["total_entries"]:
                return

    def put(self, path: str, name: str, new: object, changed: object) -> None:
        """Create something, or change it when it exists: Airflow has two calls for that, with two spellings."""
        try:
            self.call("POST", path, json=new)
        except ApiError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            self.call("PATCH", f"{path}/{quoted(name)}", json=changed)


def quoted(text: str) -> str:
    """Return an id as one part of a path: a run id holds "+" and ":", a pool may hold "/"."""
    return quote(text, safe="")


def as_object(answer: Any) -> Json:
    """Return an answer that must be a JSON object."""
    if not isinstance(answer, dict):
        raise TypeError(f"Airflow answered with {type(answer).__name__} where an object was expected")
    return answer
