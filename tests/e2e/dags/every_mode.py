"""One upload in many parts, waited for in each mode."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Param

from airflow_provider_mics.operators.document_import import MicsCreateDocumentImportOperator
from airflow_provider_mics.operators.upload import MicsUploadFileOperator
from airflow_provider_mics.sensors.execution import MicsExecutionSensor

with DAG(
    "every_mode",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"),
    params={"path": Param("", type="string"), "max_rejected": Param(0, type="integer")},
    default_args={"retries": 2, "retry_delay": 1},
):
    create = MicsCreateDocumentImportOperator(task_id="create", document_type="USER_PROFILE", name="Every mode")
    upload = MicsUploadFileOperator(
        task_id="upload",
        document_import_id=create.output,
        path="{{ params.path }}",
        max_part_bytes=200_000,
        parallel_uploads=3,
    )
    for task_id, arguments in (
        ("poking", {"mode": "poke"}),
        ("rescheduled", {"mode": "reschedule"}),
        ("deferred", {"deferrable": True}),
    ):
        MicsExecutionSensor(
            task_id=task_id,
            document_import_id=create.output,
            execution_ids=upload.output,
            max_rejected="{{ params.max_rejected }}",
            # A worker tells the scheduler of a deferral some 5 s late; what resumes before is taken for failed.
            poke_interval=15,
            timeout=300,
            **arguments,
        )
