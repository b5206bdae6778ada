"""The report of a load with rejected lines, in each mode of waiting."""

from __future__ import annotations

import gzip
import json
import logging
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_provider_mics.exceptions import MicsCountMismatchError, MicsRejectedLinesError
from airflow_provider_mics.operators.upload import MicsUploadFileOperator
from airflow_provider_mics.sensors.execution import MicsExecutionSensor
from tests.contract.conftest import BUCKET
from tests.contract.faces.conftest import Night, TaskInstance, profile
from tests.contract.faces.test_planned_parts import plan, send
from tests.contract.faces.test_upload import create, upload
from tests.contract.faces.test_waiting import BAD, by_operator, by_sensor, finish

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_mics.operators._task import MicsTask
    from airflow_provider_mics.sandbox import Sandbox


pytestmark = pytest.mark.usefixtures("sandbox")

NO_PROFILE = "No profile id found while upserting a user profile"
#: The lines of a file of 60 that are bad, from 1.
BAD_LINES = [1, 22, 23, 41, 60]


@pytest.fixture(autouse=True)
def compartments(sandbox: Sandbox) -> None:
    sandbox.settings.compartments = ["1201"]


@pytest.fixture(params=["sensor poking", "sensor deferred", "operator waiting", "operator deferred"])
def load(request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    face, how = request.param.split()
    run = by_sensor if face == "sensor" else by_operator

    def loaded(night: Night, path: str, **arguments: Any) -> dict[str, Any]:
        return run(night, path, deferrable=how == "deferred", **arguments)

    return loaded


def bad_file(night: Night) -> str:
    return night.file("a.ndjson", *[BAD if line in BAD_LINES else profile(line) for line in range(1, 61)])


def read(path: str) -> Any:
    return json.loads(Path(path).read_text())


def test_names_each_rejected_line(
    night: Night, load: Callable[..., dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    path, report_path = bad_file(night), str(night.folder / "reports" / "night.json")

    with caplog.at_level(logging.INFO):
        summary = load(night, path, max_rejected=5, report_path=report_path)

    assert (summary["report"], summary["rejected"]) == (report_path, 5)
    report = read(report_path)
    assert report["document_import"]["name"] == "Night - 2026-11-23"
    assert (report["accepted"], report["rejected"]) == (55, 5)
    assert [(reason["text"], reason["count"]) for reason in report["reasons"]] == [(NO_PROFILE, 5)]
    assert report["notes"] == []
    lines = report["rejected_lines"]
    assert sorted(line["source_line"] for line in lines) == BAD_LINES
    assert sorted(line["source_position"] for line in lines) == BAD_LINES
    assert {(line["source"], line["message"]) for line in lines} == {(path, NO_PROFILE)}
    sent = {item["execution_id"]: item["part"] for item in report["executions"]}
    assert sorted(part["number"] for part in sent.values()) == list(range(1, len(sent) + 1))
    content = Path(path).read_bytes()
    for line in lines:
        part = sent[line["execution_id"]]
        within = content[part["first_byte"] : part["last_byte"] + 1].splitlines()
        assert within[line["line"] - 1] == BAD
    text = (night.folder / "reports" / "night.txt").read_text()
    assert f"{path}, line 22 (line " in text
    assert f"5 x {NO_PROFILE}" in text
    # Grouped reasons and counts are all that the log holds.
    assert lines[0]["error_id"] not in {line["error_id"] for line in lines[1:]}
    assert all(line["error_id"] not in caplog.text for line in lines[1:])


class MappedTasks(TaskInstance):
    """XComs of tasks that are mapped: pulled, they are a list of what each has pushed."""

    def __init__(self) -> None:
        super().__init__()
        self.pushed: list[tuple[str, Any]] = []

    def xcom_push(self, key: str, value: Any) -> None:
        super().xcom_push(key, value)
        self.pushed.append((key, self.xcoms[key]))

    def xcom_pull(self, task_ids: list[str], key: str) -> list[Any]:
        return [value for _ in task_ids for name, value in self.pushed if name == key]


@pytest.mark.parametrize("deferrable", [False, True])
def test_names_the_lines_of_parts_that_mapped_tasks_have_sent(night: Night, deferrable: bool) -> None:
    path, report_path = bad_file(night), str(night.folder / "night.json")
    night.ti = MappedTasks()
    parts = plan(night, path, max_part_bytes=2000)
    document_import_id = create(night)
    # In any order, as the scheduler likes.
    execution_ids: Any = [send(night, document_import_id, part) for part in reversed(parts)]

    def make() -> MicsTask:
        with DAG("night", schedule=None):
            before = MicsUploadFileOperator.partial(task_id="upload", document_import_id=document_import_id).expand(
                part=parts
            )
            sensor = MicsExecutionSensor(
                task_id="wait",
                document_import_id=document_import_id,
                execution_ids=execution_ids,
                max_rejected=5,
                report_path=report_path,
                deferrable=deferrable,
                poke_interval=0.01,
                timeout=30,
            )
        before >> sensor
        return sensor

    summary = finish(make, night.context)

    assert len(parts) > 3
    assert (summary["lines"], summary["rejected"], summary["report"]) == (60, 5, report_path)
    report = read(report_path)
    assert report["notes"] == []
    lines = report["rejected_lines"]
    assert {line["source"] for line in lines} == {path}
    assert sorted(line["source_line"] for line in lines) == BAD_LINES
    assert f"{path}, line 22 (line " in (night.folder / "night.txt").read_text()


def test_is_written_before_the_load_fails(night: Night, load: Callable[..., dict[str, Any]]) -> None:
    report_path = str(night.folder / "report.json")

    with pytest.raises(MicsRejectedLinesError, match="5 of 60 lines") as raised:
        load(night, bad_file(night), report_path=report_path)

    assert str(raised.value).endswith(f"The full report is {report_path}")
    assert len(read(report_path)["rejected_lines"]) == 5


def test_keeps_the_error_files_and_is_private(sandbox: Sandbox, night: Night) -> None:
    report_path = night.folder / "report.json"

    by_operator(night, bad_file(night), max_rejected=5, report_path=str(report_path))

    raw = sorted((night.folder / "report.json.d").iterdir())
    failed = [item["execution_id"] for item in read(str(report_path))["executions"] if item["rejected"]]
    assert [file.name for file in raw] == sorted(f"{execution_id}_errors.csv" for execution_id in failed)
    assert sum(len(file.read_text().splitlines()) - 1 for file in raw) == 5
    for file in [report_path, night.folder / "report.txt", *raw]:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # Executions without failures have an address of an error file too, but perhaps no file.
    assert len([item for item in sandbox.requests if item.kind == "get_data_file"]) == len(failed)


def test_a_good_load_has_none(night: Night, load: Callable[..., dict[str, Any]]) -> None:
    summary = load(night, night.file("a.ndjson", profile(1)), report_path=str(night.folder / "report.json"))

    assert summary["report"] is None
    assert not (night.folder / "report.json").exists()


@pytest.mark.parametrize("path", [None, "", "None"])
def test_none_is_wanted(night: Night, path: str | None) -> None:
    assert by_operator(night, bad_file(night), max_rejected=5, report_path=path)["report"] is None


def test_a_missing_error_file_fails_nothing(
    sandbox: Sandbox, night: Night, load: Callable[..., dict[str, Any]]
) -> None:
    sandbox.faults.plan("status", status=404, kind="get_data_file", times=None)
    report_path = str(night.folder / "report.json")

    summary = load(night, night.file("a.ndjson", profile(1), BAD), max_rejected=1, report_path=report_path)

    assert (summary["report"], summary["rejected"]) == (report_path, 1)
    report = read(report_path)
    assert "HTTP 404" in " ".join(report["notes"])
    # What the execution's message says is left.
    (line,) = report["rejected_lines"]
    assert (line["line"], line["message"], line["source_line"]) == (None, NO_PROFILE, None)
    assert report["reasons"][0]["count"] == 1


def test_an_error_file_that_is_none_fails_nothing(sandbox: Sandbox, night: Night) -> None:
    sandbox.faults.plan("html", kind="get_data_file", times=None)
    report_path = str(night.folder / "report.json")

    summary = by_operator(night, bad_file(night), max_rejected=5, report_path=report_path)

    assert summary["report"] == report_path
    assert read(report_path)["rejected"] == 5


def test_a_path_that_cannot_be_written_fails_nothing(night: Night) -> None:
    in_the_way = night.file("file")

    summary = by_operator(night, bad_file(night), max_rejected=5, report_path=f"{in_the_way}/report.json")

    assert (summary["report"], summary["rejected"]) == (None, 5)


def test_a_path_that_cannot_be_written_is_said(night: Night) -> None:
    in_the_way = night.file("file")

    with pytest.raises(MicsRejectedLinesError, match="The report could not be written"):
        by_operator(night, bad_file(night), report_path=f"{in_the_way}/report.json")


def test_lines_left_out_before_are_counted(night: Night) -> None:
    lines = [BAD if line in BAD_LINES else profile(line) for line in range(1, 61)]
    path = night.file("a.ndjson", *lines[:10], b"", b"{}", *lines[10:])
    arguments = {"preflight": "dead_letter", "dead_letter_path": str(night.folder / "dead.ndjson")}
    report_path = str(night.folder / "report.json")

    by_operator(night, path, max_rejected=5, report_path=report_path, **arguments)

    report = read(report_path)
    assert report["dead_letter"]["lines"] == 1
    found = sorted((line["source_line"], line["source_position"]) for line in report["rejected_lines"])
    assert found == [(line if line <= 10 else line + 2, line) for line in BAD_LINES]


def test_blank_lines_that_are_sent_leave_numbers_unknown(night: Night) -> None:
    path = night.file("a.ndjson", profile(1), b"", BAD)
    report_path = str(night.folder / "report.json")

    by_operator(night, path, max_rejected=1, preflight="off", report_path=report_path)

    report = read(report_path)
    assert [(line["line"], line["source_line"]) for line in report["rejected_lines"]] == [(3, None)]
    assert "blank lines" in " ".join(report["notes"])


def test_lines_of_a_compressed_file_have_a_position(night: Night) -> None:
    path = Path(bad_file(night))
    compressed = path.with_suffix(".ndjson.gz")
    compressed.write_bytes(gzip.compress(path.read_bytes()))
    report_path = str(night.folder / "report.json")

    by_operator(night, str(compressed), max_rejected=5, report_path=report_path)

    lines = read(report_path)["rejected_lines"]
    assert [line["source_line"] for line in lines] == [None] * 5
    assert sorted(line["source_position"] for line in lines) == BAD_LINES


def test_a_source_that_has_changed_is_not_counted(
    sandbox: Sandbox, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_mics.hooks.mics import MicsHook

    path = bad_file(night)
    download = MicsHook.download_data_file

    def change_and_download(self: MicsHook, uri: str) -> bytes:
        night.file("a.ndjson", profile(1))
        return download(self, uri)

    monkeypatch.setattr(MicsHook, "download_data_file", change_and_download)
    report_path = str(night.folder / "report.json")

    by_operator(night, path, max_rejected=5, report_path=report_path)

    report = read(report_path)
    assert {line["source_line"] for line in report["rejected_lines"]} == {None}
    assert "no longer the file that was sent" in " ".join(report["notes"])


def test_in_object_storage(night: Night, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Airflow keeps the store of a connection for as long as the process lives: this server needs one of its own.
    monkeypatch.setenv("AIRFLOW_CONN_REPORTS", os.environ["AIRFLOW_CONN_STORE"])
    content = Path(bad_file(night)).read_bytes()
    bucket.put_object(Key="a.ndjson", Body=content)
    where = f"s3://reports@{BUCKET}"

    summary = by_operator(night, f"{where}/a.ndjson", max_rejected=5, report_path=f"{where}/reports/night.json")

    assert summary["report"] == f"{where}/reports/night.json"
    written = {item.key: item.get()["Body"].read() for item in bucket.objects.filter(Prefix="reports/")}
    report = json.loads(written["reports/night.json"])
    assert sorted(line["source_line"] for line in report["rejected_lines"]) == BAD_LINES
    assert b"line 22" in written["reports/night.txt"]
    failed = [item["execution_id"] for item in report["executions"] if item["rejected"]]
    assert {key for key in written if key.endswith(".csv")} == {
        f"reports/night.json.d/{execution_id}_errors.csv" for execution_id in failed
    }


def test_a_sensor_that_reschedules(night: Night) -> None:
    document_import_id = create(night)
    upload(night, document_import_id, night.file("a.ndjson", profile(1), BAD))
    report_path = str(night.folder / "report.json")

    def look() -> Any:
        # Every look is a new process.
        sensor = MicsExecutionSensor(
            task_id="wait",
            document_import_id=document_import_id,
            mode="reschedule",
            poke_interval=0.01,
            max_rejected=1,
            report_path=report_path,
        )
        return sensor.poke(night.context)

    while not (looked := look()).is_done:
        time.sleep(0.01)

    assert looked.xcom_value["report"] == report_path
    # No upload is directly upstream: what was sent is not known, and what the platform tells is.
    (line,) = read(report_path)["rejected_lines"]
    assert (line["line"], line["source"], line["message"]) == (2, None, NO_PROFILE)


def test_a_load_with_a_bad_end_has_its_report_too(sandbox: Sandbox, night: Night) -> None:
    # The counts do not add up, and lines were rejected.
    sandbox.settings.execution_override = {"result": {"total_success": 0}}
    report_path = str(night.folder / "report.json")

    with pytest.raises(MicsCountMismatchError, match=f"The full report is {report_path}"):
        by_operator(night, night.file("a.ndjson", profile(1), BAD), report_path=report_path)

    assert len(read(report_path)["rejected_lines"]) == 1
