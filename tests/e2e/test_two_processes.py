from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from devel.cluster import LocalAirflow

LINE = b'{"operation":"UPSERT","user_account_id":"crm-1","user_profile":{"city":"Besan\xc3\xa7on"}}\n'
LINES = 1_000_000


def test_a_task_checks_a_large_file_with_two_processes(airflow: LocalAirflow, tmp_path: Path) -> None:
    path = tmp_path / "large.ndjson"
    path.write_bytes(LINE * LINES)
    airflow.api.wait_dag("two_processes")
    run_id = airflow.api.trigger("two_processes", conf={"path": str(path)})

    assert airflow.api.wait_run("two_processes", run_id) == "success"

    found = airflow.api.xcom("two_processes", run_id, "check")
    assert found["has_answered"] is (len(os.sched_getaffinity(0)) > 1)
    assert sum(found["lines"]) == LINES
    assert len(set(found["lines"])) == len(found["lines"]) == 3
