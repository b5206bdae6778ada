"""Lines checked before anything is sent."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError
from airflow_provider_mics.operators.document_import import MicsCreateDocumentImportOperator
from tests.contract.faces.conftest import Night, profile
from tests.contract.faces.test_upload import create, received, upload
from tests.contract.faces.test_waiting import by_operator, by_sensor

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_mics.sandbox import Sandbox

SECRET = b"jeanne@example.org"
BAD = b'{"operation":"MERGE","email_hash":"' + SECRET + b'","user_profile":5}'
HEADER = b"OPERATION,USER_ACCOUNT_ID,SEGMENT_ID,EXPIRATION_DURATION"


def dead_letters(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_bad_line_stops_the_load_and_is_named(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", profile(1), b"", BAD, profile(2))

    with pytest.raises(MicsInputError) as raised:
        upload(night, create(night), path)

    message = str(raised.value)
    assert (
        f"1 of 3 lines is not what mediarithmics takes as USER_PROFILE; nothing was sent. {path}, line 3 (byte"
        in message
    )
    assert "operation" in message
    assert SECRET.decode() not in message
    assert not sandbox.executions


def test_only_the_first_problems_are_named(night: Night, sandbox: Sandbox) -> None:
    path = night.file("a.ndjson", *[BAD] * 50, profile(1))

    with pytest.raises(MicsInputError, match="50 of 51 lines") as raised:
        upload(night, create(night), path)

    assert str(raised.value).count(", line ") == 10


@pytest.mark.parametrize("compress", [False, True])
def test_good_lines_are_sent_and_bad_ones_put_aside(sandbox: Sandbox, night: Night, compress: bool) -> None:
    lines = [BAD if number % 10 == 3 else profile(number) for number in range(100)]
    path = night.folder / ("a.ndjson.gz" if compress else "a.ndjson")
    content = b"\r\n".join([*lines, b"\xff\xfe"])
    path.write_bytes(gzip.compress(content) if compress else content)
    aside = night.folder / "aside" / "bad.ndjson"

    execution_ids = upload(
        night,
        create(night),
        str(path),
        preflight="dead_letter",
        dead_letter_path=str(aside),
        max_part_bytes=5000,
    )

    sent = b"".join(received(sandbox, execution_id) for execution_id in execution_ids).split(b"\r\n")
    put_aside = dead_letters(aside)
    assert sent == [line for line in lines if line != BAD] + [b""]
    assert [item["line"] for item in put_aside] == [*range(4, 101, 10), 101]
    assert [item["content"].encode() for item in put_aside[:-1]] == [BAD + b"\r\n"] * 10
    assert put_aside[-1]["content_base64"] == "//4="
    assert all(item["problems"] and item["file"] == str(path) for item in put_aside)
    assert aside.stat().st_mode & 0o777 == 0o600
    assert sum(part["lines"] for part in night.ti.xcoms["mics_parts"]) == 90
    assert night.ti.xcoms["mics_dead_letter"] == {"path": str(aside), "lines": 11}


@pytest.mark.parametrize("run", [by_sensor, by_operator])
@pytest.mark.parametrize("deferrable", [False, True])
def test_the_counts_add_up(sandbox: Sandbox, night: Night, run: Any, deferrable: bool) -> None:
    unknown_to_the_platform = profile(0).replace(b"1201", b"9999")
    sandbox.settings.compartments = ["1201"]
    path = night.file("a.ndjson", profile(1), BAD, profile(2), unknown_to_the_platform, BAD)
    aside = str(night.folder / "bad.ndjson")

    summary = run(
        night,
        path,
        preflight="dead_letter",
        dead_letter_path=aside,
        max_rejected=1,
        deferrable=deferrable,
    )

    assert (summary["lines"], summary["accepted"], summary["rejected"]) == (5, 2, 1)
    assert summary["dead_letter"] == {"path": aside, "lines": 2}


def test_the_summary_names_the_report_of_the_check_where_nothing_was_rejected_behind_it(
    sandbox: Sandbox, night: Night
) -> None:
    report = night.folder / "report.json"

    summary = by_operator(
        night,
        night.file("a.ndjson", profile(1), BAD),
        preflight="dead_letter",
        dead_letter_path=str(night.folder / "bad.ndjson"),
        report_path=str(report),
    )

    assert summary["report"] == str(report)
    assert report.exists()


def test_a_load_without_a_good_line_fails(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", b"[", profile(1)[:-1], b"]")

    with pytest.raises(MicsInputError, match="3 of 3 lines"):
        upload(
            night,
            create(night),
            path,
            preflight="dead_letter",
            dead_letter_path=str(night.folder / "bad.ndjson"),
        )
    assert not sandbox.executions


def test_blank_lines_are_left_out(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", b"", profile(1), b"  ", b"", profile(2), b"\r")

    (execution_id,) = upload(night, create(night), path)

    assert received(sandbox, execution_id) == profile(1) + b"\n" + profile(2) + b"\n"


def test_parts_have_distinct_counts(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", *[profile(1)] * 500)

    upload(night, create(night), path, max_part_bytes=20_000)

    counts = [part["lines"] for part in night.ti.xcoms["mics_parts"]]
    assert len(set(counts)) == len(counts) == 5
    assert sum(counts) == 500


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"OPERATION;USER_ACCOUNT_ID;SEGMENT_ID;EXPIRATION_DURATION", "header is wrong"),
        (b"OPERATION,USER_ACCOUNT_ID,NOT_A_COLUMN,EXPIRATION_DURATION", "header is wrong"),
    ],
)
@pytest.mark.parametrize("preflight", ["fail", "dead_letter"])
def test_a_wrong_header_stops_the_load(
    sandbox: Sandbox, night: Night, header: bytes, said: str, preflight: str
) -> None:
    path = night.file("vip.csv", header, b"UPDATE,1,9001,0")

    with pytest.raises(MicsInputError, match=said):
        upload(
            night,
            create(night, "USER_SEGMENT", "TEXT_CSV"),
            path,
            preflight=preflight,
            dead_letter_path=str(night.folder / "bad"),
        )
    assert not sandbox.executions


def test_bad_records_of_csv_are_put_aside(sandbox: Sandbox, night: Night) -> None:
    rows = [b"UPDATE,%d,9001,0" % number if number % 5 else b"UPSERT,%d,9001,0" % number for number in range(20)]
    path = night.file("vip.csv", HEADER, *rows)

    (execution_id,) = upload(
        night,
        create(night, "USER_SEGMENT", "TEXT_CSV"),
        path,
        preflight="dead_letter",
        dead_letter_path=str(night.folder / "bad"),
    )

    good = [row for row in rows if row.startswith(b"UPDATE")]
    assert received(sandbox, execution_id) == b"\n".join([HEADER, *good]) + b"\n"
    assert [item["line"] for item in dead_letters(night.folder / "bad")] == [2, 7, 12, 17]


def test_deletions_are_bounded(sandbox: Sandbox, night: Night) -> None:
    delete = b'{"operation":"DELETE","user_account_id":"crm-1"}'
    path = night.file("a.ndjson", profile(1), delete, delete)
    document_import_id = create(night)

    with pytest.raises(MicsInputError, match="2 lines delete something, more than max_deletions=1"):
        upload(night, document_import_id, path, max_deletions=1)
    assert not sandbox.executions

    assert len(upload(night, document_import_id, path, max_deletions=2)) == 1


@pytest.mark.parametrize(
    "arguments",
    [{"preflight": "maybe"}, {"preflight": "dead_letter"}, {"preflight": "off", "max_deletions": 1}],
)
def test_what_means_nothing_is_refused(sandbox: Sandbox, night: Night, arguments: dict[str, Any]) -> None:
    with pytest.raises(MicsConfigurationError):
        upload(night, create(night), night.file("a.ndjson", profile(1)), **arguments)
    assert not sandbox.executions


def test_the_file_of_dead_letters_must_be_writable(night: Night, sandbox: Sandbox) -> None:
    path = night.file("a.ndjson", profile(1), BAD)

    with pytest.raises(Exception, match=r"bad\.ndjson cannot be written"):
        upload(night, create(night), path, preflight="dead_letter", dead_letter_path=f"{path}/bad.ndjson")
    assert not sandbox.executions


@pytest.mark.parametrize(("encoding", "is_checked"), [("utf-8", True), ("UTF8", True), ("iso-8859-1", False)])
def test_only_utf_8_is_checked(sandbox: Sandbox, night: Night, encoding: str, is_checked: bool) -> None:
    document_import_id = MicsCreateDocumentImportOperator(
        task_id="create", document_type="USER_PROFILE", name="Night", encoding=encoding
    ).execute(night.context)
    path = night.file("a.ndjson", profile(1))

    if is_checked:
        assert upload(night, document_import_id, path)
    else:
        with pytest.raises(MicsConfigurationError, match="checked as UTF-8"):
            upload(night, document_import_id, path)
        assert upload(night, document_import_id, path, preflight="off")
