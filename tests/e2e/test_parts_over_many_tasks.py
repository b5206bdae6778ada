from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devel.cluster import LocalAirflow
    from devel.crm_export import CrmExport
    from devel.sandbox_process import SandboxProcess


def test_a_file_goes_up_by_mapped_tasks(airflow: LocalAirflow, sandbox: SandboxProcess, export: CrmExport) -> None:
    sandbox.control("POST", "reset")
    sandbox.control("POST", "release")
    airflow.api.wait_dag("in_parts")
    file = export.profiles[0]
    run_id = airflow.api.trigger("in_parts", conf={"path": str(file.path)})

    assert airflow.api.wait_run("in_parts", run_id) == "success"

    summary = airflow.api.xcom("in_parts", run_id, "load.wait")
    uploads = [task for task in airflow.api.task_instances("in_parts", run_id) if task["task_id"] == "load.upload"]
    assert len(uploads) == summary["parts"] > 2
    assert {task["rendered_map_index"] for task in uploads} == {
        f"part {number} of {len(uploads)}" for number in range(1, len(uploads) + 1)
    }
    # The lines that the mapped tasks have sent are what the wait accounts for.
    assert (summary["lines"], summary["accepted"], summary["bytes"]) == (file.lines, file.lines, file.bytes)
    content = b"".join(sandbox.download(execution_id) for execution_id in summary["execution_ids"])
    assert content == file.path.read_bytes()
