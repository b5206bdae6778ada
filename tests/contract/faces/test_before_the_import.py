"""What is found out before there is a document import: a load that sends nothing leaves none behind."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_mics.exceptions import (
    MicsCallError,
    MicsConfigurationError,
    MicsInputError,
    MicsSourceError,
    MicsUploadError,
)
from airflow_provider_mics.operators.document_import import MicsCreateDocumentImportOperator
from airflow_provider_mics.operators.import_files import MicsImportFilesOperator
from tests.contract.faces.conftest import ACTIVITY, Night, TaskStateStore, profile
from tests.contract.faces.test_preflight import BAD
from tests.contract.faces.test_upload import received
from tests.contract.rows.test_decorator import run

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox


def load(night: Night, path: Any, **arguments: Any) -> Any:
    how = {"document_type": "USER_PROFILE", "name": "Night", "poke_interval": 0.01, **arguments}
    return MicsImportFilesOperator(task_id="load", path=path, **how).execute(night.context)


def write(night: Night, name: str, *lines: bytes) -> str:
    """Write a file, compressed if its name says so."""
    path = night.file(name, *lines)
    if name.endswith(".gz"):
        Path(path).write_bytes(gzip.compress(Path(path).read_bytes()))
    return path


DELETION = b'{"operation":"DELETE","compartment_id":"1201","user_account_id":"crm-1"}'


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz"])
@pytest.mark.parametrize(
    ("lines", "arguments", "error", "message"),
    [
        ([profile(1), BAD], {}, MicsInputError, "1 of 2 lines"),
        ([BAD], {"preflight": "dead_letter"}, MicsInputError, "1 of 1 line is not"),
        ([DELETION], {"max_deletions": 0}, MicsInputError, "max_deletions=0"),
        ([profile(1)], {"parallel_uploads": 0}, MicsConfigurationError, "parallel_uploads must be at least 1"),
        ([profile(1)], {"max_part_bytes": 0}, MicsConfigurationError, "max_part_bytes must be at least 1"),
        ([profile(1)], {"encoding": "latin-1"}, MicsConfigurationError, "checked as UTF-8"),
        ([profile(1)], {"mime_type": "TEXT_CSV"}, MicsConfigurationError, "is for USER_SEGMENT only"),
        ([profile(1)], {"if_exists": "ignore"}, MicsConfigurationError, "if_exists must be"),
        ([profile(1)], {"name": " "}, MicsConfigurationError, "needs a name"),
        ([], {}, AirflowSkipException, "nothing to load"),
        ([], {"on_empty": "fail"}, MicsSourceError, "nothing to load"),
        ([], {"preflight": "off"}, AirflowSkipException, "nothing to load"),
        ([], {"preflight": "dead_letter"}, AirflowSkipException, "nothing to load"),
    ],
)
def test_what_cannot_be_sent(
    sandbox: Sandbox,
    night: Night,
    name: str,
    lines: list[bytes],
    arguments: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    if arguments.get("preflight") == "dead_letter":
        arguments = {**arguments, "dead_letter_path": str(night.folder / "bad.ndjson")}

    with pytest.raises(error, match=message):
        load(night, write(night, name, *lines), append_night=False, **arguments)

    assert not sandbox.requests


@pytest.mark.parametrize("preflight", ["fail", "off"])
def test_files_that_cannot_be_read(sandbox: Sandbox, night: Night, preflight: str) -> None:
    broken = write(night, "b.ndjson.gz", profile(1))
    Path(broken).write_bytes(Path(broken).read_bytes()[:-10])

    for path, error in [(f"{night.folder}/gone.ndjson", MicsSourceError), (broken, MicsInputError)]:
        with pytest.raises(error):
            load(night, path, preflight=preflight)

    assert not sandbox.requests


def test_deletions_that_are_not_meant(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", b'{"type":"USER_ACCOUNT","user_account_id":"crm-1"}')
    told = "Every line of USER_POINTS_DELETION erases something for good"

    with pytest.raises(MicsConfigurationError, match=told):
        load(night, path, document_type="USER_POINTS_DELETION")
    with pytest.raises(MicsConfigurationError, match=told):
        run(night, lambda: [{}], document_type="USER_POINTS_DELETION")

    assert not sandbox.requests


def test_nothing_that_succeeds_has_a_summary_without_a_document_import(sandbox: Sandbox, night: Night) -> None:
    summary = load(night, f"{night.folder}/*.ndjson", on_empty="succeed")

    assert summary == {
        "document_import_id": None,
        "document_import_name": "Night - 2026-11-23",
        "execution_ids": [],
        "parts": 0,
        "lines": 0,
        "bytes": 0,
        "accepted": 0,
        "rejected": 0,
        "dead_letter": None,
        "report": None,
        "duration_s": None,
    }
    assert load(night, f"{night.folder}/*.ndjson", on_empty="succeed", wait_for_completion=False)["accepted"] is None
    assert night.ti.xcoms["mics_parts"] == []
    assert not sandbox.requests


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz"])
def test_a_retry_with_mended_lines_makes_the_one_import(sandbox: Sandbox, night: Night, name: str) -> None:
    night.store = TaskStateStore()
    with pytest.raises(MicsInputError):
        load(night, write(night, name, BAD))
    night.retry()

    summary = load(night, write(night, name, *[profile(number) for number in range(50)]), max_part_bytes=2000)

    assert [item.id for item in sandbox.imports] == [summary["document_import_id"]]
    assert night.store.get("mics_load_1")["made_import"]
    # The part that was cut before there was an import is sent once, as the others are.
    assert b"".join(received(sandbox, item) for item in summary["execution_ids"]).splitlines() == [
        profile(number) for number in range(50)
    ]
    assert summary["accepted"] == 50


def stopped(sandbox: Sandbox, night: Night, path: str, **arguments: Any) -> None:
    """Send the first part only."""
    night.store = TaskStateStore()
    sandbox.faults.plan("status", status=400, kind="create_execution", after=1, when="before_body")
    with pytest.raises(MicsUploadError):
        load(night, path, max_part_bytes=800, parallel_uploads=1, **arguments)
    assert len(sandbox.executions) == 1
    night.retry()


def test_a_file_that_was_sent_in_part_and_is_empty_now(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", *[ACTIVITY] * 10)
    stopped(sandbox, night, path, document_type="USER_ACTIVITY")
    Path(path).write_bytes(b"")

    with pytest.raises(MicsUploadError, match="The source gives only 0 parts now"):
        load(night, path, document_type="USER_ACTIVITY")


def test_lines_that_may_be_repeated_are_a_new_load_which_is_empty(sandbox: Sandbox, night: Night) -> None:
    sandbox.hold()
    path = night.file("a.ndjson", *[profile(number) for number in range(20)])
    stopped(sandbox, night, path)
    Path(path).write_bytes(b"")

    with pytest.raises(AirflowSkipException):
        load(night, path)

    assert [sandbox.execution(item.id)["status"] for item in sandbox.executions] == ["CANCELED"]
    assert len(sandbox.imports) == 1


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz"])
def test_a_file_that_has_changed_is_read_anew_as_a_whole(sandbox: Sandbox, night: Night, name: str) -> None:
    stopped(sandbox, night, write(night, name, *[profile(number) for number in range(20)]))
    aside = night.folder / "bad.ndjson"
    path = write(night, name, BAD, *[profile(number) for number in range(100, 120)])

    summary = load(night, path, max_part_bytes=800, preflight="dead_letter", dead_letter_path=str(aside))

    assert summary["dead_letter"] == {"path": str(aside), "lines": 1}
    assert len(aside.read_bytes().splitlines()) == 1
    assert b"".join(received(sandbox, item) for item in summary["execution_ids"]).splitlines() == [
        profile(number) for number in range(100, 120)
    ]
    assert len(sandbox.imports) == 1


def test_an_import_that_is_there_in_another_encoding(sandbox: Sandbox, night: Night) -> None:
    MicsCreateDocumentImportOperator(
        task_id="create", document_type="USER_PROFILE", name="Night", encoding="latin-1"
    ).execute(night.context)

    with pytest.raises(MicsConfigurationError, match="the document import takes latin-1"):
        load(night, night.file("a.ndjson", profile(1)))

    assert not sandbox.executions


def test_a_report_of_problems_names_no_import(sandbox: Sandbox, night: Night) -> None:
    report_path = night.folder / "night.json"

    with pytest.raises(MicsInputError):
        load(night, night.file("a.ndjson", BAD), report_path=str(report_path))

    assert json.loads(report_path.read_text())["document_import"] == {
        "id": "none yet",
        "name": "Night - 2026-11-23",
        "document_type": "USER_PROFILE",
        "mime_type": "APPLICATION_X_NDJSON",
    }


def test_a_report_of_a_retry_names_the_import_of_the_try_before(sandbox: Sandbox, night: Night) -> None:
    path, report_path = night.file("a.ndjson", *[profile(number) for number in range(20)]), night.folder / "night.json"
    stopped(sandbox, night, path)
    night.file("a.ndjson", BAD)

    with pytest.raises(MicsInputError):
        load(night, path, report_path=str(report_path))

    assert json.loads(report_path.read_text())["document_import"]["id"] == sandbox.imports[0].id


def test_files_that_are_ready_are_closed_where_no_import_is_made(
    sandbox: Sandbox, night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spools))
    sandbox.faults.plan("status", status=400, kind="create_document_import")

    with pytest.raises(MicsCallError, match="400"):
        load(night, write(night, "a.ndjson.gz", profile(1)))

    assert list(spools.iterdir()) == []
