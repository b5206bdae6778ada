"""A stand-in that answers with what the vendor's pages show, and comparisons with what they show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

import msgspec

from tests.contract.api.recorder import Received, Recorder, http

if TYPE_CHECKING:
    from collections.abc import Mapping

SAMPLES = Path(__file__).parent / "samples"
TOKEN = "api:TOKEN"
DATAMART = "/v1/datamarts/1509"
#: Headers of HTTP itself, which no page shows.
_OF_HTTP = {"host", "user-agent", "accept", "accept-encoding", "connection", "content-length", "transfer-encoding"}


def sample(page: str, name: str) -> bytes:
    """Return a sample of a page, as it stands there."""
    return (SAMPLES / page / name).read_bytes()


class Vendor:
    """Answers each request with the next of the replies it is given, and keeps the requests."""

    def __init__(self) -> None:
        self._replies: list[bytes] = []
        self._recorder = Recorder(lambda _: http(self._replies.pop(0)))

    @property
    def url(self) -> str:
        """Base URL."""
        return self._recorder.url

    def answers(self, *bodies: bytes) -> None:
        """Answer the next requests with these bodies."""
        self._replies += bodies

    def received(self, method: str, path: str, query: Mapping[str, str] | None = None, **headers: str) -> Received:
        """Return the last request, having compared it with what a page shows.

        :param query: Other than this there is none.
        :param headers: With underscores for hyphens; beside the token and those of HTTP itself there are no others.
        """
        request = self._recorder.requests[-1]
        found_method, target, _ = request.line.split(" ")
        url = urlsplit(target)
        assert (found_method, url.path) == (method, path)
        assert dict(parse_qsl(url.query, keep_blank_values=True)) == dict(query or {})
        shown = {"authorization": TOKEN, **{name.replace("_", "-"): value for name, value in headers.items()}}
        assert {name: value for name, value in request.headers.items() if name not in _OF_HTTP} == shown
        return request

    def __enter__(self) -> Self:
        self._recorder.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._recorder.__exit__()
        assert self._replies == []


def assert_reads(found: msgspec.Struct, shown: Mapping[str, Any]) -> None:
    """Compare every field of what was read with what a page shows."""
    for name in found.__struct_fields__:
        value = getattr(found, name)
        if isinstance(value, msgspec.Struct):
            assert_reads(value, shown[name])
        else:
            assert value == shown.get(name), name


def data_of(reply: bytes) -> Any:
    """Return what an envelope holds."""
    return json.loads(reply)["data"]
