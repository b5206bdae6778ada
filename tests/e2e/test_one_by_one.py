"""Items sent one by one in a real Airflow: a worker's process that is killed halfway, and the retry."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.tracking.conftest import activity, choice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devel.cluster import LocalAirflow
    from devel.sandbox_process import SandboxProcess

DAG, ITEMS, CONCURRENCY = "one_by_one", 600, 16
ROUTES = {"consents": "put_user_choice", "activities": "create_user_activity"}


@pytest.fixture(autouse=True)
def held(sandbox: SandboxProcess) -> Iterator[dict[str, Any]]:
    """Of each kind, a third is answered; those behind are carried out, and not answered."""
    sandbox.control("POST", "reset")
    yield {
        task_id: sandbox.control(
            "POST", "faults", {"action": "delay", "kind": kind, "after": ITEMS // 3, "times": None}
        )
        for task_id, kind in ROUTES.items()
    }
    sandbox.control("DELETE", "faults")


def test_a_retry_goes_on_where_a_killed_try_stopped(
    airflow: LocalAirflow, sandbox: SandboxProcess, held: dict[str, Any], tmp_path: Path
) -> None:
    for task_id, line in (("consents", choice), ("activities", activity)):
        text = "".join(f"{json.dumps(line(number))}\n" for number in range(ITEMS))
        (tmp_path / f"{task_id}.ndjson").write_text(text)
    airflow.api.wait_dag(DAG)
    run_id = airflow.api.trigger(DAG, conf={"folder": str(tmp_path)})
    for task_id, fault in held.items():
        sandbox.control("POST", f"faults/{fault['number']}/wait", {"fired": CONCURRENCY, "timeout": 60})
        os.kill(airflow.api.task_instance(DAG, run_id, task_id)["pid"], signal.SIGKILL)
    sandbox.control("DELETE", "faults")

    assert airflow.api.wait_run(DAG, run_id) == "failed"

    assert airflow.api.task_states(DAG, run_id) == {"consents": "success", "activities": "failed"}
    result = airflow.api.xcom(DAG, run_id, "consents")
    assert (result["items"], result["accepted"]) == (ITEMS, ITEMS)
    consents, activities = (sandbox.control("GET", f"items/{kind}")["committed"] for kind in ROUTES.values())
    assert len(consents) == ITEMS
    assert set(consents.values()) <= {1, 2}
    # No activity is sent again that may be in: each is, or is reported.
    assert set(activities.values()) == {1}
    lines = (tmp_path / "rejected" / "activities.ndjson").read_text().splitlines()
    unknown = {f"compartment_id=1201,user_account_id=crm-{json.loads(line)['line'] - 1}" for line in lines}
    assert activities.keys() | unknown == {f"compartment_id=1201,user_account_id=crm-{i}" for i in range(ITEMS)}
    assert len([1 for task in airflow.api.tries(DAG, run_id, "activities") if task]) == 2
    log = airflow.api.log(DAG, run_id, "activities", try_number=2)
    assert f"{len(unknown)} may be (" in log
