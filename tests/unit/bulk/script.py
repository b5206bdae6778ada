"""Holds a conversation with answers that a test gives, on a clock that only pauses and answers move."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_mics.api.conversation import Pause, hold
from airflow_provider_mics.api.models import DocumentImport, Execution, Page
from airflow_provider_mics.bulk.parts import Part
from airflow_provider_mics.exceptions import MicsServerError, MicsTransportError, Outcome
from tests.unit.bulk.executions import execution
from tests.unit.bulk.memory_file import MemoryFile

if TYPE_CHECKING:
    from airflow_provider_mics.api.call import Call

ACTIVITIES = DocumentImport(
    id="7", name="night", document_type="USER_ACTIVITY", mime_type="APPLICATION_X_NDJSON", encoding="utf-8"
)


class Script:
    """Answers calls: executions that are listed, their contents, what becomes of uploads."""

    def __init__(self) -> None:
        self.now = 1000.0
        #: How long each call takes, in s.
        self.call_s = 0.0
        self.listed: list[Execution] = []
        #: From when on an execution is listed.
        self.listed_from: dict[str, float] = {}
        #: From when on an execution tells what it is made of.
        self.tells_from: dict[str, float] = {}
        #: What the input files of executions are; an exception is raised.
        self.contents: dict[str, bytes | Exception] = {}
        #: What becomes of the next uploads and creations.
        self.posts: list[Any] = []
        self.imports: list[DocumentImport] = []
        self.calls: list[str] = []
        self.pauses: list[float] = []

    def time(self) -> float:
        return self.now

    def hold(self, conversation: Any) -> Any:
        return hold(conversation, self.perform)

    def perform(self, step: Any) -> Any:
        if isinstance(step, Pause):
            self.pauses.append(step.seconds)
            self.now += step.seconds
            return None
        # What a list shows is what is there when it is asked for.
        listed = [
            self._as_it_is(item) for item in self.listed if self.listed_from.get(item.execution_id, 0) <= self.now
        ]
        self.now += self.call_s
        return self._answer(step, listed)

    def _as_it_is(self, item: Execution) -> Execution:
        tells = self.tells_from.get(item.execution_id, 0) <= self.now
        return item if tells else msgspec.structs.replace(item, parameters=None)

    def _answer(self, call: Call[Any], listed: list[Execution]) -> Any:
        path = call.path.partition("/datamarts/1/")[2] or call.path
        self.calls.append(f"{call.method} {path}")
        if call.method == "POST":
            if call.open_body:
                # Read, as it is by whoever sends it.
                call.open_body().read()
            return _given(self.posts.pop(0))
        if path == "/v1/data_file/data":
            content = _given(self.contents[dict(call.query)["uri"].rpartition("/")[2]])
            assert call.open_sink
            sink = call.open_sink()
            sink.feed(content)
            return sink
        if path == "document_imports":
            return Page(items=tuple(self.imports), total=len(self.imports))
        if path.endswith("/executions"):
            return Page(items=tuple(listed), total=len(listed))
        return next(item for item in self.imports if path == f"document_imports/{item.id}")


def _given(what: Any) -> Any:
    if isinstance(what, Exception):
        raise what
    return what() if callable(what) else what


def stored(execution_id: int, content: bytes | None = None, **fields: Any) -> Execution:
    """Return an execution that has been picked up, of this content; None: it does not say."""
    lines = None if content is None else content.count(b"\n")
    uri = None if content is None else f"mics://data_file/{execution_id}"
    parameters = None if content is None else {"number_of_lines": lines, "file_uri": uri}
    return execution(execution_id, fields.pop("status", "RUNNING"), **{"parameters": parameters, **fields})


def cut() -> MicsTransportError:
    """Return the error of a request whose connection was cut behind its last byte."""
    return MicsTransportError("cut.", call="upload", outcome=Outcome.UNKNOWN)


def not_sent() -> MicsTransportError:
    """Return the error of a request that never left."""
    return MicsTransportError("refused.", call="upload", outcome=Outcome.NOT_SENT)


def away() -> MicsServerError:
    """Return the error of a server that is away."""
    return MicsServerError(call="look", http_status=503)


def part_of(content: bytes, number: int = 1, *, of: int | None = None) -> tuple[Part, MemoryFile]:
    """Return a part whose lines and hash are known, and its file."""
    part = Part(
        file="file.ndjson",
        number=number,
        of=of,
        ranges=((0, len(content)),),
        lines=content.count(b"\n"),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return part, MemoryFile(content)
