"""Consents and activities, one by one, with retries."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Param

from airflow_provider_mics.operators.tracking import MicsSendUserActivitiesOperator, MicsSetUserChoicesOperator

with DAG(
    "one_by_one",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"),
    params={"folder": Param("", type="string")},
    default_args={"retries": 2, "retry_delay": 1},
):
    for task_id, operator in (("consents", MicsSetUserChoicesOperator), ("activities", MicsSendUserActivitiesOperator)):
        operator(
            task_id=task_id,
            path=f"{{{{ params.folder }}}}/{task_id}.ndjson",
            dead_letter_path=f"{{{{ params.folder }}}}/rejected/{task_id}.ndjson",
        )
