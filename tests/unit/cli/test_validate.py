"""``airflow mics validate``."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.cli.commands import BAD, DELETION, GOOD, HEADER, SECRET, SEGMENT, run

if TYPE_CHECKING:
    from pathlib import Path

PROFILES = ("--document-type", "USER_PROFILE")
SEGMENTS = ("--document-type", "USER_SEGMENT")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, name: str, *lines: bytes) -> str:
    (folder / name).write_bytes(b"".join(lines))
    return name


def document(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    ran = run(capsys, "validate", *arguments, "--json")
    assert ran.err == ""
    found: dict[str, Any] = json.loads(ran.out)
    return ran.code, found


def test_good_files_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "p-2.ndjson", GOOD * 3, b"\n", DELETION)
    write(folder, "p-1.ndjson", GOOD * 1000)

    ran = run(capsys, "validate", "p-*.ndjson", *PROFILES)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "file        lines  good  bad  blank  deletions",
        "p-1.ndjson   1000  1000    0      0          0",
        "p-2.ndjson      4     4    0      1          1",
        "total        1004  1004    0      1          1",
        "",
        "All 1004 lines are good.",
    ]


def test_bad_lines_are_named_and_their_data_is_not(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "a.ndjson", GOOD, b"\n", BAD)

    ran = run(capsys, "validate", "a.ndjson", *PROFILES)

    assert ran.code == 1
    assert ran.out.splitlines()[1].split() == ["a.ndjson", "2", "1", "1", "1", "0"]
    assert f"\na.ndjson, line 3 (byte {len(GOOD) + 1}): operation is none of the words allowed. Write" in ran.out
    assert ran.out.endswith("\n1 of 2 lines is not what mediarithmics takes as USER_PROFILE.\n")
    assert SECRET not in ran.out + ran.err


def test_the_json_document_says_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "a.ndjson", GOOD, b"\n", BAD)
    write(folder, "b.ndjson", GOOD)

    code, found = document(capsys, "a.ndjson", "b.ndjson", *PROFILES)

    assert code == 1
    problems = found["files"][0].pop("problems")
    counts = {"lines": 2, "good": 1, "bad": 1, "blank": 1, "deletions": 0}
    others = {"lines": 1, "good": 1, "bad": 0, "blank": 0, "deletions": 0}
    assert found == {
        "document_type": "USER_PROFILE",
        "mime_type": "APPLICATION_X_NDJSON",
        "ok": False,
        "total": {"lines": 3, "good": 2, "bad": 1, "blank": 1, "deletions": 0},
        "files": [
            {"file": "a.ndjson", "ok": False, **counts, "error": None},
            {"file": "b.ndjson", "ok": True, **others, "problems": [], "error": None},
        ],
        "dead_letter": None,
    }
    assert problems
    assert {(problem["line"], problem["offset"]) for problem in problems} == {(3, len(GOOD) + 1)}
    assert {"operation", "email_hash"} <= {problem["field"] for problem in problems}
    assert all(problem["reason"] and problem["remedy"] for problem in problems)
    assert SECRET not in json.dumps(problems)


def test_only_the_first_problems_of_a_file_are_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "a.ndjson", BAD * 500)
    write(folder, "b.ndjson", BAD)

    ran = run(capsys, "validate", "a.ndjson", "b.ndjson", *PROFILES)

    assert ran.out.count("a.ndjson, line ") == 10
    assert "\nOnly the first problems of a.ndjson are shown; --dead-letter writes all bad lines down.\n" in ran.out
    assert "first problems of b.ndjson" not in ran.out
    assert "b.ndjson, line 1 (" in ran.out
    assert "501 of 501 lines" in ran.out


def test_bad_lines_are_written_where_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "a.ndjson", GOOD, BAD * 30)

    code, found = document(capsys, "a.ndjson", *PROFILES, "--dead-letter", "out/bad.ndjson")

    assert (code, found["dead_letter"]) == (1, {"path": "out/bad.ndjson", "lines": 30})
    assert len(found["files"][0]["problems"]) == 10
    path = folder / "out/bad.ndjson"
    assert path.stat().st_mode & 0o777 == 0o600
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [record["line"] for record in records] == list(range(2, 32))
    assert {record["content"] for record in records} == {BAD.decode()}


def test_where_bad_lines_went_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "a.ndjson", BAD)
    assert run(capsys, "validate", "a.ndjson", *PROFILES, "--dead-letter", "bad").out.endswith(
        "\nBad lines written to bad: 1\n"
    )


@pytest.mark.parametrize("where", ["a.ndjson", "./a.ndjson", "link", "{folder}/a.ndjson", "file://{folder}/a.ndjson"])
def test_they_are_not_written_over_what_is_checked(
    folder: Path, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    write(folder, "a.ndjson", BAD)
    (folder / "link").symlink_to("a.ndjson")

    ran = run(capsys, "validate", "a.ndjson", *PROFILES, "--dead-letter", where.format(folder=folder))

    assert (ran.code, ran.out) == (2, "")
    assert "would be written over it" in ran.err
    assert (folder / "a.ndjson").read_bytes() == BAD


def test_csv_is_known_by_its_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "s.csv", HEADER, SEGMENT, SEGMENT.replace(b"UPDATE", b"GIVE"))

    code, found = document(capsys, "s.csv", *SEGMENTS)

    assert (code, found["mime_type"], found["total"]["lines"], found["total"]["bad"]) == (1, "TEXT_CSV", 2, 1)
    assert found["files"][0]["problems"][0]["line"] == 3


@pytest.mark.parametrize("given", ["TEXT_CSV", "text_csv", "text/csv", "csv", "CSV"])
def test_it_can_be_said_too(folder: Path, capsys: pytest.CaptureFixture[str], given: str) -> None:
    write(folder, "segments.txt", HEADER, SEGMENT)
    code, found = document(capsys, "segments.txt", *SEGMENTS, "--mime-type", given)
    assert (code, found["mime_type"], found["ok"]) == (0, "TEXT_CSV", True)


@pytest.mark.parametrize("compress", [False, True])
def test_a_wrong_header_makes_the_file_bad(folder: Path, capsys: pytest.CaptureFixture[str], compress: bool) -> None:
    content = b"OPERATION,WHO\nUPDATE,crm-1\n"
    write(folder, "s.csv.gz" if compress else "s.csv", gzip.compress(content) if compress else content)
    write(folder, "t.csv", HEADER, SEGMENT)

    ran = run(capsys, "validate", "[st].csv*", *SEGMENTS)

    assert ran.code == 1
    assert ", line 1 (byte 0): " in ran.out
    assert ran.out.endswith("\n1 of 2 files could not be checked to the end.\n")


def test_compressed_files_are_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "a.ndjson.gz", gzip.compress(GOOD * 9 + BAD))
    code, found = document(capsys, "a.ndjson.gz", *PROFILES)
    assert (code, found["total"]["good"], found["total"]["bad"]) == (1, 9, 1)


def test_a_damaged_file_does_not_hide_the_others(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "a.ndjson.gz", gzip.compress(GOOD * 9)[:-9])
    write(folder, "b.ndjson", GOOD)

    code, found = document(capsys, "a.ndjson.gz", "b.ndjson", *PROFILES)
    ran = run(capsys, "validate", "a.ndjson.gz", *PROFILES)

    assert (code, [file["ok"] for file in found["files"]]) == (1, [False, True])
    assert "a.ndjson.gz is broken off" in found["files"][0]["error"]
    assert "\na.ndjson.gz is broken off" in ran.out
    assert ran.out.endswith("\n1 of 1 file could not be checked to the end.\n")


@pytest.mark.parametrize("given", ["user_profile", " User_Profile "])
def test_document_types_are_known_in_any_case(folder: Path, capsys: pytest.CaptureFixture[str], given: str) -> None:
    write(folder, "a.ndjson", BAD)
    code, found = document(capsys, "a.ndjson", "-t", given)
    assert (code, found["document_type"]) == (1, "USER_PROFILE")


def test_one_that_is_not_known_passes_with_a_warning(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "a.ndjson", BAD)
    ran = run(capsys, "validate", "a.ndjson", "-t", "user_wish", "--json")
    assert (ran.code, json.loads(ran.out)["ok"]) == (0, True)
    assert ran.err == "warning: The rules of USER_WISH are not known here: only the JSON of its lines is checked.\n"


def test_a_line_longer_than_a_part_is_bad(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "a.ndjson", GOOD, GOOD.replace(b"Lyon", b"L" * 500), GOOD)
    code, found = document(capsys, "a.ndjson", *PROFILES, "--max-part-bytes", 400)
    assert (code, found["total"]["good"], found["total"]["bad"]) == (1, 2, 1)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n"])
def test_a_file_without_lines_is_no_error(folder: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    write(folder, "a.ndjson", content)
    ran = run(capsys, "validate", "a.ndjson", *PROFILES)
    assert ran.code == 0
    assert ran.out.endswith("\nThere are no lines.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.ndjson", *PROFILES], "gone.ndjson does not exist"),
        (["gone-*.ndjson", *PROFILES], "gone-*.ndjson matches no file"),
        ([".", *PROFILES], "is a directory"),
        (["", *PROFILES], "path is empty"),
        (["a.ndjson", "*.ndjson", *PROFILES], "a.ndjson is named twice"),
        (["a.ndjson", "s.csv", *SEGMENTS], "different formats"),
        (["a.ndjson", *SEGMENTS, "-m", "csv"], "a.ndjson ends in .ndjson"),
        (["a.ndjson", *PROFILES, "-m", "xml"], "There is no mime type 'xml'"),
        (["s.csv", *PROFILES], "is for USER_SEGMENT only"),
        (["a.ndjson", "-t", " "], "The document type is empty"),
        (["bad.ndjson", *PROFILES, "--dead-letter", "s.csv/bad"], "s.csv/bad cannot be written"),
        (["abfs://container/a.ndjson", *PROFILES], "cannot be reached"),
    ],
)
@pytest.mark.parametrize("is_json", [False, True])
def test_what_cannot_be_checked_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str, is_json: bool
) -> None:
    write(folder, "a.ndjson", GOOD)
    write(folder, "bad.ndjson", BAD)
    write(folder, "s.csv", HEADER, SEGMENT)
    if "*.ndjson" in arguments:
        (folder / "bad.ndjson").unlink()

    ran = run(capsys, "validate", *arguments, *(["--json"] if is_json else []))

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert said in ran.err


def test_names_can_do_nothing_to_a_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = write(folder, "a\x1b[31m\n.ndjson", b'{"operation":"UPSERT","\\u001b[2J":{"\\u001b":1}}\n')

    ran = run(capsys, "validate", name, *PROFILES)

    assert ran.code == 1
    assert "\x1b" not in ran.out
    assert "a\\x1b[31m\\n.ndjson, line 1" in ran.out
