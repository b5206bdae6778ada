"""Uploads in several parts, and waits for them that tests kill."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Param

from airflow_provider_mics.operators.document_import import MicsCreateDocumentImportOperator
from airflow_provider_mics.operators.import_files import MicsImportFilesOperator
from airflow_provider_mics.operators.upload import MicsUploadFileOperator
from airflow_provider_mics.sensors.execution import MicsExecutionSensor

for dag_id, deferrable in (("killing_deferred", True), ("killing_running", False)):
    with DAG(
        dag_id,
        schedule=None,
        start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"),
        params={"path": Param("", type="string")},
    ):
        create = MicsCreateDocumentImportOperator(task_id="create", document_type="USER_PROFILE", name=dag_id)
        upload = MicsUploadFileOperator(
            task_id="upload", document_import_id=create.output, path="{{ params.path }}", max_part_bytes=200_000
        )
        MicsExecutionSensor(
            task_id="wait",
            document_import_id=create.output,
            execution_ids=upload.output,
            deferrable=deferrable,
            poke_interval=2,
            timeout=300,
        )

with DAG(
    "killing_load",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"),
    params={"path": Param("", type="string")},
):
    MicsImportFilesOperator(
        task_id="wait",
        document_type="USER_PROFILE",
        name="killing_load",
        path="{{ params.path }}",
        max_part_bytes=200_000,
        deferrable=True,
        poke_interval=2,
        timeout=300,
    )
