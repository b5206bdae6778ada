"""``airflow mics`` as it is typed: on a terminal and in a pipe, with a whole Airflow behind it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from benchmarks.imports import environment
from tests.contract.cli.terminal import run_on_terminal
from tests.unit.cli.commands import BAD, GOOD, SECRET

AIRFLOW: Final = str(Path(sys.executable).with_name("airflow"))


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {
        **environment(tmp_path_factory.mktemp("airflow")),
        # No command needs one.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////nowhere/airflow.db",
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "good.ndjson").write_bytes(GOOD * 50_000)
    (folder / "bad.ndjson").write_bytes(GOOD * 2000 + BAD)
    return folder


def piped(environ: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [AIRFLOW, "mics", *map(str, arguments)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603


def test_piped_it_is_plain(folder: Path, environ: dict[str, str]) -> None:
    done = piped(environ, "validate", folder / "bad.ndjson", "--document-type", "USER_PROFILE")

    assert (done.returncode, done.stderr) == (1, "")
    assert all(character == "\n" or character.isprintable() for character in done.stdout)
    assert done.stdout.isascii()
    assert "line 2001 (byte " in done.stdout
    assert "1 of 2001 lines is not" in done.stdout
    assert SECRET not in done.stdout


def test_on_a_terminal_it_is_pretty(folder: Path, environ: dict[str, str]) -> None:
    command = [AIRFLOW, "mics", "validate", str(folder / "*.ndjson"), "-t", "user_profile"]

    seen = run_on_terminal(command, environ)

    assert seen.code == 1
    # There was a bar of bytes, and it is gone.
    assert "Checking" in seen.written
    assert "MB" in seen.written
    assert "Checking" not in "\n".join(seen.screen)
    assert "\x1b[?25h" in seen.written
    text = " ".join(" ".join(seen.screen).split())
    assert "─" in text
    assert "50,000 50,000 0 0 0" in text
    assert "line 2001 (byte " in text
    assert "1 of 52,001 lines is not what mediarithmics takes as USER_PROFILE." in text
    assert "\x1b[1;31m" in seen.written
    assert SECRET not in seen.written


def test_a_narrow_terminal_hides_no_number(folder: Path, environ: dict[str, str]) -> None:
    command = [AIRFLOW, "mics", "plan", str(folder / "good.ndjson"), "--max-part-bytes", "5_000_000"]

    seen = run_on_terminal(command, environ, columns=60)

    assert seen.code == 0
    assert max(map(len, seen.screen)) <= 60
    words = " ".join(seen.screen).split()
    assert {"0-4999841", "1/2", "4,999,842", "4999842-8899999", "2/2", "3,900,158"} <= set(words)
    assert f"Parts: 2, {len(GOOD) * 50_000:,} bytes" in seen.screen


def test_a_document_is_all_there_is(folder: Path, environ: dict[str, str]) -> None:
    done = piped(environ, "plan", folder / "good.ndjson", "--json")
    command = [AIRFLOW, "mics", "validate", str(folder / "good.ndjson"), "-t", "USER_PROFILE", "--json"]
    seen = run_on_terminal(command, environ)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["parts"] == 1
    assert seen.code == 0
    assert json.loads(seen.written)["total"]["good"] == 50_000


def test_a_missing_file_and_a_missing_argument_end_with_2(folder: Path, environ: dict[str, str]) -> None:
    missing = piped(environ, "validate", folder / "gone.ndjson", "-t", "USER_PROFILE")
    unsaid = piped(environ, "validate", folder / "good.ndjson")

    assert (missing.returncode, missing.stdout) == (2, "")
    assert "gone.ndjson does not exist" in missing.stderr
    assert unsaid.returncode == 2
    assert "--document-type" in unsaid.stderr


def test_a_reader_that_leaves_early_is_no_error(folder: Path, environ: dict[str, str]) -> None:
    command = f"{AIRFLOW} mics plan {folder / 'good.ndjson'} --max-part-bytes 500 | head -1"
    done = subprocess.run(  # noqa: S602
        command, shell=True, env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("file ")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
