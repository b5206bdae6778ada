"""Loads in a real Airflow that stand still at a point of a test's choosing, and what the platform has of them after."""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import signal
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import requests

from devel.airflow_rest import ApiError
from devel.crm_export import COMPARTMENT_ID, UNKNOWN_COMPARTMENT_ID
from devel.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from devel.cluster import LocalAirflow
    from devel.sandbox_process import SandboxProcess

TASK: Final = "load"
LINES: Final = 12


def write_activities(path: Path, *, unknown: bool = False, bad: Collection[int] = ()) -> None:
    """Write a file of activities, each of another person.

    :param unknown: Whether the first is of a compartment that only the platform knows not to exist.
    :param bad: Numbers of lines that are no activity, from 0.
    """
    with path.open("w") as lines:
        for number in range(LINES):
            compartment_id = UNKNOWN_COMPARTMENT_ID if unknown and number == 0 else COMPARTMENT_ID
            identifier = {
                "$type": "USER_ACCOUNT",
                "$compartment_id": compartment_id,
                "$user_account_id": f"crm-{number}",
            }
            activity = {"$type": "TOUCH", "$session_status": "NO_SESSION", "$ts": 1718000000000}
            if number in bad:
                del activity["$type"]
            print(json.dumps({**activity, "$user_identifiers": [identifier], "$events": []}), file=lines)


@dataclasses.dataclass(kw_only=True)
class Run:
    """A run of a Dag of ``dags/faults.py``.

    :param fault: The number of the fault that keeps it where it is; None: there is none.
    """

    airflow: LocalAirflow
    sandbox: SandboxProcess
    dag_id: str
    run_id: str
    name: str
    path: Path
    aside: Path
    fault: int | None

    def state(self) -> str | None:
        """Return the task's state."""
        state: str | None = self.task()["state"]
        return state

    def task(self) -> dict[str, Any]:
        """Return its task instance."""
        return self.airflow.api.task_instance(self.dag_id, self.run_id, TASK)

    def until(self, *states: str) -> None:
        """Wait until the task is in one of these states."""
        self.airflow.api.wait_task(self.dag_id, self.run_id, TASK, states=states)

    def log(self, try_number: int) -> str:
        """Return the log of one try."""
        return self.airflow.api.log(self.dag_id, self.run_id, TASK, try_number=try_number)

    def tries(self) -> int:
        """Return how many there were."""
        return len(self.airflow.api.tries(self.dag_id, self.run_id, TASK))

    def wait(self) -> str:
        """Return how the run ended."""
        return self.airflow.api.wait_run(self.dag_id, self.run_id)

    def summary(self) -> dict[str, Any]:
        """Return the load summary."""
        return dict(self.airflow.api.xcom(self.dag_id, self.run_id, TASK))

    def until_log(self, text: str, *, try_number: int = 1) -> None:
        """Wait until a try's log says this."""
        wait_until(
            lambda: text in self.log(try_number),
            what=f"{text!r} in the log",
            timeout_s=60,
            last_seen=lambda: self.log(try_number),
        )

    def until_triggered(self) -> None:
        """Wait until a triggerer has the trigger of the deferred task, and runs it."""
        wait_until(lambda: self.task()["triggerer_job"], what="a triggerer has it", timeout_s=60)
        self.until_log("trigger")

    def mark(self, state: str) -> None:
        """Do what a user does who says how the task has ended."""
        self.airflow.api.set_task_state(self.dag_id, self.run_id, TASK, state)

    def clear(self) -> None:
        """Do what a user does who wants it done again."""
        self.airflow.api.clear(self.dag_id, self.run_id, [TASK])

    def pid(self) -> int:
        """Return its process."""
        return int(self.task()["pid"])

    def kill_process(self, pid: int | None = None) -> int:
        """Kill the task's process, as the kernel does when memory is short; its supervisor sees it and says so.

        :param pid: Where Airflow cannot be asked.
        """
        pid = pid or self.pid()
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_machine(self) -> int:
        """Kill the task's process and its supervisor, so that nobody is left to tell."""
        pid = self.pid()
        os.kill(parent_of(pid), signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        return pid

    # -- what the platform has --------------------------------------------------------------------------------------

    def document_import(self) -> str:
        """Return its document import, of which there is one."""
        (found,) = [item for item in self.sandbox.control("GET", "state")["imports"] if item["name"] == self.name]
        return str(found["id"])

    def uploads(self) -> list[dict[str, Any]]:
        """Return the uploads into its import, in the order of their arrival, answered or not."""
        mine = self.document_import()
        return [item for item in self.sandbox.control("GET", "uploads") if item["document_import_id"] == mine]

    def executions(self) -> list[dict[str, Any]]:
        """Return those of its import."""
        ids = {item["execution_id"] for item in self.uploads()}
        return [item for item in self.sandbox.control("GET", "state")["executions"] if item["id"] in ids]

    def writes(self) -> collections.Counter[str]:
        """Return what else but reading and uploading was asked of its import, by kind."""
        mine = f"/document_imports/{self.document_import()}"
        return collections.Counter(
            item["kind"]
            for item in self.sandbox.control("GET", "requests")
            if mine in item["path"] and item["method"] != "GET" and item["kind"] != "create_execution"
        )

    def people(self) -> collections.Counter[str]:
        """Return how often the activity of each person is in: executions that were cancelled count for nothing."""
        found: collections.Counter[str] = collections.Counter()
        for execution in self.executions():
            if execution["status"] != "CANCELED":
                found.update(people_in(self.sandbox.download(execution["id"])))
        return found


def people_in(content: bytes) -> list[str]:
    """Return whose activities these are."""
    return [json.loads(line)["$user_identifiers"][0]["$user_account_id"] for line in content.splitlines()]


def everybody_once(*, but: Collection[int] = ()) -> dict[str, int]:
    """Return what :meth:`Run.people` says of a load that is in, each line once.

    :param but: Numbers of lines that were put aside.
    """
    return {f"crm-{number}": 1 for number in range(LINES) if number not in but}


def parent_of(pid: int) -> int:
    """Return a process's parent: of a task's process, the worker of the executor, which supervises it."""
    return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])


class Stage:
    """Starts runs, each with a fault that keeps it where it shall be killed."""

    def __init__(self, airflow: LocalAirflow, sandbox: SandboxProcess, folder: Path) -> None:
        self.airflow = airflow
        self.sandbox = sandbox
        self.folder = folder
        connection = sandbox.connection
        # Nothing is listed late here, so that a part that is not listed soon is known to be absent.
        extra = json.dumps({**connection["extra"], "list_lag": 2})
        fields = {"host": connection["host"], "password": connection["password"], "extra": extra}
        airflow.api.put_connection("mics_faults", "mics", **fields)

    def document_import(self, name: str) -> str:
        """Make a document import, as an earlier load of the night would have."""
        connection = self.sandbox.connection
        answer = requests.post(
            f"{connection['host']}/v1/datamarts/{connection['extra']['datamart_id']}/document_imports",
            headers={"Authorization": connection["password"]},
            json={
                "name": name,
                "document_type": "USER_ACTIVITY",
                "mime_type": "APPLICATION_X_NDJSON",
                "encoding": "utf-8",
                "priority": "MEDIUM",
            },
            timeout=60,
        )
        answer.raise_for_status()
        return str(answer.json()["data"]["id"])

    def start(
        self,
        name: str,
        dag_id: str = "faults_load",
        *,
        fault: Mapping[str, Any] | None = None,
        makes_import: bool = False,
        **activities: Any,
    ) -> Run:
        """Start a run of a load.

        :param fault: Strikes calls about its document import, unless it says itself which it strikes, by a query.
        :param makes_import: Whether its task makes the import.
        """
        path, aside = self.folder / f"{name}.ndjson", self.folder / f"{name}-aside"
        write_activities(path, **activities)
        where = {} if makes_import else {"path": f"/document_imports/{self.document_import(name)}(/|$)"}
        planned = None
        if fault:
            plan = fault if "query" in fault else {**where, **fault}
            planned = self.sandbox.control("POST", "faults", plan)["number"]
        self.airflow.api.wait_dag(dag_id)
        run_id = self._trigger(dag_id, name, {"name": name, "path": str(path), "aside": str(aside)})
        return Run(
            airflow=self.airflow,
            sandbox=self.sandbox,
            dag_id=dag_id,
            run_id=run_id,
            name=name,
            path=path,
            aside=aside,
            fault=planned,
        )

    def _trigger(self, dag_id: str, run_id: str, conf: Mapping[str, object]) -> str:
        """Trigger a run; again where SQLite is too busy with those that run already."""

        def triggered() -> bool:
            try:
                self.airflow.api.trigger(dag_id, conf=conf, run_id=run_id)
            except ApiError as error:
                if error.status != HTTPStatus.CONFLICT:
                    return False
            return True

        wait_until(triggered, what=f"{run_id} is triggered", timeout_s=60, interval_s=1)
        return run_id

    def held(self) -> dict[int, int]:
        """Return how many requests each fault keeps waiting."""
        return {item["number"]: len(item["held"]) for item in self.sandbox.control("GET", "faults")}

    def wait_held(self, *runs: Run, times: int = 1) -> None:
        """Wait until these runs stand still, each with so many requests."""
        wait_until(
            lambda: all(self.held()[run.fault or 0] >= times for run in runs),
            what="runs stand still",
            timeout_s=120,
            last_seen=lambda: [self.airflow.api.task_states(run.dag_id, run.run_id) for run in runs],
        )

    def release(self, run: Run) -> None:
        """Let a run go on."""
        self.sandbox.control("POST", f"faults/{run.fault}/release")
