"""What a load has done, written down so that the next try of its task can go on, on any machine.

Before a part is sent its intent is written; its execution's id at once after. A try that finds an intent without an id
knows that the part may be in, and looks for it; one that finds no intent knows that it is not.

One key holds the list of the task's loads, one the facts of each load, one each of its parts: small values, each
written by itself. A clear of the task begins a new load beside the old ones, whose records stay: what they sent must
never be taken for the new one's.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import msgspec

from airflow_provider_mics.bulk.sent_part import SentPart
from airflow_provider_mics.exceptions import MicsStateError

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_mics.api.models import Execution
    from airflow_provider_mics.bulk.state_store import StateStore

_LOADS: Final = "mics_loads"


class LoadRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a load as a whole.

    :param document_import_id: Where its parts go; None: not known yet.
    :param names_before: Ids of the document imports that bore the name before one was created; None: none was.
    :param made_import: Whether it created the document import, which so holds nothing of others.
    :param listed_before: Ids of executions that were there before the first part was sent.
    :param oldest_listed: Creation of the oldest of them, in ms, where there are older ones that are not listed.
    :param parts: How many there are, once all are in.
    :param dead_letter: Where lines were put aside, and how many.
    """

    document_import_id: str | None = None
    names_before: tuple[str, ...] | None = None
    made_import: bool = False
    listed_before: tuple[str, ...] | None = None
    oldest_listed: int | None = None
    parts: int | None = None
    dead_letter: dict[str, Any] | None = None


class PartRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a part.

    :param identity: What tells its bytes from those of any other part.
    :param file: Name of its file.
    :param number: Position among the parts of its file.
    :param lines: Commands in it; None: not counted before it is sent.
    :param execution_id: The execution it became; None: not known whether it is in.
    :param times_sent: How often it was begun to be sent, the present time included.
    """

    identity: str
    file: str
    number: int
    lines: int | None = None
    bytes: int = 0
    execution_id: str | None = None
    ranges: tuple[tuple[int, int], ...] | None = None
    version: tuple[str, ...] | None = None
    times_sent: int = 1
    #: What its content is known by, where it was sent more than once; see :class:`~.content.Content`.
    digest: str | None = None
    #: Not sent after all: the request never left, or was refused.
    is_withdrawn: bool = False

    @property
    def is_doubtful(self) -> bool:
        """Whether nobody knows if it is in."""
        return not (self.execution_id or self.is_withdrawn)

    def sent(self) -> SentPart:
        """Return it as what was sent."""
        return SentPart(
            execution_id=self.execution_id or "",
            file=self.file,
            number=self.number,
            lines=self.lines or 0,
            bytes=self.bytes,
            ranges=self.ranges,
            version=self.version,
        )


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A load in the list of the task's loads."""

    id: int
    generation: int
    #: Whether its pending executions were cancelled, when a later load took its place.
    is_settled: bool = False


class EarlierLoad(NamedTuple):
    """What is known of a load whose place a later one has taken."""

    id: int
    load: LoadRecord
    parts: list[PartRecord]


class Ledger:
    """The records of one load, and the way to those of earlier loads of the same task. May be shared by threads.

    :raises MicsStateError: From every method that reads or writes, if the store cannot.
    """

    def __init__(self, store: StateStore, entries: tuple[_Entry, ...], *, is_blind: bool) -> None:
        self._store = store
        self._entries = entries
        self._lock = threading.Lock()
        self._load: LoadRecord | None = None
        self._parts: dict[int, PartRecord] = {}
        #: Whether no part is in the store of which this process does not know: nobody else writes intents.
        self._knows_all = False
        self._of_others: set[str] | None = None
        #: Whether an earlier try may have sent parts of which nothing is written down.
        self.is_blind = is_blind
        #: Whether nothing more shall be sent.
        self._is_closed = False

    @classmethod
    def open(cls, store: StateStore, *, generation: int, is_retry: bool = False) -> Self:
        """Open the ledger of the running load: the one of this generation, or a new one.

        :param generation: Stays the same from try to try, and is another after a clear.
        :param is_retry: Whether an earlier try has run, for a store that does not survive it.
        """
        entries = msgspec.convert(store.get(_LOADS) or [], tuple[_Entry, ...])
        ledger = cls(store, entries, is_blind=is_retry and not store.survives)
        if not entries or entries[-1].generation != generation:
            ledger.begin(generation)
        return ledger

    @property
    def survives(self) -> bool:
        """Whether the next try will know what is written here."""
        return self._store.survives

    @property
    def load(self) -> LoadRecord:
        """The facts of the load."""
        if self._load is None:
            self._load = self._read(self._key(), LoadRecord) or LoadRecord()
        return self._load

    def read(self) -> None:
        """Read all that is known of the load; it need not be asked for again."""
        self._load = self.load
        self.parts()

    def note(self, **facts: Any) -> None:
        """Write facts of the load; fields of :class:`LoadRecord`."""
        record = msgspec.structs.replace(self.load, **facts)
        self._store.set(self._key(), msgspec.to_builtins(record))
        self._load = record

    def part(self, index: int) -> PartRecord | None:
        """Return what is known of a part.

        :param index: Its place in the load, from 1.
        """
        if index not in self._parts:
            if self._knows_all:
                return None
            record = self._read(self._key(index), PartRecord)
            if record is None:
                return None
            with self._lock:
                self._parts.setdefault(index, record)
        return self._parts[index]

    def parts(self) -> list[PartRecord]:
        """Return all parts of which something is known, in order. Their intents were written in order."""
        if not self._knows_all:
            self._parts_of(self.part, self.load.parts)
            self._knows_all = True
        with self._lock:
            return [self._parts[index] for index in sorted(self._parts)]

    def parts_in_memory(self) -> list[PartRecord]:
        """Return the parts that this process has read or written, without asking the store."""
        return list(self._parts.values())

    def close(self) -> None:
        """Let nothing more be sent: no intent is written any more. What becomes of parts on their way still is."""
        self._is_closed = True

    def note_part(self, index: int, record: PartRecord) -> None:
        """Write what is known of a part.

        :raises MicsStateError: Also where it is the intent to send one, and the ledger is closed.
        """
        if self._is_closed and record.is_doubtful:
            raise MicsStateError("The task is being ended: nothing more is sent.")
        if self.load.parts is not None and index > self.load.parts:
            # Not all of them any more: the next try would not look for this one.
            self.note(parts=None)
        # In memory first: what this process knows stays true even if it cannot be written down.
        with self._lock:
            self._parts[index] = record
        self._store.set(self._key(index), msgspec.to_builtins(record))

    def claimed(self) -> set[str]:
        """Return the executions that this task's loads, this one and earlier ones, know as theirs."""
        with self._lock:
            mine = {record.execution_id for record in self._parts.values() if record.execution_id}
        if self._of_others is None:
            earlier = [record for load in self.earlier_loads() for record in load.parts]
            self._of_others = {record.execution_id for record in earlier if record.execution_id}
        return mine | self._of_others

    def is_foreign(self, execution: Execution) -> bool:
        """Return whether an execution cannot be a part of this load that is looked for."""
        if execution.is_canceled:
            # Not a line of it was taken, so it is as good as absent.
            return True
        if execution.execution_id in (self.load.listed_before or ()):
            return True
        oldest = self.load.oldest_listed
        # What was created at the same moment as the oldest that was listed may have been on the next page.
        is_older = oldest is not None and execution.creation_date is not None and execution.creation_date <= oldest
        return is_older or execution.execution_id in self.claimed()

    def begin(self, generation: int | None = None) -> None:
        """Begin a new load in place of the present one, which becomes an earlier one.

        :param generation: None: that of the present one.
        """
        if generation is None:
            generation = self._entries[-1].generation
        entry = _Entry(id=self._entries[-1].id + 1 if self._entries else 1, generation=generation)
        self._write((*self._entries, entry))
        self._load, self._parts, self._knows_all, self._of_others = LoadRecord(), {}, True, None

    def earlier_loads(self, *, unsettled: bool = False) -> list[EarlierLoad]:
        """Return earlier loads of this task.

        :param unsettled: Only those of which something may be pending that is still to be cancelled.
        """
        found = []
        for entry in self._entries[:-1]:
            if unsettled and entry.is_settled:
                continue
            load = self._read(_key(entry.id), LoadRecord) or LoadRecord()
            records = self._parts_of(
                lambda index, entry=entry: self._read(_key(entry.id, index), PartRecord), load.parts
            )
            found.append(EarlierLoad(entry.id, load, records))
        return found

    def leaves_doubt(self, document_import_id: str) -> bool:
        """Return whether earlier loads of this task may have parts in this import of which they do not know."""
        return any(
            load.document_import_id == document_import_id and any(record.is_doubtful for record in parts)
            for _, load, parts in self.earlier_loads()
        )

    def settle(self, load_ids: Collection[int]) -> None:
        """Note that nothing more is to be done about these earlier loads."""
        if load_ids:
            self._write(
                tuple(
                    msgspec.structs.replace(entry, is_settled=True) if entry.id in load_ids else entry
                    for entry in self._entries
                )
            )

    def _write(self, entries: tuple[_Entry, ...]) -> None:
        self._store.set(_LOADS, msgspec.to_builtins(entries))
        self._entries = entries

    def _parts_of(self, read: Any, count: int | None) -> list[PartRecord]:
        """Read parts one by one: so many, or if that is not known, as long as there are any."""
        records: list[PartRecord] = []
        while len(records) != count and (record := read(len(records) + 1)) is not None:
            records.append(record)
        return records

    def _key(self, index: int | None = None) -> str:
        return _key(self._entries[-1].id, index)

    def _read(self, key: str, kind: type[Any]) -> Any:
        value = self._store.get(key)
        return None if value is None else msgspec.convert(value, kind)


def _key(load_id: int, index: int | None = None) -> str:
    return f"mics_load_{load_id}" if index is None else f"mics_load_{load_id}_part_{index}"
