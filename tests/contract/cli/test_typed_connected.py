"""``airflow mics`` as it is typed, with a stand-in for mediarithmics that is typed too."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest
import requests

from benchmarks.imports import environment
from tests.contract.cli.captured import DOCUMENTS, SERVING, shown
from tests.contract.cli.conftest import profiles
from tests.contract.cli.terminal import run_on_terminal
from tests.unit.cli.commands import BAD, SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

AIRFLOW: Final = str(Path(sys.executable).with_name("airflow"))
NAMED: Final = ("--name", "Profiles by hand", "-t", "USER_PROFILE", "--interval", "0.05")
#: Makes Airflow's tables in a database, and writes a connection into it.
_STORE: Final = """
import json, sys
from airflow.models import Connection, import_all_models
from airflow.models.base import Base
from airflow.utils.session import create_session
from sqlalchemy import create_engine
import_all_models()
Base.metadata.create_all(create_engine(sys.argv[1]))
with create_session() as session:
    session.add(Connection(conn_id="stored", **json.loads(sys.argv[2])))
"""


#: Starts a command as a terminal does: one that was put into the background hands on that Ctrl-C is to be ignored.
_IN_FRONT: Final = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)


class StandIn(NamedTuple):
    """A sandbox, and the environment of who uses it."""

    said: str
    url: str
    connection: str
    environ: dict[str, str]


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    environ = {
        **environment(tmp_path_factory.mktemp("airflow")),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////nowhere/airflow.db",
    }
    command = [AIRFLOW, "mics", "sandbox", "--port", "0", "--pending", "0.3", "--running", "0.3"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        said = process.stdout.readline() + process.stdout.readline()
        try:
            (url,) = re.findall(r"on (http://127.0.0.1:\d+) ", said)
            (connection,) = re.findall(r"^export AIRFLOW_CONN_MICS_DEFAULT='(.*)'$", said, re.MULTILINE)
            yield StandIn(said, url, connection, {**environ, "AIRFLOW_CONN_MICS_DEFAULT": connection})
        finally:
            process.send_signal(signal.SIGINT)
        assert (process.wait(), process.stdout.read()) == (0, "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.ndjson").write_bytes(profiles(20_000))
    (tmp_path / "bad.ndjson").write_bytes(profiles(50) + BAD)
    return tmp_path


def test_the_sandbox_says_what_the_documentation_shows(stand_in: StandIn) -> None:
    (port,) = re.findall(r":(\d+) ", stand_in.said)
    outputs = [output for document in DOCUMENTS for typed, output in shown(document) if typed == SERVING]
    assert set(outputs) == {stand_in.said.replace(port, "8010")}


def test_a_load_on_a_terminal_is_watched(stand_in: StandIn, folder: Path) -> None:
    command = [AIRFLOW, "mics", "upload", str(folder / "good.ndjson"), *NAMED, "--max-part-bytes", "2_000_000"]
    seen = run_on_terminal(command, stand_in.environ)

    assert seen.code == 0
    assert seen.screen[-2] == "The load is good: 20,000 of 20,000 lines are in."
    # There were bars of bytes and lines, and a table that changed; they are gone.
    left = "\n".join(seen.screen)
    for shown_meanwhile in ("Checking", "Sending", "20,000 lines", "MB", "PENDING", "RUNNING"):
        assert shown_meanwhile in seen.written
    for gone in ("Checking", "Sending", "PENDING", "RUNNING", "[info"):
        assert gone not in left
    assert left.count("SUCCEEDED") == 2
    assert "\x1b[32mSUCCEEDED" in seen.written


def test_a_bad_load_in_a_pipe_is_plain(stand_in: StandIn, folder: Path) -> None:
    command = [AIRFLOW, "mics", "upload", str(folder / "bad.ndjson"), *NAMED, "--unchecked"]
    done = subprocess.run(command, env=stand_in.environ, capture_output=True, text=True, check=False)  # noqa: S603

    assert done.returncode == 1
    assert all(character == "\n" or character.isprintable() for character in done.stdout + done.stderr)
    assert "1 of 51 lines was rejected" in done.stdout
    told = done.stderr.splitlines()
    assert told[-1].endswith(": SUCCEEDED")
    # Nothing is there in the form of Airflow's log.
    assert not [line for line in told if "[" in line]
    assert SECRET not in done.stdout + done.stderr


def test_ctrl_c_ends_the_wait_and_says_what_goes_on(stand_in: StandIn, folder: Path) -> None:
    # It looks once, and would look again after an hour.
    command = [AIRFLOW, "mics", "upload", str(folder / "good.ndjson"), *NAMED, "--interval", "3600", "-o", "json"]
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", _IN_FRONT, *command],
        env=stand_in.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while not process.stderr.readline().endswith(": PENDING\n"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()

    assert (process.returncode, out) == (130, "")
    assert re.search(r"warning: .* They go on at the platform: airflow mics executions watch \d+\.\n", err)
    assert err.endswith("error: Interrupted.\n")


def test_deleting_asks_who_sits_there(stand_in: StandIn) -> None:
    api = f"{stand_in.url}/v1/datamarts/1509/document_imports"
    headers = {"Authorization": json.loads(stand_in.connection)["password"]}
    body = {"document_type": "USER_PROFILE", "mime_type": "APPLICATION_X_NDJSON", "name": "To delete"}
    created = requests.post(api, json=body, headers=headers, timeout=10).json()["data"]
    command = [AIRFLOW, "mics", "imports", "delete", created["id"]]

    refused = run_on_terminal(command, stand_in.environ, typed="no\n")
    there = requests.get(f"{api}/{created['id']}", headers=headers, timeout=10).status_code
    agreed = run_on_terminal(command, stand_in.environ, typed="y\n")

    assert (refused.code, there, agreed.code) == (1, 200, 0)
    question = f"Remove document import {created['id']} (To delete, USER_PROFILE) from view? [y/N]"
    assert question in "\n".join(agreed.screen)
    assert requests.get(f"{api}/{created['id']}", headers=headers, timeout=10).status_code == 404


def test_a_connection_in_airflow_s_database_is_found(stand_in: StandIn, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/airflow.db"
    connection = json.loads(stand_in.connection)
    fields = {
        "conn_type": "mics",
        "host": connection["host"],
        "password": connection["password"],
        "extra": json.dumps(connection["extra"]),
    }
    environ = {**stand_in.environ, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database}
    store = [sys.executable, "-c", _STORE, database, json.dumps(fields)]
    subprocess.run(store, env=environ, check=True, capture_output=True)  # noqa: S603

    command = [AIRFLOW, "mics", "connection", "test", "--conn-id", "stored"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Connected to datamart 1509")
