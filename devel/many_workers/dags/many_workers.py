"""One large object over many workers, and many tasks that wait for it at the same time."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Param, XComArg, task

from airflow_provider_mics.sensors.execution import MicsExecutionSensor
from airflow_provider_mics.task_groups.document_import import mics_import_in_parts

# A worker that dies costs a try each time.
RETRIES = {"retries": 3, "retry_delay": 1}

with DAG(
    "many_workers",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"),
    params={"path": Param("", type="string"), "waits": Param(1, type="integer")},
    default_args=RETRIES,
    render_template_as_native_obj=True,
):
    load = mics_import_in_parts(
        "load",
        document_type="USER_PROFILE",
        name="Many workers",
        path="{{ params.path }}",
        max_part_bytes=40_000_000,
        poke_interval=15,
        default_args=RETRIES,
    )

    created, sent = (XComArg(load[name]) for name in ("create", "upload"))  # type: ignore[call-overload]

    @task
    def share(execution_ids: list[list[str]], waits: int) -> list[list[str]]:
        """Return what each wait waits for: one execution, two or three."""
        known = [execution_id for part in execution_ids for execution_id in part]
        return [sorted({known[(first + more) % len(known)] for more in range(1 + first % 3)}) for first in range(waits)]

    MicsExecutionSensor.partial(
        task_id="wait",
        document_import_id=created,
        deferrable=True,
        poke_interval=15,
        timeout=1800,
    ).expand(execution_ids=share(sent, "{{ params.waits }}"))  # type: ignore[arg-type]  # a template
