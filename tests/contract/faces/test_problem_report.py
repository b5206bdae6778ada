"""All that the check of a load finds, in its report."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.bulk import problem_report
from airflow_provider_mics.exceptions import MicsInputError
from airflow_provider_mics.operators.import_files import MicsImportFilesOperator
from tests.contract.faces.conftest import Night, profile
from tests.contract.faces.test_preflight import BAD, SECRET
from tests.contract.faces.test_waiting import by_operator
from tests.contract.rows.test_decorator import run

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox

#: Numbers of the lines of a file of 60 that are bad, from 1.
BAD_LINES = [1, *range(20, 50), 60]


def bad_file(night: Night, name: str = "a.ndjson") -> str:
    return night.file(name, *[BAD if line in BAD_LINES else profile(line) for line in range(1, 61)])


def read(path: Path) -> Any:
    text = path.read_text()
    # What was in the lines is nowhere.
    assert SECRET.decode() not in text
    return json.loads(text)


def text_of(path: Path) -> str:
    text = path.with_suffix(".txt").read_text()
    assert SECRET.decode() not in text
    return text


def test_a_load_that_is_stopped_names_all_problems_in_its_report(sandbox: Sandbox, night: Night) -> None:
    path, report_path = bad_file(night), night.folder / "reports" / "night.json"

    with pytest.raises(MicsInputError, match=rf"32 of 60 lines .* The full report is {report_path}") as raised:
        by_operator(night, path, report_path=str(report_path))

    assert str(raised.value).count(", line ") == 10
    assert not sandbox.executions
    report = read(report_path)
    assert report["document_import"]["document_type"] == "USER_PROFILE"
    assert [report[name] for name in ("lines", "good", "bad", "blank", "deletions")] == [60, 28, 32, 0, 0]
    assert (report["dead_letter"], report["notes"]) == (None, [])
    assert sorted({problem["line"] for problem in report["problems"]}) == BAD_LINES
    lines = Path(path).read_bytes().splitlines(keepends=True)
    for problem in report["problems"]:
        assert problem["file"] == path
        assert problem["offset"] == sum(map(len, lines[: problem["line"] - 1]))
        assert problem["length"] == len(lines[problem["line"] - 1])
        assert problem["reason"]
        assert problem["remedy"]
    assert {"text": "operation is none of the words allowed", "count": 32} in report["reasons"]
    text = text_of(report_path)
    assert "60 lines, 28 good, 32 bad" in text
    assert f"{path}, line 49 (byte " in text
    assert all(stat.stat().st_mode & 0o777 == 0o600 for stat in report_path.parent.iterdir())


@pytest.mark.parametrize("compress", [False, True])
def test_lines_that_are_put_aside_are_in_the_report_too(night: Night, sandbox: Sandbox, compress: bool) -> None:
    path, report_path, aside = bad_file(night), night.folder / "night.json", str(night.folder / "bad.ndjson")
    if compress:
        Path(f"{path}.gz").write_bytes(gzip.compress(Path(path).read_bytes()))
        path = f"{path}.gz"

    by_operator(night, path, report_path=str(report_path), preflight="dead_letter", dead_letter_path=aside)

    report = read(report_path)
    assert report["dead_letter"] == {"path": aside, "lines": 32}
    assert sorted({problem["line"] for problem in report["problems"]}) == BAD_LINES
    assert f"Put aside 32 lines: {aside}" in text_of(report_path)


def test_a_good_load_has_no_report(night: Night, sandbox: Sandbox) -> None:
    report_path = night.folder / "night.json"

    by_operator(night, night.file("a.ndjson", profile(1)), report_path=str(report_path))

    assert not report_path.exists()


def test_a_wrong_header_is_in_the_report(night: Night, sandbox: Sandbox) -> None:
    path, report_path = night.file("vip.csv", b"OPERATION;USER_ACCOUNT_ID", b"UPDATE;1"), night.folder / "night.json"
    load = MicsImportFilesOperator(
        task_id="load",
        document_type="USER_SEGMENT",
        mime_type="TEXT_CSV",
        name="VIP",
        path=path,
        report_path=str(report_path),
    )

    with pytest.raises(MicsInputError, match=r"header is wrong.*The full report is"):
        load.execute(night.context)

    report = read(report_path)
    assert [problem["line"] for problem in report["problems"]] == [1]
    assert report["notes"] == ["The check did not come to its end: there may be more."]


def test_a_check_that_is_cut_short_leaves_a_whole_document(night: Night, sandbox: Sandbox) -> None:
    report_path = night.folder / "night.json"
    broken = night.folder / "b.ndjson.gz"
    broken.write_bytes(gzip.compress(profile(1) * 1000)[:-20])
    bad_file(night)

    with pytest.raises(MicsInputError, match=r"b\.ndjson\.gz"):
        by_operator(night, str(night.folder / "*.ndjson*"), report_path=str(report_path))

    report = read(report_path)
    assert len({problem["line"] for problem in report["problems"]}) == 32
    assert report["notes"] == ["The check did not come to its end: there may be more."]


def test_a_report_that_cannot_be_written_hides_no_problem(night: Night, sandbox: Sandbox) -> None:
    path = bad_file(night)

    with pytest.raises(MicsInputError, match=r"32 of 60 lines .*, line 1 .* The report could not be written: "):
        by_operator(night, path, report_path=f"{path}/night.json")


def test_a_report_has_an_end(night: Night, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problem_report, "MAX_LISTED", 15)
    monkeypatch.setattr(problem_report, "MAX_IN_TEXT", 5)
    report_path = night.folder / "night.json"

    with pytest.raises(MicsInputError):
        by_operator(night, bad_file(night), report_path=str(report_path))

    report = read(report_path)
    assert (len(report["problems"]), report["bad"]) == (15, 32)
    assert report["notes"] == ["Only the first 15 problems are listed."]
    assert f"... see {report_path} for more" in text_of(report_path)


@pytest.mark.parametrize("preflight", ["fail", "dead_letter"])
def test_problems_of_rows_are_in_the_report(night: Night, sandbox: Sandbox, preflight: str) -> None:
    def rows() -> list[dict[str, Any]]:
        good = json.loads(profile(1))
        return [good | ({"operation": "MERGE"} if number % 20 == 7 else {}) for number in range(1000)]

    report_path, aside = night.folder / "night.json", str(night.folder / "bad.ndjson")
    how: dict[str, Any] = {"preflight": preflight, "dead_letter_path": aside, "report_path": str(report_path)}

    if preflight == "fail":
        with pytest.raises(MicsInputError, match="The full report is"):
            run(night, rows, **how)
    else:
        run(night, rows, **how)

    report = read(report_path)
    found = [problem["line"] for problem in report["problems"]]
    assert found == list(range(8, 1001, 20))[: len(found)]
    assert len(found) == report["bad"] > 5
    assert len(found) == 50 or preflight == "fail"
