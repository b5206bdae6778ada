"""One file over many tasks."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Param

from airflow_provider_mics.task_groups.document_import import mics_import_in_parts

with DAG(
    "in_parts",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"),
    params={"path": Param("", type="string")},
):
    mics_import_in_parts(
        "load",
        document_type="USER_PROFILE",
        name="In parts",
        path="{{ params.path }}",
        max_part_bytes=250_000,
        poke_interval=15,
    )
