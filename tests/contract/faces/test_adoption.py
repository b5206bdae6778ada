"""Tries of a task that follow a failed one, a killed one, or a clear: nothing twice, nothing lost."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.exceptions import MicsError, MicsSourceError, MicsStateError, MicsUploadError, MicsWaitError
from airflow_provider_mics.operators.document_import import MicsCreateDocumentImportOperator
from airflow_provider_mics.operators.import_files import MicsImportFilesOperator
from airflow_provider_mics.operators.upload import MicsUploadFileOperator
from tests.contract.faces.conftest import ACTIVITY, Night, TaskStateStore, profile

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox


class Killed(BaseException):
    """The process ends here."""


class DyingStore(TaskStateStore):
    """Ends the process before or after it writes a key for the n-th time."""

    def __init__(self, before: TaskStateStore, key: str, *, after_writing: bool = False) -> None:
        super().__init__()
        self.values = before.values
        self._key = key
        self._after_writing = after_writing

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        if key == self._key and not self._after_writing:
            raise Killed
        super().set(key, value, retention=retention)
        if key == self._key:
            raise Killed


@pytest.fixture
def night(night: Night) -> Night:
    night.store = TaskStateStore()
    return night


def activity(number: int) -> bytes:
    return ACTIVITY.replace(b"crm-77", b"crm-%d" % number)


def load(night: Night, path: Any, document_type: str = "USER_ACTIVITY", **arguments: Any) -> Any:
    return MicsImportFilesOperator(
        task_id="load",
        document_type=document_type,
        name="Night",
        path=path,
        poke_interval=0.01,
        **{"parallel_uploads": 1, "max_part_bytes": 800, **arguments},
    ).execute(night.context)


def create(night: Night, **arguments: Any) -> str:
    return MicsCreateDocumentImportOperator(
        task_id="create", document_type="USER_ACTIVITY", name="Night", **arguments
    ).execute(night.context)


def in_the_platform(sandbox: Sandbox) -> list[bytes]:
    """Return the lines of all executions that were not cancelled, in the order of arrival."""
    ids = [item.id for item in sandbox.executions if sandbox.execution(item.id)["status"] != "CANCELED"]
    return b"".join(sandbox.received(execution_id).read_bytes() for execution_id in sorted(ids, key=int)).splitlines()


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "reset", "when": "before_body"},
        {"action": "reset", "when": "mid_body"},
        {"action": "reset", "when": "after_body"},
        {"action": "reset", "when": "after_commit"},
        {"action": "status", "status": 502, "when": "after_commit"},
        {"action": "status", "status": 504, "when": "after_body"},
        {"action": "not_json"},
        {"action": "empty"},
        {"action": "envelope_error", "when": "after_commit"},
        {"action": "cut"},
    ],
)
def test_an_upload_of_unknown_outcome_is_in_once(sandbox: Sandbox, night: Night, fault: dict[str, Any]) -> None:
    lines = [activity(number) for number in range(10)]
    path = night.file("a.ndjson", *lines)
    plan = sandbox.faults.plan(kind="create_execution", after=1, **fault)

    summary = load(night, path)

    assert plan.fired
    assert sorted(in_the_platform(sandbox)) == sorted(lines)
    assert summary["execution_ids"] == [item.id for item in sorted(sandbox.executions, key=lambda item: int(item.id))]
    assert (summary["lines"], summary["accepted"]) == (10, 10)


@pytest.mark.parametrize("document_type", ["USER_ACTIVITY", "USER_PROFILE"])
def test_a_list_that_lags_is_given_time(sandbox: Sandbox, night: Night, document_type: str) -> None:
    lines = [(activity if document_type == "USER_ACTIVITY" else profile)(number) for number in range(3)]
    sandbox.settings.list_lag_s = 0.15
    sandbox.faults.plan("reset", kind="create_execution", when="after_commit")

    load(night, night.file("a.ndjson", *lines), document_type)

    assert in_the_platform(sandbox) == lines
    assert len(sandbox.executions) == len([item for item in sandbox.requests if item.kind == "create_execution"])


@pytest.mark.parametrize("fault", [{"action": "reset", "when": "after_commit"}, {"action": "not_json"}])
@pytest.mark.parametrize("if_exists", ["reuse", "create", "fail"])
def test_a_document_import_of_unknown_outcome_is_made_once(
    sandbox: Sandbox, night: Night, fault: dict[str, Any], if_exists: str
) -> None:
    sandbox.settings.list_lag_s = 0.1
    sandbox.faults.plan(kind="create_document_import", **fault)

    document_import_id = create(night, if_exists=if_exists)

    assert [item.id for item in sandbox.imports] == [document_import_id]


@pytest.mark.parametrize("if_exists", ["reuse", "create", "fail"])
@pytest.mark.parametrize("after_writing", [False, True])
def test_a_retry_finds_the_document_import_that_a_killed_try_has_made(
    sandbox: Sandbox, night: Night, if_exists: str, after_writing: bool
) -> None:
    assert night.store
    sandbox.faults.plan("reset", kind="create_document_import", when="after_commit")
    store = night.store
    # Its second note, after that of the names that were there, is its id.
    writes = 0

    class Dying(DyingStore):
        def set(self, key: str, value: Any, *, retention: Any = None) -> None:
            nonlocal writes
            writes += key == self._key
            if writes == 2:
                super().set(key, value, retention=retention)
            else:
                TaskStateStore.set(self, key, value, retention=retention)

    night.store = Dying(store, "mics_load_1", after_writing=after_writing)
    with pytest.raises(Killed):
        create(night, if_exists=if_exists)
    night.store = store
    night.retry()

    document_import_id = create(night, if_exists=if_exists)

    assert [item.id for item in sandbox.imports] == [document_import_id]


@pytest.mark.parametrize(
    ("key", "after_writing", "sent_before"),
    [
        ("mics_load_1_part_1", False, 0),
        ("mics_load_1_part_1", True, 0),
        ("mics_load_1_part_2", False, 1),
        ("mics_load_1_part_2", True, 1),
    ],
)
def test_a_retry_goes_on_behind_a_kill_at_an_intent(
    sandbox: Sandbox, night: Night, key: str, after_writing: bool, sent_before: int
) -> None:
    lines = [activity(number) for number in range(10)]
    path = night.file("a.ndjson", *lines)
    store = night.store
    assert store
    night.store = DyingStore(store, key, after_writing=after_writing)
    with pytest.raises(Killed):
        load(night, path)
    assert len(sandbox.executions) == sent_before
    night.store = store
    night.retry()

    summary = load(night, path)

    assert in_the_platform(sandbox) == lines
    assert summary["accepted"] == 10
    assert len(sandbox.imports) == 1


def test_a_retry_finds_the_part_whose_id_was_not_written(sandbox: Sandbox, night: Night) -> None:
    lines = [activity(number) for number in range(10)]
    path = night.file("a.ndjson", *lines)
    store = night.store
    assert store
    writes = 0

    class Dying(DyingStore):
        def set(self, key: str, value: Any, *, retention: Any = None) -> None:
            nonlocal writes
            writes += key == self._key
            if writes == 2:
                raise Killed
            TaskStateStore.set(self, key, value, retention=retention)

    night.store = Dying(store, "mics_load_1_part_2")
    with pytest.raises(Killed):
        load(night, path)
    sent_before = len(sandbox.executions)
    night.store = store
    night.retry()

    load(night, path)

    assert sent_before == 2
    assert in_the_platform(sandbox) == lines


def test_a_retry_behind_the_last_part_reads_no_file_again(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", *[activity(number) for number in range(10)])
    sandbox.hold()
    with pytest.raises(MicsWaitError, match="did not end in time"):
        load(night, path, timeout=0.05)
    sent = len(sandbox.executions)
    sandbox.release()
    night.retry()
    Path(path).unlink()

    # The deadline is that of the first try, but one look is always had.
    for item in sandbox.executions:
        sandbox.set_status(item.id, "SUCCEEDED")
    summary = load(night, path, timeout=0.05)

    assert len(sandbox.executions) == sent > 1
    assert (summary["lines"], summary["parts"]) == (10, sent)


def test_a_clear_is_a_new_load_and_cancels_what_is_pending(sandbox: Sandbox, night: Night) -> None:
    lines = [activity(number) for number in range(10)]
    path = night.file("a.ndjson", *lines)
    sandbox.settings.pending_s = 600
    with pytest.raises(MicsWaitError):
        load(night, path, timeout=0.05)
    old = [item.id for item in sandbox.executions]
    sandbox.set_status(old[0], "RUNNING")
    sandbox.settings.pending_s = 0.02
    night.clear()

    summary = load(night, path)

    assert set(summary["execution_ids"]).isdisjoint(old)
    assert [sandbox.execution(item)["status"] == "CANCELED" for item in old] == [False] + [True] * (len(old) - 1)
    assert summary["accepted"] == 10


@pytest.mark.parametrize("status", [409, 403])
def test_what_could_not_be_cancelled_is_in_the_next_try(sandbox: Sandbox, night: Night, status: int) -> None:
    lines = [activity(number) for number in range(10)]
    path = night.file("a.ndjson", *lines)

    def statuses() -> set[str]:
        with pytest.raises(MicsWaitError):
            load(night, path, timeout=0.05)
        return {sandbox.execution(item)["status"] for item in old}

    sandbox.hold()
    old: list[str] = []
    statuses()
    old += [item.id for item in sandbox.executions]
    night.clear()
    sandbox.faults.plan("status", status=status, kind="act_on_execution", when="before_body", times=None)
    assert statuses() == {"PENDING"}
    sandbox.faults.clear()
    night.retry()

    assert statuses() == {"CANCELED"}
    acted = sandbox.count("act_on_execution")
    night.retry()
    statuses()
    assert sandbox.count("act_on_execution") == acted
    assert in_the_platform(sandbox) == lines


def test_what_is_gone_is_not_cancelled_in_every_try(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", activity(1))
    load(night, path)
    night.clear()
    sandbox.faults.plan("status", status=404, kind="act_on_execution")
    sandbox.faults.plan("status", status=404, kind="get_execution")
    load(night, path)
    acted = sandbox.count("act_on_execution")
    assert acted
    night.retry()

    load(night, path)

    assert sandbox.count("act_on_execution") == acted


def test_a_clear_adopts_nothing_of_the_load_before(sandbox: Sandbox, night: Night) -> None:
    lines = [activity(number) for number in range(3)]
    path = night.file("a.ndjson", *lines)
    load(night, path)
    night.clear()
    sandbox.faults.plan("reset", kind="create_execution", when="after_body")

    load(night, path)

    assert in_the_platform(sandbox) == lines * 2


def test_a_part_that_was_cancelled_is_sent_again_by_a_retry(sandbox: Sandbox, night: Night) -> None:
    lines = [activity(number) for number in range(10)]
    path = night.file("a.ndjson", *lines)
    sandbox.hold()
    with pytest.raises(MicsWaitError, match="had not started and are cancelled") as raised:
        load(night, path, timeout=0.05, cancel_on_timeout=True)
    assert not raised.value.retryable, "its time is over: it would send them again, and cancel them at once"
    assert {sandbox.execution(item.id)["status"] for item in sandbox.executions} == {"CANCELED"}
    sandbox.release()
    night.retry()

    summary = load(night, path, timeout=20)

    assert sorted(in_the_platform(sandbox)) == sorted(lines)
    assert summary["accepted"] == 10


@pytest.mark.parametrize("document_type", ["USER_ACTIVITY", "USER_PROFILE"])
def test_a_source_that_changed_is_never_mixed(sandbox: Sandbox, night: Night, document_type: str) -> None:
    make = activity if document_type == "USER_ACTIVITY" else profile
    path = night.file("a.ndjson", *[make(number) for number in range(10)])
    sandbox.settings.pending_s = 600
    sandbox.faults.plan("status", status=400, kind="create_execution", after=2, when="after_body")
    with pytest.raises(MicsError, match="2 other parts are in"):
        load(night, path, document_type)
    old = [item.id for item in sandbox.executions]
    later = [make(number) for number in range(100, 110)]
    night.file("a.ndjson", *later)
    sandbox.settings.pending_s = 0.02
    night.retry()

    if document_type == "USER_ACTIVITY":
        with pytest.raises(MicsUploadError, match="nothing more is sent") as raised:
            load(night, path)
        assert not raised.value.retryable
        assert raised.value.execution_ids == old
        assert len(sandbox.executions) == 2
    else:
        summary = load(night, path, document_type)
        assert set(summary["execution_ids"]).isdisjoint(old)
        assert sorted(in_the_platform(sandbox)) == sorted(later)


def test_a_file_with_the_same_lines_is_the_same_source(sandbox: Sandbox, night: Night) -> None:
    lines = [activity(number) for number in range(10)]
    path = night.file("a.ndjson", *lines)
    sandbox.faults.plan("status", status=400, kind="create_execution", after=2, when="after_body")
    with pytest.raises(MicsError):
        load(night, path)
    # Delivered once more.
    os.utime(path, (1, 1))
    night.retry()

    load(night, path)

    assert in_the_platform(sandbox) == lines


def test_equal_parts_are_told_apart(sandbox: Sandbox, night: Night) -> None:
    lines = [activity(1)] * 12
    path = night.file("a.ndjson", *lines)
    sandbox.faults.plan("reset", kind="create_execution", when="after_commit", after=1)
    sandbox.faults.plan("reset", kind="create_execution", when="after_body", after=2)

    load(night, path, preflight="off", parallel_uploads=4)

    assert in_the_platform(sandbox) == lines


def test_mapped_tasks_do_not_adopt_each_other_s_parts(sandbox: Sandbox, night: Night, tmp_path: Path) -> None:
    document_import_id = create(night)
    paths = [night.file(f"{number}.ndjson", activity(number)) for number in range(4)]
    tasks = [Night(tmp_path) for _ in paths]

    def upload(task: Night, path: str) -> list[str]:
        task.store = TaskStateStore()
        return MicsUploadFileOperator(task_id="upload", document_import_id=document_import_id, path=path).execute(
            task.context
        )

    # All have as many lines, and each but the second finds the others' among the executions.
    sandbox.faults.plan("reset", kind="create_execution", when="after_body")
    first = upload(tasks[0], paths[0])
    others = [upload(task, path) for task, path in zip(tasks[1:3], paths[1:3], strict=True)]
    sandbox.faults.plan("reset", kind="create_execution", when="after_commit")
    last = upload(tasks[3], paths[3])

    ids = [*first, *others[0], *others[1], *last]
    assert len(set(ids)) == 4
    assert [sandbox.received(item).read_bytes() for item in ids] == [Path(path).read_bytes() for path in paths]


def test_what_cannot_be_told_apart_stops_activities_and_repeats_profiles(sandbox: Sandbox, night: Night) -> None:
    document_import_id = create(night)
    night.store = TaskStateStore()
    path = night.file("a.ndjson", activity(1))
    sandbox.faults.plan("status", status=404, kind="get_data_file", times=None)
    sandbox.faults.plan("reset", kind="create_execution", when="after_commit")

    with pytest.raises(MicsUploadError, match="it cannot be told what they hold") as raised:
        MicsUploadFileOperator(task_id="upload", document_import_id=document_import_id, path=path).execute(
            night.context
        )

    assert len(sandbox.executions) == 1
    assert raised.value.execution_ids == [sandbox.executions[0].id]
    # Another try looks again, and the answer may be there.
    assert raised.value.retryable
    sandbox.faults.clear()
    night.retry()
    assert MicsUploadFileOperator(task_id="upload", document_import_id=document_import_id, path=path).execute(
        night.context
    ) == [sandbox.executions[0].id]

    night.store = TaskStateStore()
    sandbox.faults.plan("status", status=404, kind="get_data_file", times=None)
    sandbox.faults.plan("reset", kind="create_execution", when="after_commit")
    other = MicsCreateDocumentImportOperator(task_id="c", document_type="USER_PROFILE", name="P").execute(night.context)
    night.store = TaskStateStore()
    (sent,) = MicsUploadFileOperator(
        task_id="upload", document_import_id=other, path=night.file("p.ndjson", profile(1))
    ).execute(night.context)
    assert sent in {item.id for item in sandbox.executions}


def test_nothing_is_sent_while_its_intent_cannot_be_written(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", activity(1))

    class Unreachable(TaskStateStore):
        def set(self, key: str, value: Any, *, retention: Any = None) -> None:
            if "part" in key:
                raise RuntimeError("API_SERVER_ERROR")
            super().set(key, value, retention=retention)

    night.store = Unreachable()
    with pytest.raises(MicsStateError, match="Nothing is sent without it") as raised:
        load(night, path)

    assert raised.value.retryable
    assert not sandbox.executions


def test_an_id_that_cannot_be_written_is_found_again(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", activity(1))
    store = night.store
    assert store

    class Unreachable(TaskStateStore):
        def set(self, key: str, value: Any, *, retention: Any = None) -> None:
            if "execution_id" in json.dumps(value):
                raise RuntimeError("API_SERVER_ERROR")
            super().set(key, value, retention=retention)

    night.store = Unreachable()
    night.store.values = store.values
    sandbox.hold()
    with pytest.raises(MicsWaitError):
        load(night, path, timeout=0.05)
    sandbox.release()
    sandbox.set_status(sandbox.executions[0].id, "SUCCEEDED")
    night.store = store
    night.retry()

    load(night, path)

    assert in_the_platform(sandbox) == [activity(1)]


def test_without_a_state_store_a_retry_finds_its_load_by_name_and_content(sandbox: Sandbox, night: Night) -> None:
    night.store = None
    lines = [activity(number) for number in range(10)]
    path = night.file("a.ndjson", *lines)
    sandbox.faults.plan("status", status=400, kind="create_execution", after=2, when="after_body")
    with pytest.raises(MicsError):
        load(night, path, if_exists="create", retries=3)
    night.retry()
    # Airflow's count: as many tries as the task's retries were left before the first one.
    night.ti.max_tries = 3
    task = MicsImportFilesOperator(
        task_id="load",
        document_type="USER_ACTIVITY",
        name="Night",
        path=path,
        poke_interval=0.01,
        parallel_uploads=1,
        max_part_bytes=800,
        if_exists="create",
        retries=3,
    )

    context: Any = {**night.context, "task": task}
    summary = task.execute(context)

    assert len(sandbox.imports) == 1
    assert in_the_platform(sandbox) == lines
    assert summary is not None
    assert summary["accepted"] == 10


def test_a_file_that_is_gone_before_a_part_could_be_looked_for_says_so(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", activity(1))
    store = night.store
    assert store
    night.store = DyingStore(store, "mics_load_1_part_1", after_writing=True)
    with pytest.raises(Killed):
        load(night, path)
    night.store = store
    night.retry()
    Path(path).unlink()

    with pytest.raises(MicsSourceError, match="does not exist"):
        load(night, path)
    assert not sandbox.executions
