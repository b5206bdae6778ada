from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from devel.cluster import DAG_PROCESSOR, TRIGGERER, ComponentDiedError, LocalAirflow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

TINY = """
from __future__ import annotations

from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sdk import DAG, task

with DAG("tiny", schedule="0 2 * * *"):

    @task
    def plain():
        print("hello from a task")
        return {"answer": 42}

    plain() >> FileSensor(task_id="wait", filepath="{{ dag_run.conf.until }}", deferrable=True, poke_interval=1)
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirflow]:
    home: Path = tmp_path_factory.mktemp("airflow")
    (home / "dags").mkdir()
    (home / "dags/tiny.py").write_text(TINY)
    with LocalAirflow(home, env={"AIRFLOW_VAR_COLOUR": "blue", "AIRFLOW_CONN_FS_DEFAULT": "fs://"}) as started:
        started.api.wait_dag("tiny")
        yield started


def test_a_run_with_a_deferred_task_survives_the_death_of_the_triggerer(airflow: LocalAirflow) -> None:
    api = airflow.api
    conf = {"until": str(airflow.home / "end-of-wait")}
    run_id = api.trigger("tiny", conf=conf)
    api.wait_task("tiny", run_id, "wait", states={"deferred"})
    airflow.kill(TRIGGERER)
    assert TRIGGERER not in airflow.components
    airflow.start_component(TRIGGERER)
    airflow.wait_healthy()
    (airflow.home / "end-of-wait").touch()
    assert api.wait_run("tiny", run_id) == "success"
    assert api.run("tiny", run_id)["conf"] == conf
    assert api.xcom("tiny", run_id, "plain") == {"answer": 42}
    assert "hello from a task" in api.log("tiny", run_id, "plain")
    assert api.task_states("tiny", run_id) == {"plain": "success", "wait": "success"}


def test_only_runs_that_were_asked_for_exist(airflow: LocalAirflow) -> None:
    runs = list(airflow.api.pages("/dags/tiny/dagRuns", "dag_runs"))
    assert {run["run_type"] for run in runs} <= {"manual"}


def test_pools_connections_and_variables_can_be_made_and_changed(airflow: LocalAirflow) -> None:
    for slots in (1, 2):
        airflow.api.put_pool("few", slots)
        airflow.api.put_connection("some", "generic", host=f"host-{slots}.example", password="hidden-word")
        airflow.api.put_variable("colour", slots)
    assert airflow.api.pool("few")["slots"] == 2
    connection = airflow.api.connection("some")
    assert (connection["host"], connection["password"]) == ("host-2.example", "***")


def test_a_component_that_dies_is_noticed_with_the_end_of_its_log(airflow: LocalAirflow) -> None:
    os.kill(airflow.pids(DAG_PROCESSOR)[0], signal.SIGKILL)
    with pytest.raises(ComponentDiedError, match=r"(?s)dag-processor ended with code -9.*dag-processor\.log:\n.*\w"):
        airflow.api.wait_dag("never there", timeout_s=10)
    airflow.restart(DAG_PROCESSOR)
    airflow.check()
