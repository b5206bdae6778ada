"""Getting the document import of a night: one and the same over all tries, and never two."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_provider_mics.bulk.ledger import Ledger, PartRecord
from airflow_provider_mics.bulk.obtain import ImportDefinition, obtain
from airflow_provider_mics.bulk.state_store import MemoryStore
from airflow_provider_mics.exceptions import MicsAPIError, MicsConfigurationError, MicsError, MicsUploadError
from tests.unit.bulk.script import ACTIVITIES, Script, away, cut, not_sent

if TYPE_CHECKING:
    from airflow_provider_mics.api.models import DocumentImport

WANTED = ImportDefinition(
    document_type="USER_ACTIVITY",
    name="night",
    mime_type="APPLICATION_X_NDJSON",
    encoding="utf-8",
    priority="MEDIUM",
)


class Store(MemoryStore):
    survives = True


class Task:
    """Tries of a task that wants a document import."""

    def __init__(self, if_exists: Any = "reuse", *, survives: bool = True) -> None:
        self.script = Script()
        self.store = Store() if survives else MemoryStore()
        self.if_exists = if_exists
        self.ledger = Ledger.open(self.store, generation=0)

    def obtain(self, wanted: ImportDefinition = WANTED, *, is_retry: bool = False) -> str:
        store = self.store if self.store.survives else MemoryStore()
        self.ledger = Ledger.open(store, generation=0, is_retry=is_retry)
        conversation = obtain("1", wanted, self.if_exists, ledger=self.ledger, list_lag_s=10.0, now=self.script.time)
        found: DocumentImport = self.script.hold(conversation)
        return str(found.id)

    @property
    def creations(self) -> int:
        return self.script.calls.count("POST document_imports")


def named(import_id: int, **fields: Any) -> DocumentImport:
    return msgspec.structs.replace(ACTIVITIES, id=str(import_id), **fields)


def test_it_is_made_once_over_all_tries() -> None:
    task = Task()
    made = named(7)
    task.script.posts = [made]
    assert task.obtain() == "7"
    task.script.imports = [made]

    assert task.obtain() == "7"
    assert task.creations == 1
    assert task.ledger.load.made_import


@pytest.mark.parametrize(("if_exists", "taken"), [("reuse", "5"), ("create", "7")])
def test_one_of_the_name_is_taken_or_not(if_exists: str, taken: str) -> None:
    task = Task(if_exists)
    task.script.imports = [named(5), named(4, name="night and day"), named(3, document_type="USER_PROFILE"), named(6)]
    task.script.posts = [named(7)]

    assert task.obtain() == taken


def test_one_of_the_name_may_be_refused() -> None:
    task = Task("fail")
    task.script.imports = [named(5)]

    with pytest.raises(MicsConfigurationError, match="already is"):
        task.obtain()


@pytest.mark.parametrize("error", [cut(), away()])
@pytest.mark.parametrize("if_exists", ["reuse", "create", "fail"])
def test_a_creation_of_unknown_outcome_is_looked_for(if_exists: str, error: MicsError) -> None:
    task = Task(if_exists)
    if if_exists == "create":
        task.script.imports = [named(5)]

    def made() -> Any:
        task.script.imports.append(named(7))
        raise error

    task.script.posts = [made]

    assert task.obtain() == "7"
    assert task.creations == 1
    # Another task's may bear the name: what it holds is not known.
    assert not task.ledger.load.made_import


def test_a_creation_that_is_shown_absent_is_repeated() -> None:
    task = Task()
    began = task.script.now
    task.script.posts = [cut(), named(7)]

    assert task.obtain() == "7"
    assert task.script.now >= began + 10


def test_a_creation_that_a_killed_try_left_is_looked_for() -> None:
    task = Task("create")
    task.script.imports = [named(5)]

    def killed() -> Any:
        raise KeyboardInterrupt

    task.script.posts = [killed]
    with pytest.raises(KeyboardInterrupt):
        task.obtain()
    task.script.imports.append(named(7))

    assert task.obtain() == "7"
    assert task.creations == 1


@pytest.mark.parametrize("error", [not_sent(), MicsAPIError(call="create", http_status=400)])
def test_a_creation_that_was_refused_leaves_no_doubt(error: MicsError) -> None:
    task = Task()
    task.script.posts = [error, named(7)]
    with pytest.raises(type(error)):
        task.obtain()

    assert task.obtain() == "7"
    assert task.script.pauses == []


def test_creation_is_not_repeated_again_and_again() -> None:
    task = Task()
    task.script.posts = [cut() for _ in range(10)]

    with pytest.raises(MicsError):
        task.obtain()
    assert task.creations == 3


@pytest.mark.parametrize("if_exists", ["reuse", "create", "fail"])
def test_a_blind_retry_waits_for_what_an_earlier_try_may_have_made(if_exists: str) -> None:
    task = Task(if_exists, survives=False)
    began = task.script.now
    task.script.imports = [named(7)]

    assert task.obtain(is_retry=True) == "7"
    assert task.script.now >= began + 10
    assert task.creations == 0


def test_another_definition_is_a_new_load() -> None:
    task = Task()
    task.script.posts = [named(7)]
    task.obtain()
    task.script.imports = [named(7, name="another")]
    task.script.posts = [named(8)]

    assert task.obtain() == "8"
    assert len(task.ledger.earlier_loads(unsettled=True)) == 1


def test_another_definition_is_refused_where_activities_may_be_in() -> None:
    task = Task()
    task.script.posts = [named(7)]
    task.obtain()
    task.ledger.note_part(1, PartRecord(identity="sha256:1", file="a", number=1))
    task.script.imports = [named(7, name="another")]

    with pytest.raises(MicsUploadError, match="count again") as caught:
        task.obtain()
    assert not caught.value.retryable
    assert task.creations == 1


def test_a_list_that_was_asked_for_too_early_shows_no_import_absent() -> None:
    task = Task()
    task.script.call_s = 6.0

    def made() -> Any:
        # Listed when the list that is complete is asked for, and not before.
        task.script.posts = [AssertionError("made again")]
        raise cut()

    task.script.posts = [made]
    shown_at = task.script.now + 2 * 6 + 9.9
    perform = task.script.perform

    def later(step: Any) -> Any:
        if task.script.now >= shown_at and not task.script.imports:
            task.script.imports = [named(7)]
        return perform(step)

    task.script.perform = later  # type: ignore[method-assign]

    assert task.obtain() == "7"


@pytest.mark.parametrize(("name", "if_exists"), [("night", "other"), ("", "reuse"), ("  ", "reuse")])
def test_what_means_nothing_is_refused(name: str, if_exists: str) -> None:
    with pytest.raises(MicsConfigurationError):
        Task(if_exists).obtain(dataclasses.replace(WANTED, name=name))
