"""What was asked: the last requests, and counters of all of them."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Headers whose value is a secret, and what is kept of them.
_SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie"})
_SECRET_QUERY: Final = frozenset({"access_token"})
REDACTED: Final = "***"
#: Kind of the requests to the control API, which the stand-in's own tests and nobody else makes.
CONTROL: Final = "control"
#: Kind of uploads, of which more is remembered.
UPLOAD: Final = "create_execution"


@dataclass(slots=True)
class RequestRecord:
    """One request as it was seen; complete before its answer leaves.

    :param number: 1 for the first request of this stand-in's life.
    :param time_ms: when its headers were read, milliseconds since the epoch on the stand-in's clock.
    :param connection_id: 1 for the first connection; equal for requests that shared one.
    :param kind: name of the route, such as "create_execution"; "unknown" for none.
    :param headers: lower-case names; secrets are replaced.
    :param body_bytes: bytes of body read so far; ``body_sha256`` is set once the whole body was read, and so is, for
        uploads, ``body_lines``, the number of lines that are not blank.
    :param execution_id: the execution that an upload made, answered or not; None: it made none.
    :param status: status answered; None while there is none, or when the connection was dropped instead.
    :param dropped: whether the connection ended, by a fault or by the client, before the answer was sent in full.
    :param fault: number of the planned fault that fired on it.
    """

    number: int
    time_ms: int
    connection_id: int
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    kind: str = "unknown"
    body_bytes: int = 0
    body_sha256: str | None = None
    body_lines: int | None = None
    execution_id: str | None = None
    status: int | None = None
    fault: int | None = None
    dropped: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the record as a JSON object."""
        return asdict(self)


class Recorder:
    """Bounded memory of requests, readable from any thread."""

    def __init__(self, keep: int, on_change: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._records: deque[RequestRecord] = deque(maxlen=keep)
        #: Every upload, however many requests are kept: they are few.
        self._uploads: list[RequestRecord] = []
        self._counts: Counter[str] = Counter()
        self._number = 0
        self._on_change = on_change

    def start(
        self,
        *,
        kind: str,
        time_ms: int,
        connection_id: int,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> RequestRecord:
        """Note a request whose headers were read; one to the control API is neither kept nor counted."""
        kept = kind != CONTROL
        with self._lock:
            self._number += kept
            record = RequestRecord(
                kind=kind,
                number=self._number if kept else 0,
                time_ms=time_ms,
                connection_id=connection_id,
                method=method,
                path=path,
                query={name: REDACTED if name in _SECRET_QUERY else value for name, value in query.items()},
                headers={name: REDACTED if name in _SECRET_HEADERS else value for name, value in headers.items()},
            )
            if kept:
                self._records.append(record)
                if kind == UPLOAD:
                    self._uploads.append(record)
                self._counts.update(("total", kind))
        self._on_change()
        return record

    def count(self, *names: str) -> None:
        """Add one to each named counter."""
        with self._lock:
            self._counts.update(names)
        self._on_change()

    def records(self) -> list[RequestRecord]:
        """Return the kept requests, oldest first."""
        with self._lock:
            return list(self._records)

    def uploads(self) -> list[RequestRecord]:
        """Return every upload, in the order in which they arrived."""
        with self._lock:
            return list(self._uploads)

    def counts(self) -> dict[str, int]:
        """Return how often each thing happened.

        Names: "total", the kinds of route, "status_<code>", "dropped", "fault_<action>", "connections".
        """
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        """Forget every request and counter."""
        with self._lock:
            self._records.clear()
            self._uploads.clear()
            self._counts.clear()
        self._on_change()
