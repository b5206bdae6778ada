"""``make cluster``: one large object over many workers, of which one is killed, as is one of two triggerers.

It starts PostgreSQL, Redis, a server that speaks S3, the sandbox, and Airflow with the CeleryExecutor, two workers and
two triggerers. Exit code 0: every byte of the object has arrived, once.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from devel.cluster import ComponentDiedError
from devel.demo_report import Stopwatch
from devel.many_workers.account import Account, problems
from devel.many_workers.airflow import start_airflow, wait_for_workers
from devel.many_workers.big_object import write_object
from devel.many_workers.night import DAG_ID, Night, NightEndedError
from devel.many_workers.object_store import STORE, ObjectStore
from devel.many_workers.report import report
from devel.many_workers.servers import obtain
from devel.postgres import Postgres
from devel.redis import Redis
from devel.sandbox_process import SandboxProcess

_REPOSITORY: Final = Path(__file__).resolve().parents[2]
_DAGS: Final = Path(__file__).resolve().parent / "dags"
#: Less has not enough parts for a worker to be killed among them.
_MIN_GIGABYTES: Final = 0.4
#: Most that Airflow maps a task over, unless it is told otherwise.
_MAX_WAITS: Final = 1024


def main() -> None:
    """Play the night; exit code 1 if anything is wrong, 130 if it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=1.0, help="size of the object (default: %(default)s)")
    parser.add_argument("--waits", type=int, default=60, help="tasks that wait (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=_REPOSITORY / "build/cluster/run", help="emptied first")
    options = parser.parse_args()
    if options.gigabytes < _MIN_GIGABYTES or not 1 <= options.waits <= _MAX_WAITS:
        parser.error(f"at least {_MIN_GIGABYTES} gigabytes, and 1 to {_MAX_WAITS} waits")
    if absent := obtain():
        sys.exit(f"The cluster cannot be started: {absent}")
    try:
        wrong = _wrong(options.folder, options.gigabytes, options.waits)
    except KeyboardInterrupt:
        sys.exit(130)
    if wrong:
        print("\nNot as it should be:", *wrong, f"Logs: {options.folder}", sep="\n  ")
        sys.exit(1)
    print(f"\nAs it should be: every byte arrived, and arrived once. Logs: {options.folder}")


def _wrong(folder: Path, gigabytes: float, waits: int) -> list[str]:
    """Play, and return what is not as it should be."""
    try:
        return problems(_play(folder, gigabytes, waits))
    except (TimeoutError, NightEndedError, ComponentDiedError) as error:
        return [str(error)]


def _play(folder: Path, gigabytes: float, waits: int) -> Account:
    watch = Stopwatch()
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    folder = folder.resolve()
    with ExitStack() as stack:
        big = write_object(folder / "profiles.ndjson", round(gigabytes * 1e9))
        stack.callback(big.path.unlink)
        watch.say(f"wrote an object of {big.bytes:,} bytes, {big.lines:,} lines")
        store = stack.enter_context(ObjectStore(big.path, folder))
        sandbox = stack.enter_context(SandboxProcess(folder / "sandbox.log", pending_s=1, running_s=1))
        # Every line of it is good, and looking at each would take longer than all the rest.
        sandbox.control("POST", "settings", {"check_lines": False})
        postgres = stack.enter_context(Postgres(folder))
        redis = stack.enter_context(Redis(folder))
        watch.say("the object store, the sandbox, PostgreSQL and Redis answer; starting Airflow")
        connections = {"mics_default": sandbox.connection, STORE: store.connection}
        environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(fields) for name, fields in connections.items()}
        airflow = stack.enter_context(
            start_airflow(folder / "airflow", _DAGS, postgres=postgres, redis=redis, env=environment)
        )
        wait_for_workers(airflow)
        airflow.api.wait_dag(DAG_ID)
        watch.say(f"Airflow is healthy: {', '.join(airflow.components)}")
        # Airflow may need some seconds of both processors for each wait, and as much again to end it.
        night = Night(airflow, sandbox, uri=store.uri, waits=waits, timeout_s=300 + 5 * waits, say=watch.say)
        account = night.play(big)
        print(f"\n{report(account)}\n", flush=True)
        watch.say("stopping")
    watch.say("stopped")
    return account


if __name__ == "__main__":
    main()
