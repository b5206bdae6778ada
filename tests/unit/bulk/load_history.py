"""What happens to one or two tasks that load into one document import, and whether it may have happened."""

from __future__ import annotations

import collections
import hashlib
from typing import TYPE_CHECKING, Any
from unittest import mock

from airflow_provider_mics.bulk.adoption import PICK_UP_FACTOR
from airflow_provider_mics.bulk.delivery import MAX_SENDS
from airflow_provider_mics.bulk.ledger import Ledger
from airflow_provider_mics.exceptions import MicsError
from tests.unit.bulk.load_model import Fate, Store, Task
from tests.unit.bulk.platform_model import LIST_LAG_S, Platform

if TYPE_CHECKING:
    import random


class History:
    """The platform, its tasks, what happens to them, and the checks.

    :param chance: Decides what is not said.
    :param survives: Whether Airflow keeps the state of tasks. Below 3.3 it does not: there a load is alone here, as two
        tasks that make an import of the same name at the same time cannot tell theirs after a crash, and it is neither
        cleared nor changed, as nothing would tell the new load from the old one.
    """

    def __init__(
        self, chance: random.Random, *, document_type: str, if_exists: Any, tasks: int, survives: bool = True
    ) -> None:
        self.chance = chance
        self.platform = Platform(chance)
        self.tasks = [
            Task(
                name=name,
                document_type=document_type,
                if_exists=if_exists,
                contents=self._contents(name),
                knows_hashes=chance.random() < 0.8,
                knows_lines=chance.random() < 0.8,
                survives=survives,
            )
            for name in "AB"[: tasks if survives else 1]
        ]
        for task in self.tasks:
            task.versions.append(list(task.contents))

    @classmethod
    def by_chance(cls, chance: random.Random) -> History:
        """Choose all."""
        return cls(
            chance,
            document_type=chance.choice(["USER_ACTIVITY", "USER_ACTIVITY", "USER_PROFILE"]),
            if_exists=chance.choice(["reuse", "reuse", "create"]),
            tasks=chance.choice([1, 1, 2]),
            survives=chance.random() < 0.85,
        )

    def _contents(self, name: str) -> list[bytes]:
        """Make parts: some with as many lines as others, some with the same bytes."""
        kinds = [
            b'{"of":"%s","line":%d}\n' % (name.encode(), number) * self.chance.choice([1, 1, 2]) for number in range(4)
        ]
        return [self.chance.choice(kinds) for _ in range(self.chance.randint(1, 4))]

    # What can happen -------------------------------------------------------------------------------------------------

    def play(self, steps: int) -> None:
        """Let so many things happen."""
        for _ in range(steps):
            task = self.chance.choice(self.tasks)
            if self.chance.random() < 0.7:
                self.try_roughly(task)
                continue
            match self.chance.randint(1, 6):
                case 1:
                    self.clear(task)
                case 2:
                    self.change(task)
                case 3:
                    self.rename(task)
                case 4:
                    self.platform.cancel_one()
                case 5:
                    self.toggle_reading()
                case _:
                    self.pass_time()

    def try_roughly(self, task: Task) -> None:
        """Try once; requests fail, and the process may be killed."""
        if not task.may_be_tried:
            return
        self.platform.is_rough = True
        fate = Fate(
            kill_at=self.chance.choice([None, self.chance.randint(1, 50), self.chance.randint(1, 120)]),
            store_fails_at=self.chance.choice([None, None, self.chance.randint(1, 15)]),
            written=self.chance.random() < 0.5,
        )
        self._try(task, fate)

    def clear(self, task: Task) -> None:
        """Clear the task: what follows is another load."""
        if task.survives:
            task.clear()

    def change(self, task: Task) -> None:
        """Change the task's source."""
        if task.survives:
            task.change(self._contents(task.name))

    def rename(self, task: Task) -> None:
        """Change the name of its document import."""
        if task.survives:
            task.import_name += "!"

    def pass_time(self) -> None:
        """Wait."""
        self.platform.pass_time(self.chance.choice([1.0, LIST_LAG_S, LIST_LAG_S * 20]))

    def toggle_reading(self) -> None:
        """Let input files of later executions be unreadable, or readable again."""
        self.platform.is_readable = not self.platform.is_readable

    def end(self) -> None:
        """Let each task be tried until it ends, and see whether all is as it may be."""
        for task in self.tasks:
            for _ in range(3):
                if task.may_be_tried:
                    self.platform.is_rough = False
                    self._try(task, Fate())
                self.platform.pass_time(LIST_LAG_S * 20)
            self._check_stop(task)
        self.platform.settle()
        for task in self.tasks:
            self._check_counts(task)
            self._check_ledger(task)
            self._check_sends(task)

    def _try(self, task: Task, fate: Fate) -> None:
        with mock.patch("airflow_provider_mics.bulk.upload.time.time", self.platform.read_clock):
            task.run(self.platform, fate, parallel_uploads=self.chance.choice([1, 2, 3]))
        if task.sent is not None:
            self._check_success(task)

    # What must hold --------------------------------------------------------------------------------------------------

    def _check_success(self, task: Task) -> None:
        """Nothing is lost, and nothing was taken that is another's: not another task's, not an earlier load's."""
        assert task.sent is not None
        execution_ids = [part.execution_id for part in task.sent]
        assert len(set(execution_ids)) == len(execution_ids)
        taken = [self.platform.find(execution_id) for execution_id in execution_ids]
        assert [item.content for item in taken] in task.versions
        for part, item in zip(task.sent, taken, strict=True):
            assert (item.sender.task, item.sender.generation) == (task.name, task.generation)
            assert not item.is_canceled
            assert part.lines == item.lines

    def _check_stop(self, task: Task) -> None:
        """A task that does not succeed in calm weather has said why."""
        if task.sent is None:
            assert isinstance(task.error, MicsError), task.error
            text = str(task.error)
            assert "may be in" in text or "count again" in text, text

    def _check_counts(self, task: Task) -> None:
        """No line of the present load is in more often than its source has it."""
        if task.document_type != "USER_ACTIVITY" and self._may_be_doubled(task):
            return
        here = [item for item in self.platform.of_task(task.name) if item.sender.generation == task.generation]
        counts = collections.Counter(item.content for item in here)
        allowed: collections.Counter[bytes] = collections.Counter()
        for version in task.versions:
            allowed |= collections.Counter(version)
        assert counts <= allowed, (counts, allowed)
        if task.sent is not None:
            # Somebody may have cancelled one since.
            assert {item.id for item in here} <= {part.execution_id for part in task.sent}

    def _may_be_doubled(self, task: Task) -> bool:
        """Return whether lines that may be sent twice may have been."""
        limit_s = LIST_LAG_S * PICK_UP_FACTOR
        is_slow = any(item.picked_up_at - item.committed_at >= limit_s for item in self.platform.uploads)
        return is_slow or bool(self.platform.refusals) or len(task.versions) > 1 or task.import_name != "night"

    def _check_ledger(self, task: Task) -> None:
        """What the ledger says is so."""
        if not task.survives:
            return
        ledger = Ledger.open(Store(task.values, Fate(), survives=True), generation=task.generation)
        loads = [*(earlier.parts for earlier in ledger.earlier_loads()), ledger.parts()]
        for number, records in enumerate(loads, start=1):
            theirs = [item for item in self.platform.uploads if item.sender.task == task.name]
            assert all(item.sender.index <= len(records) for item in theirs if item.sender.load == number)
            known = {record.execution_id for record in records}
            for index, record in enumerate(records, start=1):
                if record.execution_id:
                    item = self.platform.find(record.execution_id)
                    assert item in theirs
                    if task.knows_hashes:
                        assert record.identity == f"sha256:{hashlib.sha256(item.content).hexdigest()}"
                elif record.is_withdrawn and task.document_type == "USER_ACTIVITY":
                    here = [item for item in theirs if (item.sender.load, item.sender.index) == (number, index)]
                    assert not [item for item in here if item.id not in known and not item.is_canceled]

    def _check_sends(self, task: Task) -> None:
        """A part is not sent again and again."""
        for sender, times in self.platform.sends.items():
            if sender.task == task.name:
                assert times <= MAX_SENDS * task.tries
