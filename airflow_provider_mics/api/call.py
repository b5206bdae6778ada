"""One request to the API, described without sending it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    from airflow_provider_mics.exceptions import MicsAPIError

T_co = TypeVar("T_co", covariant=True)


class BodyReader(Protocol):
    """A request body that is read once, in blocks, and whose length is known before."""

    def __len__(self) -> int:
        """Return the number of bytes that reading it to the end gives."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most ``size`` bytes, none at the end."""

    def close(self) -> None:
        """Release what it holds open."""


class Sink(Protocol):
    """Takes a reply's body block by block, where it is too large to be kept."""

    def feed(self, block: bytes, /) -> None:
        """Take the next bytes."""

    @property
    def is_settled(self) -> bool:
        """Whether the rest need not be read."""


#: A body is opened anew for every attempt, so that an attempt never sends what an earlier one left over.
OpenBody = Callable[[], BodyReader]


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """What came back: status code, headers (names in lower case), whole body, which no ``repr`` shows.

    :param sink: What took the body, where the call has one; ``body`` is then only its beginning.
    """

    status: int
    headers: Mapping[str, str] = dataclasses.field(repr=False)
    body: bytes = dataclasses.field(repr=False)
    sink: Any = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call(Generic[T_co]):
    """A request, and how to read its answer. Its ``repr`` shows nothing that may be secret or personal.

    :param what: What it is for, to follow "could not": ``get execution 12 of document import 7``.
    :param method: HTTP method.
    :param path: Path below the base URL, escaped, such as ``/v1/datamarts/1/document_imports``.
    :param read: Turns the answer of an accepted request into what the caller wants.
    :param query: Query parameters, in order, not escaped.
    :param content: The body, for small ones.
    :param open_body: Opens the body, for large ones.
    :param content_type: Media type of the body.
    :param repeatable: Whether sending it twice does no harm, when nobody knows what became of the first.
    :param headers: Further headers.
    :param open_sink: Opens what takes the body of an accepted request, where it may be large; only on workers.
    :param base_url: Where it goes, if not to the address of the settings.
    :param read_error: Turns the answer of a refused request into an error, given what the call is for; None: it is
        mediarithmics's envelope.
    """

    what: str
    method: str
    # It may name a person.
    path: str = dataclasses.field(repr=False)
    read: Callable[[Reply], T_co]
    query: tuple[tuple[str, str], ...] = dataclasses.field(default=(), repr=False)
    content: bytes | None = dataclasses.field(default=None, repr=False)
    open_body: OpenBody | None = None
    content_type: str | None = None
    repeatable: bool = False
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    open_sink: Callable[[], Sink] | None = None
    base_url: str | None = None
    read_error: Callable[[str, Reply], MicsAPIError] | None = None

    def with_authorization(self, value: str) -> Call[T_co]:
        """Return the same call with the given Authorization header."""
        return dataclasses.replace(self, headers={**self.headers, "Authorization": value})


def json_body(value: Any) -> dict[str, Any]:
    """Return the arguments that give a :class:`Call` a JSON body."""
    return {"content": msgspec.json.encode(value), "content_type": "application/json"}
