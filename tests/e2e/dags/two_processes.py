"""A large file that is checked by two processes, from a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG, Param, task

with DAG(
    "two_processes",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"),
    params={"path": Param("", type="string")},
):

    @task(multiple_outputs=False)
    def check(path: str) -> dict[str, Any]:
        """Check it, and tell what was found, and whether the other process has taken part."""
        from airflow_provider_mics.bulk.files import LocalFile
        from airflow_provider_mics.bulk.preflight import check_load
        from airflow_provider_mics.bulk.scout import scouting_of

        file = LocalFile(Path(path))
        how: dict[str, Any] = {"document_type": "USER_PROFILE", "max_part_bytes": 40_000_000}
        with scouting_of(file, **how) as scout:
            if scout:
                scout.good_block(0)
            has_answered = scout is not None and scout._connection.poll(60)
        plan = check_load([file], mime_type="APPLICATION_X_NDJSON", **how)
        return {"has_answered": has_answered, "lines": [part.lines for part, _ in plan.planned]}

    check("{{ params.path }}")
