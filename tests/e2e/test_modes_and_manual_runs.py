from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pendulum
import pytest

from tests.e2e.conftest import BAD_LINES

if TYPE_CHECKING:
    from devel.cluster import LocalAirflow
    from devel.crm_export import CrmExport
    from devel.sandbox_process import SandboxProcess

MODES = ("poking", "rescheduled", "deferred")


@pytest.fixture(autouse=True)
def running(sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "reset")
    sandbox.control("POST", "release")


def test_every_mode_gives_the_same_summary(airflow: LocalAirflow, sandbox: SandboxProcess, export: CrmExport) -> None:
    airflow.api.wait_dag("every_mode")
    sandbox.control("POST", "hold")
    run_id = airflow.api.trigger("every_mode", conf={"path": str(export.profiles[0].path)})
    airflow.api.wait_task("every_mode", run_id, "poking", states=["running"])
    airflow.api.wait_task("every_mode", run_id, "rescheduled", states=["up_for_reschedule"])
    airflow.api.wait_task("every_mode", run_id, "deferred", states=["deferred"])
    sandbox.control("POST", "release")

    assert airflow.api.wait_run("every_mode", run_id) == "success"
    summaries = [airflow.api.xcom("every_mode", run_id, task_id) for task_id in MODES]
    assert summaries[0] == summaries[1] == summaries[2]
    file = export.profiles[0]
    assert (summaries[0]["accepted"], summaries[0]["bytes"]) == (file.lines, file.bytes)
    assert summaries[0]["parts"] >= math.ceil(file.bytes / 200_000) > 1
    received = b"".join(sandbox.download(execution_id) for execution_id in summaries[0]["execution_ids"])
    assert received == file.path.read_bytes()


def test_every_mode_is_red_on_rejected_lines_at_the_first_try(airflow: LocalAirflow, export: CrmExport) -> None:
    airflow.api.wait_dag("every_mode")
    conf = {"path": str(export.profiles[1].path), "max_rejected": BAD_LINES - 1}
    run_id = airflow.api.trigger("every_mode", conf=conf)

    assert airflow.api.wait_run("every_mode", run_id) == "failed"
    for task_id in MODES:
        task = airflow.api.task_instance("every_mode", run_id, task_id)
        assert task["state"] == "failed"
        log = airflow.api.log("every_mode", run_id, task_id)
        assert f"{BAD_LINES} of {export.profiles[1].lines} lines were rejected" in log
        # What Airflow then makes of it has races of its own; this is what it is told.
        assert "another try would fail in the same way" in log


def test_a_manual_run_loads_a_file(airflow: LocalAirflow, sandbox: SandboxProcess, export: CrmExport) -> None:
    airflow.api.wait_dag("import_file")
    conf = {"path": str(export.profiles[1].path), "name": "By hand", "max_rejected": 10}

    first_day = pendulum.now("Europe/Paris")
    for _ in range(2):
        run_id = airflow.api.trigger("import_file", conf=conf)
        assert airflow.api.wait_run("import_file", run_id) == "success"
        summary = airflow.api.xcom("import_file", run_id, "import_file")
        assert (summary["rejected"], summary["accepted"]) == (BAD_LINES, export.profiles[1].lines - BAD_LINES)
        assert "Pausing task as DEFERRED" in airflow.api.log("import_file", run_id, "import_file")

    nights = {f"By hand - {day.format('YYYY-MM-DD')}" for day in (first_day, pendulum.now("Europe/Paris"))}
    (document_import,) = sandbox.control("GET", "state")["imports"]
    assert document_import["name"] in nights
    assert len(sandbox.control("GET", "state")["executions"]) == 2


def test_a_missing_file_fails_the_run_and_says_which(airflow: LocalAirflow) -> None:
    airflow.api.wait_dag("import_file")
    run_id = airflow.api.trigger("import_file", conf={"path": "/nowhere/at-all.ndjson"})

    assert airflow.api.wait_run("import_file", run_id) == "failed"
    log = airflow.api.log("import_file", run_id, "import_file")
    assert "/nowhere/at-all.ndjson does not exist. Check the path" in log
