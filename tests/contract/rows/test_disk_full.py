"""No room on the worker's disk. A limit on the size of files stands for it: writing fails in the same way."""

from __future__ import annotations

import contextlib
import gzip
import json
import resource
from typing import TYPE_CHECKING, Any, Final

import pytest
from airflow.sdk import DAG

from airflow_provider_mics.decorators.mics_import import mics_import_task
from airflow_provider_mics.exceptions import MicsSourceError, MicsUploadError
from airflow_provider_mics.operators.import_files import MicsImportFilesOperator
from tests.contract.faces.conftest import TaskStateStore
from tests.contract.faces.test_adoption import activity, in_the_platform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.faces.conftest import Night

ROOM: Final = 1_000_000
LOAD: Final[dict[str, Any]] = {
    "task_id": "load",
    "document_type": "USER_ACTIVITY",
    "name": "Night",
    "max_part_bytes": 2 * ROOM,
    "parallel_uploads": 1,
    "poke_interval": 0.01,
}
SMALL: Final = json.loads(activity(1))
LARGE: Final = {**json.loads(activity(2)), "note": "x" * (2 * ROOM - 300)}


@contextlib.contextmanager
def little_room() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where parts are written."""
    made = tmp_path / "parts"
    made.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(made))
    return made


def rows() -> Iterator[dict[str, Any]]:
    yield from (SMALL, LARGE)


def run(night: Night, kind: str) -> Any:
    """Load a small part, and then a large one."""
    if kind == "rows":
        with DAG("d", schedule=None):
            made: Any = mics_import_task(rows, **LOAD)
            operator = made().operator
    else:
        path = night.folder / "a.ndjson.gz"
        path.write_bytes(gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows())))
        operator = MicsImportFilesOperator(path=str(path), preflight="off", **LOAD)
    return operator.execute(night.context)


@pytest.mark.parametrize("kind", ["rows", "compressed"])
def test_no_room_for_a_part_is_said_and_the_retry_sends_what_is_missing(
    sandbox: Sandbox, night: Night, folder: Path, kind: str
) -> None:
    night.store = TaskStateStore()
    with little_room(), pytest.raises(MicsUploadError, match=r"cannot be written to .*: File too large") as raised:
        run(night, kind)

    assert raised.value.retryable
    assert f"1 part before is in, as execution {sandbox.executions[0].id}." in str(raised.value)
    assert str(folder) in str(raised.value)
    assert list(folder.iterdir()) == []
    night.retry()

    assert run(night, kind)["accepted"] == 2
    assert [json.loads(line) for line in in_the_platform(sandbox)] == [SMALL, LARGE]
    assert len(sandbox.uploads) == 2


def test_no_room_at_all_is_said_before_anything_is_sent(sandbox: Sandbox, night: Night, folder: Path) -> None:
    folder.rmdir()
    with pytest.raises(MicsSourceError, match=r"cannot be written to .*: No such file or directory"):
        run(night, "rows")

    assert not sandbox.uploads


def test_no_room_for_dead_letters_is_said_and_the_retry_sends_what_is_missing(sandbox: Sandbox, night: Night) -> None:
    night.store = TaskStateStore()
    bad = json.dumps({**LARGE, "$ts": "yesterday"}).encode()
    path, aside = night.file("a.ndjson", activity(1), bad, activity(2)), night.folder / "aside.ndjson"
    operator = MicsImportFilesOperator(path=path, preflight="dead_letter", dead_letter_path=str(aside), **LOAD)
    with little_room(), pytest.raises(MicsUploadError, match=r"aside\.ndjson cannot be written: File too large"):
        operator.execute(night.context)
    night.retry()

    summary = operator.execute(night.context)

    assert summary is not None
    assert (summary["accepted"], summary["dead_letter"]) == (2, {"path": str(aside), "lines": 1})
    assert in_the_platform(sandbox) == [activity(1), activity(2)]
    assert [json.loads(line)["content"] for line in aside.read_text().splitlines()] == [bad.decode() + "\n"]
