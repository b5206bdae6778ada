"""The night's CRM export into mediarithmics: profiles, offline purchases and a segment, side by side.

Each branch does what the vendor recommends: a new document import for the night, one execution for each file (files
over 95 MB are cut), then a wait for the executions. The wait costs no worker slot and is red if a single line was
rejected; allow some with ``max_rejected``.

To run it: a connection ``mics_default`` of type mediarithmics; a variable ``crm_export_dir`` with the folder or
object-storage prefix of the export; and a pool ``mics``, which bounds how many tasks talk to the API at a time
(``airflow pools set mics 8 "mediarithmics" --include-deferred``).
"""

from __future__ import annotations

import datetime as dt

import pendulum
from airflow.sdk import DAG, TaskGroup

from airflow_provider_mics.operators.document_import import MicsCreateDocumentImportOperator
from airflow_provider_mics.operators.upload import MicsUploadFileOperator
from airflow_provider_mics.sensors.execution import MicsExecutionSensor

EXPORT = "{{ var.value.crm_export_dir }}"

with DAG(
    "nightly_crm",
    schedule="0 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"),
    catchup=False,
    max_active_runs=1,
    default_args={
        "pool": "mics",
        # Rejected lines, a wrong token or a bad file are not retried: another try would end in the same way.
        "retries": 2,
        "retry_delay": dt.timedelta(minutes=5),
    },
    doc_md=__doc__,
    tags=["mediarithmics", "example"],
):
    for group, document_type, mime_type, name, files in (
        ("profiles", "USER_PROFILE", "APPLICATION_X_NDJSON", "User profiles from CRM", "profiles-*.ndjson"),
        ("activities", "USER_ACTIVITY", "APPLICATION_X_NDJSON", "Offline purchases from CRM", "activities.ndjson"),
        ("segment", "USER_SEGMENT", "TEXT_CSV", "VIP segment from CRM", "vip_segment.csv"),
    ):
        with TaskGroup(group):
            create = MicsCreateDocumentImportOperator(
                task_id="create", document_type=document_type, mime_type=mime_type, name=name
            )
            upload = MicsUploadFileOperator(
                task_id="upload", document_import_id=create.output, path=f"{EXPORT}/{files}"
            )
            MicsExecutionSensor(
                task_id="wait",
                document_import_id=create.output,
                execution_ids=upload.output,
                deferrable=True,
                poke_interval=30,
                timeout=dt.timedelta(hours=6).total_seconds(),
            )
