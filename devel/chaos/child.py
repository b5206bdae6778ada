"""One try of a task of the chaos run: what a worker does, in a process of its own that may be killed anywhere."""

from __future__ import annotations

import json
import logging
import os
import signal
import traceback
import types
from typing import TYPE_CHECKING, Any, NoReturn

import pendulum
from airflow.sdk import BaseHook, Connection

from airflow_provider_mics.decorators.mics_import import MicsImportDecoratedOperator
from airflow_provider_mics.exceptions import MicsError
from airflow_provider_mics.operators.import_files import MicsImportFilesOperator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devel.chaos.plans import LoadPlan, TryPlan

log = logging.getLogger(__name__)


class FolderStore:
    """Airflow's state store of one task instance, as files; what was written is there, however the process ends.

    :param plan: Says at which write the process ends, or the store fails.
    """

    def __init__(self, folder: Path, plan: TryPlan) -> None:
        self._folder = folder
        self._plan = plan
        self._writes = 0

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value."""
        path = self._folder / key
        return json.loads(path.read_text()) if path.exists() else default

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:  # noqa: ARG002 - Airflow's signature
        """Write a value, or end here, or fail."""
        self._writes += 1
        kill = self._plan.kill
        is_last = kill is not None and kill.store_write == self._writes
        fails = self._plan.store_failure == self._writes
        if is_last and kill and not kill.is_written:
            _end_myself()
        if not fails or self._plan.failure_is_written:
            self._write(key, value)
        if is_last:
            _end_myself()
        if fails:
            raise ConnectionError("the API server is away")

    def _write(self, key: str, value: Any) -> None:
        part = self._folder / f".{key}"
        part.write_text(json.dumps(value))
        part.replace(self._folder / key)


class _TaskInstance:
    """The part of Airflow's task instance that the provider uses: XComs of one try, tries."""

    def __init__(self, *, try_number: int, max_tries: int) -> None:
        self.try_number = try_number
        self.max_tries = max_tries
        self._xcoms: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self._xcoms[key] = json.loads(json.dumps(value))

    def xcom_pull(self, task_ids: list[str], key: str) -> list[Any]:
        return [self._xcoms.get(key) for _ in task_ids]


def run_try(load: LoadPlan, plan: TryPlan, folder: Path, *, try_number: int, max_tries: int) -> NoReturn:
    """Run a try, write down what came of it, and end the process."""
    try:
        _log_to(folder / "log.txt", try_number)
        # A connection store of its own: what is in it may be replaced while a task runs.
        BaseHook.get_connection = classmethod(lambda _, conn_id: _connection(folder, conn_id))  # type: ignore[assignment]
        (folder / "state").mkdir(exist_ok=True)
        context: Any = {
            "task_state_store": FolderStore(folder / "state", plan),
            "ti": _TaskInstance(try_number=try_number, max_tries=max_tries),
            "dag_run": types.SimpleNamespace(logical_date=pendulum.datetime(2026, 11, 23, tz="UTC"), run_after=None),
            "dag": types.SimpleNamespace(timezone=pendulum.UTC),
        }
        result = _outcome(load, context, folder)
        part = folder / ".result"
        part.write_text(json.dumps(result))
        part.replace(folder / "result")
    finally:
        # Nothing of the parent's may run here.
        os._exit(0)


def _outcome(load: LoadPlan, context: Any, folder: Path) -> dict[str, Any]:
    try:
        return {"summary": _task(load, folder).execute(context)}
    except MicsError as error:
        log.exception("The try failed")
        return {"error": str(error), "kind": type(error).__name__, "retryable": error.retryable}
    except BaseException:
        # Nothing else may come out of a task; whatever it is, it is told.
        log.exception("The try failed as it must not")
        return {"error": traceback.format_exc(), "kind": "unexpected", "retryable": False}


def _task(load: LoadPlan, folder: Path) -> Any:
    arguments: dict[str, Any] = {
        "task_id": "load",
        "document_type": load.document_type,
        "name": f"Load {load.seed}",
        "poke_interval": 0.05,
        "timeout": 60,
        **load.arguments,
    }
    source = folder / "source.ndjson"
    if load.face == "files":
        return MicsImportFilesOperator(path=str(source), **arguments)

    def rows() -> Iterator[dict[str, Any]]:
        for line in source.read_text().splitlines():
            yield json.loads(line)

    return MicsImportDecoratedOperator(python_callable=rows, **arguments)


def _connection(folder: Path, conn_id: str) -> Connection:
    known = json.loads((folder / "connection").read_text())
    return Connection(conn_id=conn_id, **{**known, "extra": json.dumps(known["extra"])})


def _log_to(path: Path, try_number: int) -> None:
    """Put into a file what the task logs, its hook's part of it, which Airflow prints, included."""
    stream = path.open("a", buffering=1)
    for number in (1, 2):
        os.dup2(stream.fileno(), number)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(f"try {try_number} %(asctime)s %(name)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)


def _end_myself() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("It is dead")
