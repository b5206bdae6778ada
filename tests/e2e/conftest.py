"""A whole Airflow and a sandbox, started once for all end-to-end tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from devel.cluster import LocalAirflow
from devel.crm_export import COMPARTMENT_ID, CrmExport, write_export
from devel.demo_stage import EXAMPLES, REPOSITORY
from devel.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Lines of profiles-2.ndjson that are rejected.
BAD_LINES: Final = 7


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in item.path.as_posix():
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("e2e")


@pytest.fixture(scope="session")
def export(folder: Path) -> CrmExport:
    return write_export(folder / "crm", scale=0.1, bad_lines=BAD_LINES)


@pytest.fixture(scope="session")
def sandbox(folder: Path) -> Iterator[SandboxProcess]:
    with SandboxProcess(folder / "sandbox.log", pending_s=0.5, running_s=0.5) as running:
        running.control("POST", "settings", {"compartments": [COMPARTMENT_ID]})
        yield running


@pytest.fixture(scope="session")
def airflow(folder: Path, export: CrmExport, sandbox: SandboxProcess) -> Iterator[LocalAirflow]:
    environment = {
        "AIRFLOW_CONN_MICS_DEFAULT": json.dumps(sandbox.connection),
        "AIRFLOW_VAR_CRM_EXPORT_DIR": str(export.segment.path.parent),
        # A triggerer that is silent for so long has its triggers taken over, in s; a test waits for that.
        "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "15",
        "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
        # As is a task whose supervisor is.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    }
    dags = [EXAMPLES, REPOSITORY / "tests" / "e2e" / "dags"]
    with LocalAirflow(folder / "airflow", dags=dags, env=environment) as running:
        running.api.put_pool("mics", 8, include_deferred=True, description="mediarithmics")
        yield running
