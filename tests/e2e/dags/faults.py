"""Whole loads in one task, which tests kill at every point."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import DAG, Param, task

from airflow_provider_mics.operators.import_files import MicsImportFilesOperator

if TYPE_CHECKING:
    from collections.abc import Iterator

LOAD: dict[str, Any] = {
    "mics_conn_id": "mics_faults",
    "document_type": "USER_ACTIVITY",
    "name": "{{ params.name }}",
    "append_night": False,
    "max_part_bytes": 1000,
    "parallel_uploads": 1,
    "poke_interval": 1,
    "timeout": 300,
}
KINDS: dict[str, dict[str, Any]] = {
    "faults_load": {},
    "faults_canary": {"canary": True},
    "faults_many_at_once": {"parallel_uploads": 3},
    "faults_report": {"report_path": "{{ params.aside }}", "max_rejected": 1},
    # A worker tells the scheduler of a deferral some 5 s late; what resumes before is taken for failed.
    "faults_deferred": {"deferrable": True, "poke_interval": 15},
}


def dag(dag_id: str) -> DAG:
    """Return a Dag whose task is tried three times."""
    return DAG(
        dag_id,
        schedule=None,
        start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"),
        params={name: Param("", type="string") for name in ("name", "path", "aside")},
        default_args={"retries": 2, "retry_delay": 1},
    )


for dag_id, arguments in KINDS.items():
    with dag(dag_id):
        MicsImportFilesOperator(task_id="load", path="{{ params.path }}", **{**LOAD, **arguments})

with dag("faults_rows"):

    @task.mics_import(task_id="load", preflight="dead_letter", dead_letter_path="{{ params.aside }}", **LOAD)
    def rows(params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Read them from a file, as a query would give them."""
        with Path(params["path"]).open() as lines:
            yield from map(json.loads, lines)

    rows()  # type: ignore[call-arg,misc]  # Airflow passes params
