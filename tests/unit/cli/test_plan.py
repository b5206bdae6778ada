"""``airflow mics plan``."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.bulk.parts import plan_parts
from airflow_provider_mics.storage import find_files
from tests.unit.cli.commands import GOOD, HEADER, SEGMENT, run

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
    head, *rows, blank, end = ran.out.splitlines()
    size = len(GOOD)
    assert head.split() == ["file", "range", "part", "size", "lines"]
    assert [row.split() for row in rows] == [
        ["a.ndjson", f"0-{5 * size - 1}", "1/3", f"{5 * size}", "-"],
        ["a.ndjson", f"{5 * size}-{10 * size - 1}", "2/3", f"{5 * size}", "-"],
        ["a.ndjson", f"{10 * size}-{12 * size - 1}", "3/3", f"{2 * size}", "-"],
        ["b.ndjson", f"0-{size - 1}", "1/1", f"{size}", "-"],
    ]
    assert (blank, end) == ("", f"Parts: 4, {13 * size} bytes")


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
    assert ran.out.endswith("\nParts: 0, 0 bytes, and those of 1 compressed files\n")
    assert [(file["compression"], file["parts"]) for file in found["files"]] == [("gzip", None), (None, [])]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["a.ndjson", "--max-part-bytes", len(GOOD) - 1], 1, "a.ndjson: the line at byte 0 is longer"),
        (["gone.ndjson"], 2, "gone.ndjson does not exist"),
        (["a.ndjson", "s.csv"], 2, "different formats"),
    ],
)
def test_what_cannot_be_planned_is_said(
    capsys: pytest.CaptureFixture[str], arguments: list[object], code: int, said: str
) -> None:
    ran = run(capsys, "plan", *arguments, "--json")
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
