"""A platform in memory, as badly behaved as the ledger's promise allows: what it does and when is left to chance.

Assumed of it, and no more: an upload that is carried out although its client got no answer is carried out, and listed,
within ``LIST_LAG_S`` of the moment at which the client was left without one; an execution is known by its id at once;
what was cancelled takes no line; ids are not used twice.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_mics.api.models import DocumentImport, Execution, ExecutionParameters, ExecutionResult, Page
from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsNotFoundError,
    MicsServerError,
    MicsTransportError,
    Outcome,
)

if TYPE_CHECKING:
    import random

    from airflow_provider_mics.api.call import Call

LIST_LAG_S = 10.0
#: Small, so that lists have several pages.
PAGE_SIZE = 2


class Killed(BaseException):
    """The process is gone."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sender:
    """Who sent an upload: the part, its load and generation, the task."""

    task: str
    generation: int = 0
    load: int = 0
    index: int = 0


@dataclasses.dataclass(slots=True, kw_only=True)
class Upload:
    """An upload that was carried out, or will be."""

    id: str
    import_id: str
    content: bytes
    sender: Sender
    committed_at: float
    visible_at: float
    picked_up_at: float
    is_readable: bool
    is_canceled: bool = False

    @property
    def lines(self) -> int:
        return self.content.count(b"\n")


@dataclasses.dataclass(slots=True, kw_only=True)
class Import:
    """A document import."""

    resource: DocumentImport
    visible_at: float


class Platform:
    """Document imports and their executions.

    :param chance: Decides whatever is not decided by the caller.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.now = 1_000_000.0
        #: Whether requests fail.
        self.is_rough = True
        #: Whether input files can be read, of executions made from now on.
        self.is_readable = True
        self.imports: list[Import] = []
        self.uploads: list[Upload] = []
        #: How often the read-back of an input file was refused.
        self.refusals = 0
        #: How many uploads were begun, by sender.
        self.sends: dict[Sender, int] = {}
        self._last_id = 100

    def read_clock(self) -> float:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    def settle(self) -> None:
        """Let all that is under way come to its end."""
        self.pass_time(LIST_LAG_S * 100)

    def answer(self, call: Call[Any], sender: Sender) -> Any:
        """Carry a call out, or fail as networks and servers do."""
        self.pass_time(self.chance.choice([0.001, 0.001, 0.1, 3.0]))
        path = call.path.partition("/datamarts/1/")[2]
        result: Any
        match call.method, path.split("/"):
            case "POST", ["document_imports"]:
                result = self._create(call)
            case "POST", ["document_imports", import_id, "executions"]:
                result = self._upload(call, import_id, sender)
            case "POST", ["document_imports", _, "executions", execution_id, "action"]:
                result = self._cancel(call, execution_id)
            case _:
                if self.is_rough and self.chance.random() < 0.02:
                    raise _server_error(call)
                result = self._read(call, path)
        self.pass_time(self.chance.choice([0.0, 0.0, 0.1, 3.0]))
        return result

    def kill_in(self, call: Call[Any], sender: Sender) -> None:
        """Let a request be under way when its process is killed."""
        path = call.path.partition("/datamarts/1/")[2]
        committed = self.chance.random() < 0.6
        if call.method == "POST" and path == "document_imports" and committed:
            self._make_import(call)
        elif call.method == "POST" and path.endswith("/executions"):
            self._count(sender)
            if committed:
                self._commit(call, path.split("/")[1], sender, delay_s=self._late())

    def find(self, execution_id: str) -> Upload:
        return next(upload for upload in self.uploads if upload.id == execution_id)

    def of_task(self, task: str) -> list[Upload]:
        """Return what a task has sent, without what was cancelled."""
        return [upload for upload in self.uploads if upload.sender.task == task and not upload.is_canceled]

    def cancel_one(self) -> None:
        """Cancel a pending execution, as somebody may do in the web UI."""
        pending = [upload for upload in self.uploads if upload.committed_at <= self.now < upload.picked_up_at]
        if pending:
            self.chance.choice(pending).is_canceled = True

    def _late(self) -> float:
        """Return how long after its client was left alone a request is carried out."""
        return self.chance.choice([0.0, 0.0, LIST_LAG_S / 2, LIST_LAG_S * 0.99])

    def _next_id(self) -> str:
        self._last_id += 1
        return str(self._last_id)

    def _create(self, call: Call[Any]) -> DocumentImport:
        fate = self._fate()
        if fate in {"not sent", "refused"}:
            raise _failure(call, fate)
        made = None if fate.endswith("absent") else self._make_import(call)
        if fate == "done" and made:
            return made
        raise _failure(call, fate)

    def _make_import(self, call: Call[Any]) -> DocumentImport:
        fields = msgspec.json.decode(call.content or b"")
        resource = DocumentImport(id=self._next_id(), **fields)
        visible_at = self.now + self.chance.choice([0.0, 0.0, LIST_LAG_S * 0.99])
        self.imports.append(Import(resource=resource, visible_at=visible_at))
        return resource

    def _upload(self, call: Call[Any], import_id: str, sender: Sender) -> Execution:
        fate = self._fate()
        self._count(sender)
        if fate in {"not sent", "refused"}:
            raise _failure(call, fate)
        committed = None
        if not fate.endswith("absent"):
            late = 0.0 if fate == "done" else self._late()
            committed = self._commit(call, import_id, sender, delay_s=late)
        if fate == "done" and committed:
            return self._resource(committed)
        raise _failure(call, fate)

    def _count(self, sender: Sender) -> None:
        self.sends[sender] = self.sends.get(sender, 0) + 1

    def _fate(self) -> str:
        if not self.is_rough or self.chance.random() < 0.6:
            return "done"
        return self.chance.choice(
            ["not sent", "refused", "cut", "cut absent", "server error", "server error absent", "cut", "server error"]
        )

    def _commit(self, call: Call[Any], import_id: str, sender: Sender, *, delay_s: float) -> Upload:
        assert call.open_body
        body = call.open_body()
        content = body.read()
        body.close()
        committed_at = self.now + delay_s
        upload = Upload(
            id=self._next_id(),
            import_id=import_id,
            content=content,
            sender=sender,
            committed_at=committed_at,
            visible_at=max(committed_at, self.now + self.chance.choice([0.0, 0.0, LIST_LAG_S * 0.99])),
            picked_up_at=committed_at + self.chance.choice([0.0, 0.0, LIST_LAG_S, LIST_LAG_S * 3, LIST_LAG_S * 50]),
            is_readable=self.is_readable,
        )
        self.uploads.append(upload)
        return upload

    def _cancel(self, call: Call[Any], execution_id: str) -> Execution:
        upload = self.find(execution_id)
        if upload.is_canceled or self.now < upload.picked_up_at:
            upload.is_canceled = True
            return self._resource(upload)
        raise MicsAPIError(call=call.what, http_status=400)

    def _read(self, call: Call[Any], path: str) -> Any:
        query = dict(call.query)
        if call.path == "/v1/data_file/data":
            return self._input_file(call, query["uri"])
        if match := re.fullmatch(r"document_imports/(\d+)/executions/(\d+)", path):
            return self._resource(self.find(match[2]))
        if match := re.fullmatch(r"document_imports/(\d+)/executions", path):
            listed = [
                self._resource(upload)
                for upload in sorted(self.uploads, key=lambda item: item.committed_at, reverse=True)
                if upload.import_id == match[1] and upload.visible_at <= self.now
            ]
            return _page(listed, query)
        if match := re.fullmatch(r"document_imports/(\d+)", path):
            return next(item.resource for item in self.imports if item.resource.id == match[1])
        assert path == "document_imports", call
        return _page([item.resource for item in self.imports if item.visible_at <= self.now], query)

    def _input_file(self, call: Call[Any], uri: str) -> Any:
        upload = self.find(uri.rpartition("/")[2])
        content = upload.content
        if not upload.is_readable:
            self.refusals += 1
            if self.chance.random() < 0.7:
                raise MicsNotFoundError(call=call.what, http_status=404)
            # What some servers say of a file that they have not got.
            content = b"<html>\n" * 7
        assert call.open_sink
        sink: Any = call.open_sink()
        for start in range(0, len(content), 7):
            sink.feed(content[start : start + 7])
        return sink

    def _resource(self, upload: Upload) -> Execution:
        is_picked_up = self.now >= upload.picked_up_at
        status = "CANCELED" if upload.is_canceled else "SUCCEEDED" if is_picked_up else "PENDING"
        uri = f"mics://data_file/{upload.id}"
        return Execution(
            id=upload.id,
            status=status,
            creation_date=int(upload.committed_at * 1000),
            parameters=ExecutionParameters(number_of_lines=upload.lines, file_uri=uri) if is_picked_up else None,
            result=ExecutionResult(total_success=upload.lines, total_failure=0) if status == "SUCCEEDED" else None,
        )


def _page(items: list[Any], query: dict[str, str]) -> Page[Any]:
    first = int(query["first_result"])
    return Page(items=tuple(items[first : first + PAGE_SIZE]), total=len(items), max_results=PAGE_SIZE)


def _failure(call: Call[Any], fate: str) -> Exception:
    if fate == "not sent":
        return MicsTransportError("refused.", call=call.what, outcome=Outcome.NOT_SENT)
    if fate == "refused":
        # One that another try may get past; what cannot be got past ends the task at once.
        return MicsAPIError(call=call.what, http_status=409)
    if fate.startswith("cut"):
        return MicsTransportError("cut.", call=call.what, outcome=Outcome.UNKNOWN)
    return _server_error(call)


def _server_error(call: Call[Any]) -> MicsServerError:
    return MicsServerError(call=call.what, http_status=504)
