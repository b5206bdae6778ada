"""A task that loads parts, tried again and again: the ledger's own code over a platform and a store in memory.

Only what does I/O is replaced: the client, the state store, and the threads, of which two are played by turns.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import logging
import types
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.api.conversation import Pause, hold
from airflow_provider_mics.bulk.delivery import deliver
from airflow_provider_mics.bulk.ledger import Ledger
from airflow_provider_mics.bulk.obtain import ImportDefinition, obtain
from airflow_provider_mics.bulk.parts import Part
from airflow_provider_mics.exceptions import MicsError, MicsStateError
from airflow_provider_mics.operators._ledger import send_load, settle_earlier_loads
from tests.unit.bulk.memory_file import MemoryFile
from tests.unit.bulk.platform_model import LIST_LAG_S, Killed, Platform, Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.bulk.delivery import Job, Target
    from airflow_provider_mics.bulk.sent_part import SentPart
    from airflow_provider_mics.bulk.upload import Uploader

log = logging.getLogger(__name__)


class Fate:
    """When a process is killed, and when its store fails it: counted in moments, of which each call has two.

    :param kill_at: Number of the moment; None: it is not.
    :param store_fails_at: Number of the write that fails; None: none does.
    """

    def __init__(self, *, kill_at: int | None = None, store_fails_at: int | None = None, written: bool = False) -> None:
        self._left = kill_at
        self._writes_left = store_fails_at
        self._written = written
        self.is_dead = False

    def moment(self) -> None:
        """Be killed here, if it is time."""
        if self.is_dead:
            raise Killed
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self.is_dead = True
                raise Killed

    def write(self, values: dict[str, str], key: str, value: Any) -> None:
        """Write a value: wholly, or not at all, and not always with an answer."""
        self.moment()
        if self._writes_left is not None:
            self._writes_left -= 1
            if not self._writes_left:
                if self._written:
                    values[key] = json.dumps(value)
                raise MicsStateError("The API server is away.")
        values[key] = json.dumps(value)
        self.moment()


class Store:
    """A state store of one try, over values that outlive it."""

    def __init__(self, values: dict[str, str], fate: Fate, *, survives: bool) -> None:
        self._values = values if survives else {}
        self._fate = fate
        self.survives = survives

    def get(self, key: str) -> Any:
        return json.loads(self._values[key]) if key in self._values else None

    def set(self, key: str, value: Any) -> None:
        assert value is not None
        self._fate.write(self._values, key, value)


@dataclasses.dataclass(kw_only=True)
class Task:
    """A task of a Dag, over all its tries.

    :param contents: What its parts are, in order.
    :param knows_hashes: Whether the parts' hashes are known before they are sent.
    :param knows_lines: Whether their lines are.
    :param survives: Whether Airflow keeps the state of tasks.
    """

    name: str
    document_type: str
    if_exists: Any
    contents: list[bytes]
    knows_hashes: bool
    knows_lines: bool
    survives: bool
    import_name: str = "night"
    generation: int = 0
    tries: int = 0
    tries_of_generation: int = 0
    values: dict[str, str] = dataclasses.field(default_factory=dict)
    #: What its source has been, in the present generation.
    versions: list[list[bytes]] = dataclasses.field(default_factory=list)
    #: What became of the last try.
    sent: list[SentPart] | None = None
    error: BaseException | None = None
    may_be_tried: bool = True

    def parts(self) -> Iterator[tuple[Part, MemoryFile]]:
        for number, content in enumerate(self.contents, start=1):
            part = Part(
                file=f"{self.name}.ndjson",
                number=number,
                of=None,
                ranges=((0, len(content)),),
                lines=content.count(b"\n") if self.knows_lines else None,
                sha256=hashlib.sha256(content).hexdigest() if self.knows_hashes else None,
            )
            yield part, MemoryFile(content, f"{self.name}-{number}")

    def clear(self) -> None:
        self.generation += 1
        self.tries_of_generation = 0
        self.versions = [list(self.contents)]
        self.sent, self.error, self.may_be_tried = None, None, True

    def change(self, contents: list[bytes]) -> None:
        self.contents = contents
        self.versions.append(list(contents))

    def run(self, platform: Platform, fate: Fate, *, parallel_uploads: int) -> None:
        """Run one try, as a worker does."""
        self.tries += 1
        self.tries_of_generation += 1
        try:
            self.sent = _Try(self, platform, fate, parallel_uploads).play()
            self.error, self.may_be_tried = None, False
        except Killed as error:
            self.error = error
        except MicsError as error:
            self.error = error
            self.may_be_tried = error.retryable


class _Try:
    """One try of a task. Also the hook and the client of its load."""

    datamart_id = "1"
    log = log

    def __init__(self, task: Task, platform: Platform, fate: Fate, parallel_uploads: int) -> None:
        self.task = task
        self.platform = platform
        self.fate = fate
        self.connection = types.SimpleNamespace(list_lag_s=LIST_LAG_S)
        self.client = self
        self._parallel_uploads = parallel_uploads
        self.under_way: list[_Delivery] = []

    def play(self) -> list[SentPart]:
        task = self.task
        store = Store(task.values, self.fate, survives=task.survives)
        ledger = Ledger.open(store, generation=task.generation, is_retry=task.tries_of_generation > 1)
        settle_earlier_loads(ledger, self)  # type: ignore[arg-type]
        wanted = ImportDefinition(
            document_type=task.document_type,
            name=task.import_name,
            mime_type="APPLICATION_X_NDJSON",
            encoding="utf-8",
            priority="MEDIUM",
        )
        document_import = self.run(
            obtain("1", wanted, task.if_exists, ledger=ledger, list_lag_s=LIST_LAG_S, now=self.now)
        )
        settle_earlier_loads(ledger, self)  # type: ignore[arg-type]
        sent, _ = send_load(self, document_import, ledger, self.send_parts)  # type: ignore[arg-type]
        return sent

    def now(self) -> float:
        return self.platform.now

    def run(self, conversation: Any) -> Any:
        return hold(conversation, self.perform)

    def send(self, call: Call[Any]) -> Any:
        return self.perform(call)

    def perform(self, step: Any, sender: Sender | None = None) -> Any:
        """Take a step of a conversation; the process may be killed before, in or after it."""
        self.fate.moment()
        if isinstance(step, Pause):
            self.platform.pass_time(step.seconds)
            return None
        sender = sender or Sender(self.task.name)
        try:
            self.fate.moment()
        except Killed:
            self.platform.kill_in(step, sender)
            for other in self.under_way:
                if other.is_sending and other.sender != sender:
                    self.platform.kill_in(other.step, other.sender)
            raise
        result = self.platform.answer(step, sender)
        self.fate.moment()
        return result

    def send_parts(self, uploader: Uploader) -> tuple[list[SentPart], None]:
        """Send parts as ``Uploader.send_all`` does, with turns in the place of threads."""
        target = dataclasses.replace(uploader._target, now=self.now, began=self.now())
        jobs = uploader._jobs(self.task.parts())
        sent: dict[int, SentPart] = {}
        failed: dict[int, MicsError] = {}
        load = len(json.loads(self.task.values.get("mics_loads", "[0]")))
        while True:
            while not failed and len(self.under_way) < self._parallel_uploads:
                try:
                    job = next(jobs, None)
                except MicsError as error:
                    failed[len(sent) + len(self.under_way) + 1] = error
                    break
                if job is None:
                    break
                sender = Sender(self.task.name, self.task.generation, load, job.index)
                self.under_way.append(delivery := _Delivery(self, target, job, sender))
                delivery.go_to_sending()
            if not self.under_way:
                break
            delivery = self.platform.chance.choice(self.under_way)
            delivery.go_to_end()
            for ended in [item for item in self.under_way if item.has_ended]:
                self.under_way.remove(ended)
                if ended.error:
                    failed[ended.job.index] = ended.error
                else:
                    assert ended.result
                    sent[ended.job.index] = ended.result
        if failed:
            raise failed[min(failed)]
        return [sent[index] for index in sorted(sent)], None


class _Delivery:
    """A part's delivery, and its gate: what a thread would wait for at the gate is played to its end instead."""

    def __init__(self, process: _Try, target: Target, job: Job, sender: Sender) -> None:
        self._process = process
        self._conversation = deliver(dataclasses.replace(target, gate=self), job)
        self.job = job
        self.sender = sender
        self.step: Any = None
        self.is_sending = False
        self.has_ended = False
        self.result: SentPart | None = None
        self.error: MicsError | None = None

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        self.is_sending = True
        try:
            yield
        finally:
            self.is_sending = False

    @contextlib.contextmanager
    def searching(self) -> Iterator[None]:
        for other in self._process.under_way:
            if other is not self and other.is_sending:
                other.go_to_end()
        yield

    def go_to_sending(self) -> None:
        """Go on to where a request with the part is on its way, or to the end."""
        self._take(lambda: next(self._conversation))
        while not (self.has_ended or self.is_sending):
            self._go_on()

    def go_to_end(self) -> None:
        while not self.has_ended:
            self._go_on()

    def _go_on(self) -> None:
        try:
            result = self._process.perform(self.step, self.sender)
        except MicsError as error:
            # Bound here, as Python forgets the name behind the clause.
            thrown = error
            self._take(lambda: self._conversation.throw(thrown))
        else:
            self._take(lambda: self._conversation.send(result))

    def _take(self, step: Callable[[], Any]) -> None:
        try:
            self.step = step()
        except StopIteration as end:
            self.has_ended, self.result = True, end.value
        except MicsError as error:
            self.has_ended, self.error = True, error
