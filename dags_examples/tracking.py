"""The last hour's activities, profiles and consents into mediarithmics, one by one.

For what has to be there soon and is not much: the vendor advises bulk imports above about 1,000 records, as in
``nightly_crm``. Unlike those, these activities go through the processing pipeline: event rules, analyzers, automations.

To run it: a connection ``mics_default`` of type mediarithmics; and a variable ``crm_stream_dir`` with the folder or
object-storage prefix in which each hour has a folder, named after its beginning in UTC, such as ``2026-11-23T08``, with
``activities.ndjson``, ``profiles.ndjson`` and ``consents.ndjson``.
"""

from __future__ import annotations

import datetime as dt

import pendulum
from airflow.sdk import DAG

from airflow_provider_mics.operators.tracking import (
    MicsSendUserActivitiesOperator,
    MicsSetUserChoicesOperator,
    MicsUpsertUserProfilesOperator,
)

# A run started by hand may have no logical date; every run has run_after, the moment from which it may start.
HOUR_AGO = "(dag_run.run_after - macros.timedelta(hours=1))"
HOUR = f"{{{{ var.value.crm_stream_dir }}}}/{{{{ {HOUR_AGO}.strftime('%Y-%m-%dT%H') }}}}"

with DAG(
    "tracking",
    schedule="@hourly",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={
        # Another try goes on where one stopped.
        "retries": 2,
        "retry_delay": dt.timedelta(minutes=1),
    },
    doc_md=__doc__,
    tags=["mediarithmics", "example"],
):
    profiles = MicsUpsertUserProfilesOperator(
        task_id="profiles",
        path=f"{HOUR}/profiles.ndjson",
        dead_letter_path=f"{HOUR}/rejected/profiles.ndjson",
    )
    consents = MicsSetUserChoicesOperator(
        task_id="consents",
        path=f"{HOUR}/consents.ndjson",
        dead_letter_path=f"{HOUR}/rejected/consents.ndjson",
    )
    activities = MicsSendUserActivitiesOperator(
        task_id="activities",
        path=f"{HOUR}/activities.ndjson",
        rate_limit=100,
        # A handful may be refused; they are put aside, with the platform's answer.
        max_rejected=5,
        dead_letter_path=f"{HOUR}/rejected/activities.ndjson",
    )
    # Consents first, so that nothing is tracked that was refused meanwhile.
    consents >> profiles >> activities
