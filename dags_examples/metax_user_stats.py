"""What subscribers watched and liked since yesterday into JunctionTV's MetaX: one PUT for each line, many side by side.

A line is a subscriber's user stats, ``subscriber_id`` with what the vendor's page calls favorites and view_data:

    {"subscriber_id": "user@example.org", "view_data": [{"asset_id": "XYZ", "user_rating": 4, "pause_time": 1830}]}

It adds to what MetaX knows. The run is red if a single line is not in; such lines are put aside, with the reason.

To run it: a connection ``metax_default`` of type JunctionTV MetaX; a variable ``metax_export_dir`` with the folder or
object-storage prefix of the lines; and, for a try without MetaX, the stand-in, ``python -m
airflow_provider_mics.sandbox --port 8010``, with this connection::

    {
        "conn_type": "metax",
        "host": "http://127.0.0.1:8010",
        "login": "sandbox-client",
        "password": "sandbox-client-secret",
        "extra": {"oauth_url": "http://127.0.0.1:8010/ums/2.0/oauth/"},
    }
"""

from __future__ import annotations

import datetime as dt

import pendulum
from airflow.sdk import DAG

from airflow_provider_mics.operators.metax import MetaxPutUserStatsOperator

EXPORT = "{{ var.value.metax_export_dir }}"

with DAG(
    "metax_user_stats",
    schedule="0 3 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    # Another try goes on where one stopped, and sends nothing again that would count twice.
    default_args={"retries": 2, "retry_delay": dt.timedelta(minutes=5)},
    doc_md=__doc__,
    tags=["metax", "example"],
):
    MetaxPutUserStatsOperator(
        task_id="put",
        path=f"{EXPORT}/*.ndjson",
        dead_letter_path=f"{EXPORT}/not-in/{{{{ run_id }}}}.ndjson",
        concurrency=16,
        rate_limit=100,
    )
