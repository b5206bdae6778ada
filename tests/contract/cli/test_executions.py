"""``airflow mics executions`` and ``airflow mics errors``."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.cli.conftest import profiles
from tests.unit.cli.commands import BAD, SECRET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.cli.conftest import Night
    from tests.unit.cli.commands import Ran


def test_the_newest_are_listed_first(mics: Callable[..., Ran], night: Night) -> None:
    first = night.load_to_the_end(profiles(3) + BAD)
    night.sandbox.settings.pending_s = 3600
    second = night.load(profiles(5))
    ran = mics("executions list", night.id)

    assert (ran.code, ran.err) == (0, "")
    head, *rows, empty, total = ran.out.splitlines()
    assert head.split() == ["execution", "status", "created", "(UTC)", "lines", "accepted", "rejected", "seconds"]
    assert [row.split()[:2] for row in rows] == [[second, "PENDING"], [first, "SUCCEEDED"]]
    # The day and the time, then the numbers.
    assert [row.split()[4:7] for row in rows] == [["-", "-", "-"], ["4", "3", "1"]]
    assert (empty, total) == ("", "Executions: 2")


def test_an_execution_says_why_lines_were_rejected(
    mics: Callable[..., Ran], document: Callable[..., Any], night: Night
) -> None:
    execution_id = night.load_to_the_end(profiles(3) + BAD + BAD)
    found = document("executions show", night.id, execution_id)

    assert (found["id"], found["status"], found["lines"]) == (execution_id, "SUCCEEDED", 5)
    assert (found["accepted"], found["rejected"]) == (3, 2)
    assert [reason["count"] for reason in found["reasons"]] == [2]
    ran = mics("executions show", night.id, execution_id)
    assert found["reasons"][0]["text"] in ran.out
    assert SECRET not in ran.out + json.dumps(found)


@pytest.mark.parametrize("refusal", ["error", "unchanged"])
def test_what_has_started_is_not_cancelled(
    sandbox: Sandbox, mics: Callable[..., Ran], night: Night, refusal: Any
) -> None:
    sandbox.settings.pending_s = 3600
    sandbox.settings.cancel_refusal = refusal
    pending, running = night.load(profiles(1)), night.load(profiles(1))
    sandbox.set_status(running, "RUNNING")

    ran = mics("executions cancel", night.id, running, pending, "-o", "json")

    assert ran.code == 1
    assert json.loads(ran.out) == {"cancelled": [pending], "already_started": [running]}
    ran = mics("executions cancel", night.id, pending, running)
    assert ran.code == 1
    assert [line.split() for line in ran.out.splitlines()[1:3]] == [[pending, "CANCELED"], [running, "RUNNING"]]
    assert "Too late for 1 of 2" in ran.out
    assert mics("executions cancel", night.id, pending).code == 0


def test_watching_ends_with_the_verdict(mics: Callable[..., Ran], night: Night) -> None:
    ids = [night.load(profiles(3)), night.load(profiles(4))]
    ran = mics("executions watch", night.id, "--interval", 0.01)

    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "The load is good: 7 of 7 lines are in."
    # What changes is told aside, once.
    told = [line for line in ran.err.splitlines() if line.startswith("Execution ")]
    assert {f"Execution {item}: SUCCEEDED" for item in ids} <= set(told)
    assert len(told) == len(set(told))


def test_a_load_with_rejected_lines_is_not_good(mics: Callable[..., Ran], night: Night) -> None:
    night.load_to_the_end(profiles(3))
    bad = night.load_to_the_end(profiles(3) + BAD)

    ran = mics("executions watch", night.id, "-o", "json", "--interval", 0.01)
    assert ran.code == 1
    found = json.loads(ran.out)
    assert (found["ok"], found["summary"]) == (False, None)
    assert "1 of 7 lines was rejected, more than max_rejected=0 allows" in found["error"]
    assert [item["rejected"] for item in found["executions"]] == [1, 0]
    assert [reason["count"] for reason in found["reasons"]] == [1]
    assert SECRET not in ran.out + ran.err

    ran = mics("executions watch", night.id, bad, bad, "--interval", 0.01, "--max-rejected-ratio", 0.25)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "The load is good: 3 of 4 lines are in.")
    assert mics("executions watch", night.id, "--interval", 0.01, "--max-rejected", 1).code == 0


def test_watching_has_an_end(sandbox: Sandbox, mics: Callable[..., Ran], night: Night) -> None:
    sandbox.settings.pending_s = 3600
    night.load(profiles(1))
    ran = mics("executions watch", night.id, "--timeout", 0, "--interval", 0.01)
    assert (ran.code, ran.out) == (2, "")
    assert "did not end in time" in ran.err
    assert f"airflow mics executions watch {night.id}" in ran.err


@pytest.mark.parametrize("interval", ["0", "-1", "nan"])
def test_an_interval_is_one(mics: Callable[..., Ran], night: Night, interval: str) -> None:
    ran = mics("executions watch", night.id, f"--interval={interval}")
    assert (ran.code, ran.out) == (2, "")
    assert "more than 0 seconds" in ran.err


def test_errors_are_grouped_and_nothing_is_kept(
    mics: Callable[..., Ran],
    document: Callable[..., Any],
    night: Night,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    good, bad = night.load_to_the_end(profiles(2)), night.load_to_the_end(profiles(2) + BAD * 3)
    night.sandbox.settings.pending_s = 3600
    waiting = night.load(profiles(1))

    ran = mics("errors", night.id)
    assert ran.code == 0
    assert ran.err == "warning: Not ended yet, and left out: 1 of 3 executions.\n"
    assert good not in ran.out
    assert waiting not in ran.out
    assert ran.out.splitlines()[1].split() == [bad, "SUCCEEDED", "2", "3"]
    assert "4 lines accepted, 3 rejected, in 2 executions" in ran.out.splitlines()[-1]
    assert SECRET not in ran.out
    found = document("errors", night.id, bad)
    assert (found["accepted"], found["rejected"], found["report"]) == (2, 3, None)
    assert [reason["count"] for reason in found["reasons"]] == [3]
    assert list(tmp_path.iterdir()) == []


def test_error_files_are_saved_where_it_is_said(mics: Callable[..., Ran], night: Night, tmp_path: Path) -> None:
    bad = night.load_to_the_end(profiles(2) + BAD * 3)
    ran = mics("errors", night.id, "--save", tmp_path / "errors")

    assert ran.code == 0
    path = tmp_path / "errors" / f"{night.id}.json"
    assert f"Saved: {path}, " in ran.out
    assert json.loads(path.read_text())["rejected"] == 3
    (raw,) = (tmp_path / "errors" / f"{night.id}.json.d").iterdir()
    assert raw.name == f"{bad}_errors.csv"
    assert {stat.S_IMODE(file.stat().st_mode) for file in (path, raw)} == {0o600}


def test_no_errors_are_no_table(mics: Callable[..., Ran], night: Night) -> None:
    night.load_to_the_end(profiles(2))
    ran = mics("errors", night.id)
    assert ran.out == (
        f"Document import {night.id} (Profiles of the night): 2 lines accepted, 0 rejected, in 1 execution that has "
        "ended.\n"
    )
