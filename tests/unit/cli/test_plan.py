"""``airflow mics plan``."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.bulk.dead_letters import DeadLetters
from airflow_provider_mics.bulk.parts import plan_parts
from airflow_provider_mics.bulk.preflight import check_load
from airflow_provider_mics.storage import find_files
from tests.unit.cli.commands import BAD, GOOD, HEADER, SEGMENT, run

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = ("--max-part-bytes", 5 * len(GOOD))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.ndjson").write_bytes(GOOD * 12)
    (tmp_path / "b.ndjson").write_bytes(GOOD)
    (tmp_path / "s.csv").write_bytes(HEADER + SEGMENT * 20)
    return tmp_path


def document(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    ran = run(capsys, "plan", *arguments, "--json")
    assert (ran.code, ran.err) == (0, "")
    found: dict[str, Any] = json.loads(ran.out)
    return found


@pytest.mark.usefixtures("folder")
def test_the_parts_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "plan", "?.ndjson", *LIMIT)

    assert (ran.code, ran.err) == (0, "")
    head, *rows, blank, end, about = ran.out.splitlines()
    size = len(GOOD)
    assert head.split() == ["file", "range", "part", "size", "lines"]
    assert [row.split() for row in rows] == [
        ["a.ndjson", f"0-{5 * size - 1}", "1/3", f"{5 * size}", "-"],
        ["a.ndjson", f"{5 * size}-{10 * size - 1}", "2/3", f"{5 * size}", "-"],
        ["a.ndjson", f"{10 * size}-{12 * size - 1}", "3/3", f"{2 * size}", "-"],
        ["b.ndjson", f"0-{size - 1}", "1/1", f"{size}", "-"],
    ]
    assert (blank, end) == ("", f"Parts: 4, {13 * size} bytes")
    assert about.startswith("Cut unread")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["a.ndjson", "s.csv"])
def test_they_are_those_of_the_operator(capsys: pytest.CaptureFixture[str], name: str) -> None:
    found = document(capsys, name, "--max-part-bytes", 300)

    mime_type = "TEXT_CSV" if name == "s.csv" else "APPLICATION_X_NDJSON"
    (file,) = find_files(name)
    parts = plan_parts(file, mime_type=mime_type, max_part_bytes=300)
    assert len(parts) > 1
    assert found == {
        "mime_type": mime_type,
        "document_type": None,
        "bad_lines": None,
        "max_part_bytes": 300,
        "parts": len(parts),
        "bytes": sum(part.size for part in parts),
        "files": [
            {
                "file": name,
                "bytes": file.size,
                "compression": None,
                "parts": [
                    {
                        "number": part.number,
                        "ranges": [{"offset": offset, "length": length} for offset, length in part.ranges],
                        "bytes": part.size,
                        "lines": part.lines,
                    }
                    for part in parts
                ],
            }
        ],
    }


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("pattern", "document_type", "mime_type"),
    [("?.ndjson", "user_profile", "APPLICATION_X_NDJSON"), ("s.csv", "USER_SEGMENT", "TEXT_CSV")],
)
@pytest.mark.parametrize("has_bad_lines", [False, True])
def test_with_a_document_type_they_are_those_of_a_load(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    pattern: str,
    document_type: str,
    mime_type: str,
    has_bad_lines: bool,
) -> None:
    if has_bad_lines:
        (folder / "a.ndjson").write_bytes((GOOD * 2 + BAD + b"\n") * 6)
        (folder / "s.csv").write_bytes(HEADER + (SEGMENT * 3 + b"GIVE,crm-1,12,5\n") * 6)

    ran = run(capsys, "plan", pattern, "-t", document_type, "--max-part-bytes", 600, "--json")

    found = json.loads(ran.out)
    with DeadLetters("aside", io.BytesIO) as dead_letters:
        planned = check_load(
            find_files(pattern),
            document_type=document_type.upper(),
            mime_type=mime_type,
            max_part_bytes=600,
            dead_letters=dead_letters,
        ).planned
    assert [(part["ranges"], part["lines"]) for file in found["files"] for part in file["parts"]] == [
        ([{"offset": offset, "length": length} for offset, length in part.ranges], part.lines) for part, _ in planned
    ]
    assert (found["document_type"], found["bad_lines"]) == (document_type.upper(), dead_letters.lines)
    assert (ran.code, bool(dead_letters.lines)) == (int(has_bad_lines), has_bad_lines)


def test_bad_lines_are_said_to_be_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.ndjson").write_bytes((GOOD + BAD) * 6)

    ran = run(capsys, "plan", "a.ndjson", "-t", "USER_PROFILE")

    size, step = len(GOOD), len(GOOD) + len(BAD)
    shown = f"0-{size - 1} + {step}-{step + size - 1} + 3 more + {5 * step}-{5 * step + size - 1}"
    assert ran.code == 1
    assert shown in ran.out
    assert "6 of 12 lines are bad" in ran.out
    ran = run(capsys, "plan", "b.ndjson", "-t", "USER_PROFILE")
    assert ran.out.endswith("The only line is good as USER_PROFILE.\n")


@pytest.mark.usefixtures("folder")
def test_parts_of_csv_have_its_header(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "plan", "s.csv", "--max-part-bytes", 300).out
    head = f"0-{len(HEADER) - 1} + "
    assert [head in line for line in out.splitlines()[1:3]] == [True, True]


def test_compressed_and_empty_files_are_said_to_be(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "c.ndjson.gz").write_bytes(gzip.compress(GOOD))
    (folder / "d.ndjson").write_bytes(b"\n")

    ran = run(capsys, "plan", "[cd].ndjson*")
    found = document(capsys, "[cd].ndjson*")

    assert "c.ndjson.gz  gzip: cut when it is sent" in ran.out
    assert "d.ndjson     no lines " in ran.out
    assert "\nParts: 0, 0 bytes, and those of 1 compressed file\n" in ran.out
    assert [(file["compression"], file["parts"]) for file in found["files"]] == [("gzip", None), (None, [])]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["a.ndjson", "--max-part-bytes", len(GOOD) - 1], 1, "a.ndjson: the line at byte 0 is longer"),
        (["gone.ndjson"], 2, "gone.ndjson does not exist"),
        (["a.ndjson", "s.csv"], 2, "different formats"),
        (["s.csv", "-t", "USER_PROFILE"], 2, "TEXT_CSV is for USER_SEGMENT only"),
        (["s.csv", "-t", "USER_SEGMENT", "--max-part-bytes", 20], 1, "longer than a part may be"),
    ],
)
def test_what_cannot_be_planned_is_said(
    capsys: pytest.CaptureFixture[str], arguments: list[object], code: int, said: str
) -> None:
    ran = run(capsys, "plan", *arguments, "--json")
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
