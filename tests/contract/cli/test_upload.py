"""``airflow mics upload``."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.cli.conftest import profiles
from tests.unit.cli.commands import BAD, SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.cli.conftest import Night
    from tests.unit.cli.commands import Ran

pytestmark = pytest.mark.usefixtures("sandbox")

NAMED = ("--name", "Profiles by hand", "-t", "USER_PROFILE", "--interval", 0.01)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.ndjson").write_bytes(profiles(1000))
    Path("b.ndjson").write_bytes(profiles(10, first=1001))
    Path("bad.ndjson").write_bytes(profiles(3) + BAD + profiles(3, first=4))


def received(sandbox: Sandbox) -> bytes:
    return b"".join(sandbox.received(item.id).read_bytes() for item in sandbox.executions)


def test_files_are_in(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    ran = mics("upload", "a.ndjson", "b.ndjson", *NAMED, "--max-part-bytes", 100_000)

    assert ran.code == 0
    (created,) = sandbox.imports
    assert (created.name, created.document_type, created.mime_type) == (
        "Profiles by hand",
        "USER_PROFILE",
        "APPLICATION_X_NDJSON",
    )
    assert sorted(received(sandbox).splitlines()) == sorted(profiles(1010).splitlines())
    assert len(sandbox.executions) == 3
    lines = ran.out.splitlines()
    size = len(profiles(1010))
    assert lines[0] == f"Sent to document import {created.id} (Profiles by hand): 1010 lines, {size} bytes"
    assert [line.split()[1] for line in lines[3:6]] == ["SUCCEEDED"] * 3
    assert lines[-1] == "The load is good: 1010 of 1010 lines are in."
    # How it went is told aside.
    assert ran.err.count("Sent ") == 3


def test_the_same_name_again_is_the_same_import(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    for name in ("a.ndjson", "b.ndjson"):
        assert mics("upload", name, *NAMED).code == 0
    assert len(sandbox.imports) == 1
    assert len(sandbox.executions) == 2


def test_an_import_that_is_there_is_used(document: Callable[..., Any], night: Night) -> None:
    found = document("upload", "a.ndjson", "--import", night.id, "--interval", 0.01)
    assert (found["ok"], found["error"], found["document_import_id"]) == (True, None, night.id)
    assert (found["summary"]["lines"], found["summary"]["accepted"]) == (1000, 1000)
    assert [item["id"] for item in found["executions"]] == [item.id for item in night.sandbox.executions]


def test_what_is_compressed_is_sent_as_what_it_holds(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    Path("c.ndjson.gz").write_bytes(gzip.compress(profiles(500)))
    assert mics("upload", "c.ndjson.gz", *NAMED).code == 0
    assert received(sandbox) == profiles(500)


def test_bad_lines_stop_it_before_anything_is_made(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    ran = mics("upload", "a.ndjson", "bad.ndjson", *NAMED)
    assert (ran.code, ran.out) == (1, "")
    assert "bad.ndjson, line 4 (byte " in ran.err
    assert "--dead-letter" in ran.err
    assert (sandbox.imports, sandbox.executions) == ([], [])
    assert SECRET not in ran.err


def test_the_report_names_all_bad_lines(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    Path("worse.ndjson").write_bytes(BAD * 30)
    ran = mics("upload", "worse.ndjson", *NAMED, "--report", "report.json")
    assert ran.code == 1
    assert "The full report is report.json" in ran.err
    assert Path("report.json").read_text().count('"line"') >= 30
    assert sandbox.imports == []


def test_an_import_whose_making_is_not_answered_is_found(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    sandbox.faults.plan("close", kind="create_document_import", when="after_commit")
    ran = mics("upload", "b.ndjson", *NAMED)
    assert ran.code == 0
    assert len(sandbox.imports) == 1


def test_a_part_whose_arrival_is_not_answered_is_not_sent_twice(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    sandbox.faults.plan("close", kind="create_execution", when="after_commit")
    ran = mics("upload", "b.ndjson", *NAMED)
    assert ran.code == 0
    assert received(sandbox) == profiles(10, first=1001)


def test_bad_lines_can_be_put_aside(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    ran = mics("upload", "bad.ndjson", *NAMED, "--dead-letter", "aside.ndjson")
    assert ran.code == 0
    assert received(sandbox) == profiles(6)
    assert json.loads(Path("aside.ndjson").read_bytes())["line"] == 4
    assert ran.out.splitlines()[-2:] == [
        "The load is good: 6 of 7 lines are in.",
        "Bad lines written to aside.ndjson: 1",
    ]
    assert SECRET not in ran.out + ran.err


def test_a_load_is_judged_by_what_became_of_its_lines(mics: Callable[..., Ran]) -> None:
    ran = mics("upload", "bad.ndjson", *NAMED, "--unchecked", "--report", "report.json")
    assert ran.code == 1
    assert "1 of 7 lines was rejected" in ran.out
    assert json.loads(Path("report.json").read_bytes())["rejected"] == 1
    ran = mics("upload", "bad.ndjson", *NAMED, "--unchecked", "--max-rejected", 1)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "The load is good: 6 of 7 lines are in.")
    assert SECRET not in ran.out + ran.err


def test_lines_that_are_lost_are_no_good_load(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    sandbox.settings.execution_override = {"result": {"total_success": 9, "total_failure": 0}}
    ran = mics("upload", "b.ndjson", *NAMED)
    assert ran.code == 1
    assert "10 lines were sent, but the platform accounts for 9" in ran.out


def test_what_cannot_be_sent_ends_with_2(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    sandbox.faults.plan("status", status=403, kind="create_execution", times=None)
    ran = mics("upload", "a.ndjson", *NAMED)
    assert (ran.code, ran.out) == (2, "")
    assert "403" in ran.err


def test_no_lines_are_no_load(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    Path("empty.ndjson").write_bytes(b"\n")
    ran = mics("upload", "empty.ndjson", *NAMED)
    assert (ran.code, ran.out) == (2, "")
    assert "not a single line" in ran.err
    assert sandbox.executions == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "No document import is named."),
        (["--name", "Profiles"], "--name and --document-type"),
        (["--import", "7", "-t", "USER_PROFILE"], "has its name, type and format already"),
        (["--name", "Profiles", "-t", "USER_POINTS_DELETION"], "Add --allow-deletions"),
        ([*NAMED, "--unchecked", "--dead-letter", "aside.ndjson"], "Leave --unchecked out"),
        ([*NAMED, "--dead-letter", "a.ndjson"], "outside of the pattern"),
        ([*NAMED, "--max-rejected-ratio", "2"], "from 0 to 1"),
        ([*NAMED, "-m", "csv"], "a.ndjson ends in .ndjson, but the document import takes TEXT_CSV"),
    ],
)
def test_what_means_nothing_sends_nothing(
    sandbox: Sandbox, mics: Callable[..., Ran], arguments: list[object], said: str
) -> None:
    ran = mics("upload", "a.ndjson", *arguments)
    assert ran.code in {1, 2}
    assert said in ran.err
    assert not [item for item in sandbox.requests if item.method != "GET"]


def test_deletions_can_be_meant(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    Path("gone.ndjson").write_bytes(b'{"type":"USER_ACCOUNT","compartment_id":"1201","user_account_id":"crm-1"}\n')
    arguments = ("--name", "Erase", "-t", "USER_POINTS_DELETION", "--allow-deletions", "--interval", 0.01)
    assert mics("upload", "gone.ndjson", *arguments).code == 0
    assert sandbox.executions[0].lines == 1


def test_an_interrupted_wait_says_what_goes_on(
    mics: Callable[..., Ran], night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("airflow_provider_mics.cli.waiting.time.sleep", interrupt)
    night.sandbox.settings.pending_s = 3600
    ran = mics("upload", "b.ndjson", "--import", night.id)
    assert (ran.code, ran.out) == (130, "")
    assert f"airflow mics executions watch {night.id}." in ran.err
    assert ran.err.endswith("error: Interrupted.\n")
