"""Airflow's REST API as the end-to-end tests and the demo use it; times are in seconds."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from devel.airflow_rest import AirflowRest, ApiError, Json, as_object, quoted
from devel.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

RUN_ENDED: Final = frozenset({"success", "failed"})
TASK_ENDED: Final = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
# Parts of a log record that say where it comes from, and that the one who asks knows.
_EVERY_RECORD_HAS: Final = frozenset(
    [
        "timestamp",
        "level",
        "event",
        "logger",
        "filename",
        "lineno",
        "dag_id",
        "run_id",
        "task_id",
        "ti_id",
        "try_number",
        "map_index",
    ]
)


class AirflowApi(AirflowRest):
    """What the tests ask of one Airflow, and wait for.

    :param url: where the API server listens.
    :param check: called at each poll of a wait; raises when waiting on is pointless.
    """

    def __init__(self, url: str, *, check: Callable[[], None] = lambda: None) -> None:
        super().__init__(url)
        self._check = check

    # -- the installation ---------------------------------------------------------------------------------------

    def health(self) -> Json:
        """Return what each component last said about itself."""
        return as_object(self.call("GET", "/monitor/health"))

    def jobs(self) -> list[Json]:
        """Return the components known to the database that are alive."""
        return list(self.pages("/jobs", "jobs", is_alive=True))

    def import_errors(self) -> list[Json]:
        """Return the DAG files that could not be read, each with its stack trace."""
        return list(self.pages("/importErrors", "import_errors"))

    def put_pool(self, name: str, slots: int, *, include_deferred: bool = False, description: str = "") -> None:
        """Create or change a pool."""
        pool = {"slots": slots, "include_deferred": include_deferred, "description": description}
        self.put("/pools", name, {"pool": name, **pool}, {"name": name, **pool})

    def pool(self, name: str) -> Json:
        """Return a pool with its open, occupied and queued slots."""
        return as_object(self.call("GET", f"/pools/{quoted(name)}"))

    def put_connection(self, connection_id: str, conn_type: str, **fields: str | int | None) -> None:
        """Create or change a connection: host, login, password, port, schema, extra (JSON text)."""
        body = {"connection_id": connection_id, "conn_type": conn_type, **fields}
        self.put("/connections", connection_id, body, body)

    def connection(self, connection_id: str) -> Json:
        """Return a connection as the API shows it, secrets masked."""
        return as_object(self.call("GET", f"/connections/{quoted(connection_id)}"))

    def delete_connection(self, connection_id: str) -> None:
        """Delete a connection from the database."""
        self.call("DELETE", f"/connections/{quoted(connection_id)}")

    def test_connection(self, connection_id: str, conn_type: str, **fields: str | int | None) -> tuple[bool, str]:
        """Do what the UI's button "Test Connection" does: good or not, and the hook's message."""
        body = {"connection_id": connection_id, "conn_type": conn_type, **fields}
        answer = self.call("POST", "/connections/test", json=body)
        return bool(answer["status"]), str(answer["message"])

    def put_variable(self, key: str, value: object) -> None:
        """Create or change a Variable."""
        body = {"key": key, "value": value}
        self.put("/variables", key, body, body)

    # -- DAGs and runs ------------------------------------------------------------------------------------------

    def wait_dag(self, dag_id: str, *, timeout_s: float = 90) -> Json:
        """Return a DAG as soon as Airflow has read its file; a file that cannot be read ends the wait at once."""

        def known() -> Json | None:
            self._check()
            try:
                return as_object(self.call("GET", f"/dags/{quoted(dag_id)}"))
            except ApiError as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    raise
            if errors := self.import_errors():
                traces = "\n".join(f"{item['filename']}:\n{item['stack_trace']}" for item in errors)
                raise RuntimeError(f"DAG {dag_id} is unknown and there are import errors:\n{traces}")
            return None

        return wait_until(known, what=f"DAG {dag_id} known", timeout_s=timeout_s)

    def trigger(
        self,
        dag_id: str,
        *,
        conf: Mapping[str, object] | None = None,
        logical_date: datetime | None = None,
        run_after: datetime | None = None,
        run_id: str | None = None,
    ) -> str:
        """Start a run and return its id; without ``logical_date`` it has none, as a manual run in the UI may."""
        body: Json = {
            "conf": dict(conf or {}),
            "logical_date": None if logical_date is None else logical_date.isoformat(),
        }
        if run_after is not None:
            body["run_after"] = run_after.isoformat()
        if run_id is not None:
            body["dag_run_id"] = run_id
        return str(self.call("POST", f"/dags/{quoted(dag_id)}/dagRuns", json=body)["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> Json:
        """Return one run."""
        return as_object(self.call("GET", _run_path(dag_id, run_id)))

    def wait_run(
        self,
        dag_id: str,
        run_id: str,
        *,
        timeout_s: float = 300,
        on_poll: Callable[[], None] = lambda: None,
    ) -> str:
        """Wait until a run has ended and return its state, "success" or "failed"; ``on_poll`` is called meanwhile."""

        def ended() -> str | None:
            self._check()
            state = str(self.run(dag_id, run_id)["state"])
            on_poll()
            return state if state in RUN_ENDED else None

        return wait_until(
            ended,
            what=f"run {run_id} of {dag_id} ended",
            timeout_s=timeout_s,
            interval_s=0.3,
            last_seen=lambda: self.task_states(dag_id, run_id),
        )

    def set_run_state(self, dag_id: str, run_id: str, state: str) -> None:
        """Mark a run "success" or "failed", as a user does in the UI."""
        self.call("PATCH", _run_path(dag_id, run_id), json={"state": state})

    # -- tasks --------------------------------------------------------------------------------------------------

    def task_instances(self, dag_id: str, run_id: str) -> list[Json]:
        """Return the task instances of a run, each mapped one by itself."""
        return list(self.pages(f"{_run_path(dag_id, run_id)}/taskInstances", "task_instances"))

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        """Return each task's state by task id; a mapped one is called ``task_id[map_index]``."""
        return {task_name(task): task["state"] for task in self.task_instances(dag_id, run_id)}

    def task_instance(self, dag_id: str, run_id: str, task_id: str, *, map_index: int = -1) -> Json:
        """Return one task instance: state, try_number, pid, trigger, rendered_fields, ..."""
        index = "" if map_index < 0 else f"/{map_index}"
        return as_object(self.call("GET", f"{_task_path(dag_id, run_id, task_id)}{index}"))

    def wait_task(
        self,
        dag_id: str,
        run_id: str,
        task_id: str,
        *,
        states: Collection[str] = TASK_ENDED,
        map_index: int = -1,
        timeout_s: float = 120,
    ) -> Json:
        """Return a task instance as soon as it is in one of ``states`` (default: those that end it)."""

        def reached() -> Json | None:
            self._check()
            task = self.task_instance(dag_id, run_id, task_id, map_index=map_index)
            return task if task["state"] in states else None

        return wait_until(
            reached,
            what=f"task {task_id} in one of {sorted(states)}",
            timeout_s=timeout_s,
            last_seen=lambda: self.task_states(dag_id, run_id),
        )

    def tries(self, dag_id: str, run_id: str, task_id: str, *, map_index: int = -1) -> list[Json]:
        """Return every try of a task, the current one included."""
        index = "" if map_index < 0 else f"/{map_index}"
        return list(self.call("GET", f"{_task_path(dag_id, run_id, task_id)}{index}/tries")["task_instances"])

    def rendered_fields(self, dag_id: str, run_id: str, task_id: str, *, map_index: int = -1) -> Json:
        """Return a task's template fields as the UI shows them."""
        return as_object(self.task_instance(dag_id, run_id, task_id, map_index=map_index)["rendered_fields"])

    def xcoms(self, dag_id: str, run_id: str, task_id: str, *, map_index: int = -1) -> dict[str, Any]:
        """Return all XComs of a task by key, links included."""
        path = f"{_task_path(dag_id, run_id, task_id)}/xcomEntries"
        keys = [entry["key"] for entry in self.pages(path, "xcom_entries", map_index=map_index)]
        return {key: self.xcom(dag_id, run_id, task_id, key=key, map_index=map_index) for key in keys}

    def xcom(self, dag_id: str, run_id: str, task_id: str, *, key: str = "return_value", map_index: int = -1) -> Any:
        """Return one XCom's value, by default what the task returned."""
        path = f"{_task_path(dag_id, run_id, task_id)}/xcomEntries/{quoted(key)}"
        return self.call("GET", path, params={"map_index": map_index, "deserialize": True})["value"]

    def log(self, dag_id: str, run_id: str, task_id: str, *, try_number: int = 1, map_index: int = -1) -> str:
        """Return the log of one try as text, one record a line, with whatever a record holds beside its message."""
        path = f"{_task_path(dag_id, run_id, task_id)}/logs/{try_number}"
        answer = self.call("GET", path, params={"map_index": map_index, "full_content": True})
        return "\n".join(_log_line(record) for record in answer["content"])

    def extra_links(self, dag_id: str, run_id: str, task_id: str, *, map_index: int = -1) -> dict[str, str | None]:
        """Return the buttons of a task by name, with their addresses."""
        answer = self.call("GET", f"{_task_path(dag_id, run_id, task_id)}/links", params={"map_index": map_index})
        return dict(answer["extra_links"])

    def clear(
        self,
        dag_id: str,
        run_id: str,
        task_ids: Collection[str] | None = None,
        *,
        downstream: bool = True,
        only_failed: bool = False,
    ) -> list[Json]:
        """Clear tasks of a run (None: all), as a user does in the UI; returns what was cleared."""
        body: Json = {
            "dry_run": False,
            "dag_run_id": run_id,
            "only_failed": only_failed,
            "include_downstream": downstream,
            "reset_dag_runs": True,
        }
        if task_ids is not None:
            body["task_ids"] = list(task_ids)
        return list(self.call("POST", f"/dags/{quoted(dag_id)}/clearTaskInstances", json=body)["task_instances"])

    def set_task_state(self, dag_id: str, run_id: str, task_id: str, state: str, *, map_index: int = -1) -> None:
        """Mark a task "success", "failed" or "skipped", as a user does in the UI."""
        index = "" if map_index < 0 else f"/{map_index}"
        self.call("PATCH", f"{_task_path(dag_id, run_id, task_id)}{index}", json={"new_state": state})


def task_name(task: Json) -> str:
    """Return a task instance's name as people write it."""
    return str(task["task_id"]) if task["map_index"] < 0 else f"{task['task_id']}[{task['map_index']}]"


def _log_line(record: Any) -> str:
    if isinstance(record, str):
        return record
    extras = {key: value for key, value in record.items() if key not in _EVERY_RECORD_HAS}
    words = [record.get("timestamp"), record.get("level"), record.get("event"), extras or None]
    return " ".join(str(word) for word in words if word is not None)


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/dags/{quoted(dag_id)}/dagRuns/{quoted(run_id)}"


def _task_path(dag_id: str, run_id: str, task_id: str) -> str:
    return f"{_run_path(dag_id, run_id)}/taskInstances/{quoted(task_id)}"
