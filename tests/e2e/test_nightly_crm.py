"""The README's main job in a real Airflow: what it leaves behind at the platform, in Airflow, and in no log."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pendulum
import pytest

from devel.waiting import wait_until
from tests.e2e.conftest import BAD_LINES

if TYPE_CHECKING:
    from pathlib import Path

    from devel.cluster import LocalAirflow
    from devel.crm_export import CrmExport
    from devel.sandbox_process import SandboxProcess

DAG = "nightly_crm"
GROUPS = ("profiles", "activities", "segment")
WAITS = [f"{group}.wait" for group in GROUPS]


@dataclasses.dataclass(frozen=True)
class Night:
    """What was seen of a run, while it waited and when it had ended."""

    run_id: str
    links_while_deferred: dict[str, dict[str, str | None]]
    database_while_deferred: str
    state: str


@pytest.fixture(scope="module")
def night(airflow: LocalAirflow, sandbox: SandboxProcess) -> Night:
    airflow.api.wait_dag(DAG)
    sandbox.control("POST", "reset")
    sandbox.control("POST", "hold")
    run_id = airflow.api.trigger(DAG, logical_date=pendulum.datetime(2026, 11, 22, 23, 30, tz="UTC"))
    for task_id in WAITS:
        airflow.api.wait_task(DAG, run_id, task_id, states=["deferred"])
    # A deferred task's row is there before its triggers' are taken up.
    wait_until(lambda: trigger_rows(airflow.home) >= len(WAITS), what="triggers stored", timeout_s=60)
    links = {task_id: airflow.api.extra_links(DAG, run_id, task_id) for task_id in WAITS}
    database = dump(airflow.home)
    sandbox.control("POST", "release")
    return Night(run_id, links, database, airflow.api.wait_run(DAG, run_id))


def trigger_rows(home: Path) -> int:
    with sqlite3.connect(home / "airflow.db") as database:
        return int(database.execute("select count(*) from trigger").fetchone()[0])


def dump(home: Path) -> str:
    with sqlite3.connect(home / "airflow.db") as database:
        return "\n".join(database.iterdump())


def state_of(sandbox: SandboxProcess) -> dict[str, Any]:
    return dict(sandbox.control("GET", "state"))


def test_only_the_load_with_rejected_lines_is_red(airflow: LocalAirflow, night: Night) -> None:
    states = airflow.api.task_states(DAG, night.run_id)

    expected = {f"{group}.{step}": "success" for group in GROUPS for step in ("create", "upload", "wait")}
    assert states == expected | {"profiles.wait": "failed"}
    assert night.state == "failed"


def test_the_red_task_says_how_many_and_why(airflow: LocalAirflow, night: Night) -> None:
    log = airflow.api.log(DAG, night.run_id, "profiles.wait")

    assert f"{BAD_LINES} of 2000 lines were rejected, more than max_rejected=0 allows: " in log
    assert "No profile id found while upserting a user profile" in log


def test_a_verdict_is_not_retried(airflow: LocalAirflow, night: Night) -> None:
    # The Dag gives every task two retries.
    assert airflow.api.task_instance(DAG, night.run_id, "profiles.wait")["try_number"] == 1
    assert "another try would fail in the same way" in airflow.api.log(DAG, night.run_id, "profiles.wait")


def test_the_waits_were_deferred_and_resumed(airflow: LocalAirflow, night: Night) -> None:
    for task_id in WAITS:
        assert "Pausing task as DEFERRED" in airflow.api.log(DAG, night.run_id, task_id)


def test_the_platform_has_every_byte_part_by_part(sandbox: SandboxProcess, export: CrmExport, night: Night) -> None:
    received: dict[str, list[str]] = {}
    for execution in state_of(sandbox)["executions"]:
        content = sandbox.download(execution["id"])
        document_type = execution["parameters"]["document_type"]
        received.setdefault(document_type, []).append(hashlib.sha256(content).hexdigest())

    assert {document_type: sorted(hashes) for document_type, hashes in received.items()} == {
        "USER_PROFILE": sorted(file.sha256 for file in export.profiles),
        "USER_ACTIVITY": [export.activities.sha256],
        "USER_SEGMENT": [export.segment.sha256],
    }


def test_the_imports_bear_the_night_in_the_dags_time_zone(sandbox: SandboxProcess, night: Night) -> None:
    # Half past eleven at night in London is the next day in Paris.
    assert sorted(item["name"] for item in state_of(sandbox)["imports"]) == [
        "Offline purchases from CRM - 2026-11-23",
        "User profiles from CRM - 2026-11-23",
        "VIP segment from CRM - 2026-11-23",
    ]


def test_the_summaries_add_up(airflow: LocalAirflow, export: CrmExport, night: Night) -> None:
    summary = airflow.api.xcom(DAG, night.run_id, "activities.wait")

    assert (summary["lines"], summary["accepted"], summary["rejected"], summary["bytes"]) == (
        export.activities.lines,
        export.activities.lines,
        0,
        export.activities.bytes,
    )
    assert summary["execution_ids"] == airflow.api.xcom(DAG, night.run_id, "activities.upload")


def test_links_lead_to_the_import_also_while_deferred(
    airflow: LocalAirflow, sandbox: SandboxProcess, night: Night
) -> None:
    for task_id in WAITS:
        document_import_id = airflow.api.xcom(DAG, night.run_id, task_id.replace("wait", "create"))
        fields = sandbox.connection["extra"]
        url = (
            f"https://navigator.mediarithmics.com/#/v2/o/{fields['organisation_id']}/datastudio/datamart/"
            f"{fields['datamart_id']}/imports/{document_import_id}"
        )
        assert night.links_while_deferred[task_id] == {"Document import in mediarithmics": url}
        for each in (task_id, task_id.replace("wait", "upload"), task_id.replace("wait", "create")):
            assert airflow.api.extra_links(DAG, night.run_id, each) == {"Document import in mediarithmics": url}


def test_the_same_night_again_reuses_the_imports(airflow: LocalAirflow, sandbox: SandboxProcess, night: Night) -> None:
    before = state_of(sandbox)["imports"]

    airflow.api.clear(DAG, night.run_id, ["segment.create"], downstream=False)
    task = airflow.api.wait_task(DAG, night.run_id, "segment.create", states=["success"])

    assert task["try_number"] == 2
    assert state_of(sandbox)["imports"] == before


def test_no_secret_and_no_row_is_left_anywhere(
    airflow: LocalAirflow, sandbox: SandboxProcess, export: CrmExport, night: Night
) -> None:
    secrets = {sandbox.connection["password"], sandbox.connection["password"].removeprefix("api:")}
    rows = set()
    for file in (*export.profiles, export.activities):
        for line in file.path.read_text().splitlines()[:: max(1, file.lines // 40)]:
            rows |= {text for text in strings(json.loads(line)) if len(text) > 7 and not text.isupper()}
    # Wordings that rows share with our own messages and file names are no leak.
    rows = {row for row in rows if any(character.isdigit() for character in row) or "@" in row}
    assert len(rows) > 100

    places = {"database while deferred": night.database_while_deferred, "database": dump(airflow.home)}
    places |= {str(path): path.read_text(errors="replace") for path in airflow.home.rglob("*.log")}
    for task in airflow.api.task_instances(DAG, night.run_id):
        task_id = task["task_id"]
        places[f"rendered {task_id}"] = json.dumps(airflow.api.rendered_fields(DAG, night.run_id, task_id))
        places[f"xcoms {task_id}"] = json.dumps(airflow.api.xcoms(DAG, night.run_id, task_id))

    assert {place for place, text in places.items() for secret in secrets if secret in text} == set()
    assert {(place, row) for place, text in places.items() for row in rows if row in text} == set()


def strings(value: Any) -> set[str]:
    """Return all texts in a JSON value."""
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return set().union(*(strings(item) for item in value.values()))
    return set().union(*(strings(item) for item in value)) if isinstance(value, list) else set()
