"""What many waits cost in a real triggerer of Airflow: ``python -m benchmarks.triggerer``.

:mod:`benchmarks.waiting` measures the same in a bare event loop. Here it is ``airflow triggerer``, with its own
database (PostgreSQL if it is installed, else SQLite), and nothing else of Airflow: a scheduler would take hours to get
10,000 tasks to wait, so the rows that it would have written are written by Airflow's models. Each kind of waits has a
triggerer of its own:

- asleep: ``DateTimeTrigger`` of apache-airflow-providers-standard, a day away. What is beyond it is what waiting costs.
- shared: this provider's trigger. All waits for one import share a list call an interval.
- GET each: each wait asks for its execution once an interval, all over one session: what the triggers of dbt Cloud and
  Airbyte do, made better by the session.
- HttpSensor: ``HttpSensorTrigger`` of apache-airflow-providers-http, which opens a session for each request. It waits
  while the answer is 404, so it is given an execution that does not exist.

Connections are in Airflow's database. A trigger more runs in the same event loop, and sleeps for 10 ms over and over:
how late it wakes is the lag. The steady time begins when all triggers have begun, and looked once. After that all
executions begin to run in the same second, so that all shared waits have something to say at once.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime as dt
import json
import os
import pstats
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from devel.postgres import Postgres
    from devel.sandbox_process import SandboxProcess

REPOSITORY: Final = Path(__file__).resolve().parents[1]
KINDS: Final = ("asleep", "shared", "GET each", "HttpSensor")
#: Nothing ends while it is measured, in s.
FOREVER_S: Final = 86_400.0
HTTP_CONN_ID: Final = "http_bench"
DAG_ID: Final = "waits"
BUNDLE: Final = "bench"
#: How long nothing more may begin until it is given up, in s.
_STUCK_S: Final = 60.0
#: As :mod:`benchmarks.triggers` does.
LAG_SAMPLE_S: Final = 0.01
#: Of the shared waits, at least; see :mod:`airflow_provider_mics.bulk.telling`.
_LINES_A_SECOND: Final = 80.0
#: A lag that is counted as standing still, in ms.
_STANDS_MS: Final = 50.0
_CLOCK_TICKS: Final = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--waits", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--imports", type=int, default=100)
    parser.add_argument("--interval", type=float, default=30.0, help="s")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long is measured")
    parser.add_argument("--settle", type=float, help="s between the start of the last trigger and that")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--database", choices=("postgres", "sqlite"), help="by default PostgreSQL, if there is one")
    parser.add_argument("--select", type=int, help="[triggerer] max_trigger_to_select_per_loop")
    parser.add_argument("--no-change", action="store_true", help="do not let all executions begin at once")
    parser.add_argument("--yardstick", type=Path, help="folder with airflow.providers.http")
    parser.add_argument("--profile", action="store_true", help="say what dominates the event loop (it costs time)")
    parser.add_argument("--keep", type=Path, help="folder for Airflow's home, which is kept")
    parser.add_argument("--fill", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.fill:
        _fill(json.loads(arguments.fill))
        return
    with tempfile.TemporaryDirectory(prefix="triggerer-") as scratch:
        folder = (arguments.keep or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        with _database(arguments.database, folder) as postgres:
            bench = Bench(arguments, folder, postgres)
            bench.migrate()
            good = [bench.compare(waits) for waits in arguments.waits]
    sys.exit(0 if all(good) else 1)


@contextlib.contextmanager
def _database(wanted: str | None, folder: Path) -> Iterator[Postgres | None]:
    from devel import postgres

    if wanted == "sqlite" or (wanted is None and postgres.programs().folder is None):
        yield None
        return
    with postgres.Postgres(folder) as server:
        yield server


@dataclasses.dataclass
class Usage:
    """What processes have used until a moment.

    :param cpu_s: By process.
    """

    at: float
    cpu_s: dict[str, float]
    requests: int


@dataclasses.dataclass
class Found:
    """What was measured of one kind."""

    started_s: float
    requests_a_minute: float
    core: dict[str, float]
    rss_kb: dict[str, int]
    files: int
    start_lags_ms: list[float]
    lags_ms: list[float]
    blocked: int
    change: Change | None = None
    profile: str = ""


@dataclasses.dataclass
class Change:
    """What the event loop did when all waits had something to say.

    :param took_s: How long it was watched.
    :param lines: So many waits said it meanwhile.
    """

    took_s: float
    lags_ms: list[float]
    lines: int


class Bench:
    """One Airflow without anything but a database; a triggerer for each kind of waits.

    :param folder: Its home.
    :param postgres: None: SQLite.
    """

    def __init__(self, arguments: argparse.Namespace, folder: Path, postgres: Postgres | None) -> None:
        self._arguments = arguments
        self._folder = folder
        self._postgres = postgres
        self._environ = self._environment()

    def migrate(self) -> None:
        """Create the database."""
        _call([sys.executable, "-m", "airflow", "db", "migrate"], self._environ, self._folder)

    def compare(self, waits: int) -> bool:
        """Measure all kinds with so many waits, print tables, and return whether all could be measured."""
        from benchmarks.waiting import _upload
        from devel.sandbox_process import SandboxProcess

        log = self._folder / "sandbox.log"
        with SandboxProcess(log, pending_s=FOREVER_S, running_s=10 * FOREVER_S) as sandbox:
            sandbox.control("POST", "settings", {"check_lines": False})
            ids = _upload(sandbox.connection, waits, self._arguments.imports)
            found = {}
            for kind in self._arguments.kinds:
                _say(f"{kind}: {waits} waits")
                try:
                    found[kind] = self._measure(kind, waits, ids, sandbox)
                except (TimeoutError, RuntimeError) as error:
                    _say(f"{kind}: {error}")
        if found:
            self._report(waits, found)
        return len(found) == len(self._arguments.kinds)

    # -- one kind -----------------------------------------------------------------------------------------------

    def _measure(self, kind: str, waits: int, ids: Mapping[str, list[str]], sandbox: SandboxProcess) -> Found:
        from devel.server_process import ServerProcess

        probe, profile, log = (self._folder / name for name in ("probe.jsonl", "profile", "triggerer.log"))
        for path in (probe, profile, log):
            path.unlink(missing_ok=True)
        shutil.rmtree(self._folder / "logs", ignore_errors=True)
        job = {
            "kind": kind,
            "ids": ids,
            "connection": sandbox.connection,
            "interval_s": self._arguments.interval,
            "probe": str(probe),
            "profile": str(profile),
        }
        _call([sys.executable, "-m", "benchmarks.triggerer", "--fill", json.dumps({})], self._environ, REPOSITORY, job)
        begun = time.monotonic()
        triggerer = ServerProcess(
            [sys.executable, "-m", "airflow", "triggerer", "--capacity", str(waits + 100), "--skip-serve-logs"],
            log=log,
            is_ready=lambda: probe.exists() and probe.stat().st_size > 0,
            end_with=signal.SIGTERM,
            start_timeout_s=180,
            options={"env": self._environ, "cwd": self._folder},
        )
        with triggerer:
            all_began = self._wait_for_all(probe, waits + 1)
            blocked = log.read_text(errors="replace").count("async thread was blocked")
            time.sleep(self._settle_s(kind, waits))
            runner = int(_told(probe)[-1]["pid"])
            wanted = Path(f"{profile}.wanted")
            if self._arguments.profile:
                wanted.touch()
            before = self._usage(runner, sandbox)
            time.sleep(self._arguments.seconds)
            after = self._usage(runner, sandbox)
            supervisor = _parent(runner)
            rss_kb = {"runner": _rss_kb(runner), "supervisor": _rss_kb(supervisor)}
            files = len(list(Path(f"/proc/{supervisor}/fd").iterdir()))
            if self._arguments.profile:
                wanted.unlink()
                time.sleep(3)
            change = None
            if kind == "shared" and not self._arguments.no_change:
                change = self._change(waits, probe, sandbox)
            seen = _told(probe)
            if seen[-1]["running"] != waits + 1:
                raise RuntimeError(f"{waits + 1 - seen[-1]['running']} triggers have ended:\n{_tail(log)}")
        took_s = after.at - before.at
        return Found(
            started_s=all_began - begun,
            requests_a_minute=60 * (after.requests - before.requests) / took_s,
            core={name: 100 * (after.cpu_s[name] - before.cpu_s[name]) / took_s for name in after.cpu_s},
            rss_kb=rss_kb,
            files=files,
            start_lags_ms=sorted(lag for line in seen if line["at"] <= all_began for lag in line["lags_ms"]),
            lags_ms=sorted(lag for line in seen if before.at <= line["at"] <= after.at for lag in line["lags_ms"]),
            blocked=blocked,
            change=change,
            profile=_dominates(profile) if self._arguments.profile else "",
        )

    def _settle_s(self, kind: str, waits: int) -> float:
        if self._arguments.settle is not None:
            return float(self._arguments.settle)
        # Those that share look for the first time after ten seconds, and say in turn what they have seen.
        first_s = max(1.1 * self._arguments.interval, 12.0) + 3.0
        return first_s + waits / _LINES_A_SECOND if kind == "shared" else first_s

    def _change(self, waits: int, probe: Path, sandbox: SandboxProcess) -> Change:
        begun = time.monotonic()
        sandbox.control("POST", "advance", {"seconds": FOREVER_S})
        # All have looked by then, and those that speak in turn have had theirs.
        time.sleep(1.2 * self._arguments.interval + waits / _LINES_A_SECOND)
        lags = sorted(lag for line in _told(probe) if line["at"] >= begun for lag in line["lags_ms"])
        logs = self._folder.glob(f"logs/dag_id={DAG_ID}/run_id=*/task_id=wait/*/*.log")
        lines = sum(path.read_text(errors="replace").count(" RUNNING") for path in logs)
        return Change(time.monotonic() - begun, lags, lines)

    def _wait_for_all(self, probe: Path, expected: int) -> float:
        """Return when all triggers ran."""
        most, changed_at = 0, time.monotonic()
        while True:
            time.sleep(0.5)
            for line in _told(probe):
                if line["running"] >= expected:
                    return float(line["at"])
                if line["running"] > most:
                    most, changed_at = line["running"], time.monotonic()
            if time.monotonic() - changed_at > _STUCK_S:
                raise TimeoutError(f"{most} of {expected} triggers run:\n{_tail(probe.with_name('triggerer.log'))}")

    def _usage(self, runner: int, sandbox: SandboxProcess) -> Usage:
        cpu_s = {"runner": _cpu_s(runner), "supervisor": _cpu_s(_parent(runner))}
        if self._postgres:
            cpu_s["database"] = _database_cpu_s(self._postgres)
        return Usage(time.monotonic(), cpu_s, int(sandbox.control("GET", "counts")["total"]))

    def _environment(self) -> dict[str, str]:
        from devel.airflow_settings import airflow_environment

        ports = {"api": 0, "worker_log": 0, "trigger_log": 0}
        dags = self._folder / "dags"
        dags.mkdir(exist_ok=True)
        environ = airflow_environment(self._folder, [dags], ports=ports, parallelism=1)
        folders = [str(REPOSITORY)]
        if self._arguments.yardstick:
            folders.append(str(self._arguments.yardstick.resolve()))
        environ["PYTHONPATH"] = os.pathsep.join(folders)
        # Else each start of a program would make one of its own.
        environ["AIRFLOW__CORE__FERNET_KEY"] = urlsafe_b64encode(secrets.token_bytes(32)).decode()
        if self._arguments.select:
            environ["AIRFLOW__TRIGGERER__MAX_TRIGGER_TO_SELECT_PER_LOOP"] = str(self._arguments.select)
        if self._postgres:
            dsn = self._postgres.dsn()
            environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = (
                f"postgresql+psycopg2://{dsn['user']}:{quote(dsn['password'])}@{dsn['host']}:{dsn['port']}/"
                f"{dsn['dbname']}"
            )
        return environ

    # -- the report ---------------------------------------------------------------------------------------------

    def _report(self, waits: int, found: Mapping[str, Found]) -> None:
        asleep = found.get("asleep")
        selected = f", {self._arguments.select} selected at once" if self._arguments.select else ""
        sys.stdout.write(
            f"\nairflow triggerer with {waits} waits of {self._arguments.imports} imports, an interval of "
            f"{self._arguments.interval:g} s, {'PostgreSQL' if self._postgres else 'SQLite'}{selected}\n"
            "| kind | % of a core, both processes | event loop | supervisor | database | requests a minute "
            "| event loop, MB | kB a wait beyond asleep | supervisor, MB | its open files | lag p99, ms | max "
            "| stood still, % |\n"
            f"{'|---' * 13}|\n"
        )
        for kind, it in found.items():
            beyond = f"{(it.rss_kb['runner'] - asleep.rss_kb['runner']) / waits:.1f}" if asleep else ""
            _row(
                kind,
                f"{it.core['runner'] + it.core['supervisor']:.1f}",
                f"{it.core['runner']:.1f}",
                f"{it.core['supervisor']:.1f}",
                f"{it.core['database']:.1f}" if "database" in it.core else "",
                f"{it.requests_a_minute:.0f}",
                f"{it.rss_kb['runner'] / 1024:.0f}",
                beyond,
                f"{it.rss_kb['supervisor'] / 1024:.0f}",
                f"{it.files}",
                f"{_p99(it.lags_ms):.1f}",
                f"{it.lags_ms[-1]:.0f}",
                f"{_stood_still(it.lags_ms):.1f}",
            )
        sys.stdout.write(
            "\nuntil all run\n| kind | s | lag p99, ms | max | stood still, % | warnings of a blocked event loop |\n"
            f"{'|---' * 6}|\n"
        )
        for kind, it in found.items():
            lags = it.start_lags_ms
            lag = (f"{_p99(lags):.0f}", f"{lags[-1]:.0f}", f"{_stood_still(lags):.0f}")
            _row(kind, f"{it.started_s:.1f}", *lag, f"{it.blocked}")
        for it in found.values():
            if it.change:
                lags = it.change.lags_ms
                sys.stdout.write(
                    f"\nall executions of the shared waits begin at once: {it.change.lines} waits have logged it after "
                    f"{it.change.took_s:.0f} s, in {_stood_still(lags):.1f} % of which the event loop stood still, "
                    f"{lags[-1]:.0f} ms at most\n"
                )
        for kind, it in found.items():
            if it.profile:
                sys.stdout.write(f"What dominates the event loop, {kind}:\n{it.profile}\n")
        sys.stdout.flush()


def _row(*cells: str) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")


def _p99(values: list[float]) -> float:
    return values[int(0.99 * len(values))]


def _stood_still(lags_ms: list[float]) -> float:
    """Return which part of the time was spent in long lags, in %. There are few of these, however much they take."""
    stood_ms = sum(lag for lag in lags_ms if lag >= _STANDS_MS)
    return 100 * stood_ms / sum(lag + 1000 * LAG_SAMPLE_S for lag in lags_ms)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _call(command: list[str], environ: Mapping[str, str], folder: Path, given: object = None) -> None:
    done = subprocess.run(  # noqa: S603 - our own commands
        command,
        env=environ,
        cwd=folder,
        input=json.dumps(given),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]} ended with code {done.returncode}:\n{done.stdout[-3000:]}")


def _told(probe: Path) -> list[dict[str, Any]]:
    """Return what the probe has written; its last line may not be there as a whole."""
    lines = probe.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
    return [json.loads(line) for line in lines]


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]


# -- processes ------------------------------------------------------------------------------------------------------


def _stat(pid: int) -> list[str]:
    """Return what follows the name, which may have spaces: state, parent..."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _cpu_s(pid: int, *, children: bool = False) -> float:
    return sum(map(int, _stat(pid)[11 : 15 if children else 13])) / _CLOCK_TICKS


def _rss_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS")


def _database_cpu_s(postgres: Postgres) -> float:
    """Return that of the server, of its processes, and of those that have ended."""
    ((server,),) = postgres.run("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    server = _parent(server)
    cpu_s = _cpu_s(server, children=True)
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and _parent(int(entry.name)) == server:
                cpu_s += _cpu_s(int(entry.name))
    return cpu_s


def _dominates(profile: Path) -> str:
    import io

    from benchmarks.waiting import _table

    out = io.StringIO()
    pstats.Stats(str(profile), stream=out).sort_stats("tottime").print_stats(25)
    lines = [line for line in _table(out.getvalue().splitlines()) if "select.epoll" not in line]
    return "\n".join(line.replace(f"{REPOSITORY}{os.sep}", "") for line in lines[:24])


# -- the rows that a scheduler and its workers would have written ---------------------------------------------------


def _fill(_: object) -> None:
    from airflow.models.connection import Connection
    from airflow.models.dagrun import DagRun
    from airflow.models.trigger import Trigger
    from airflow.utils.session import create_session
    from sqlalchemy import delete, update

    job = json.load(sys.stdin)
    with create_session() as session:
        # Of the kind before.
        session.execute(delete(DagRun))
        session.execute(delete(Trigger))
        session.execute(delete(Connection))
        mics = job["connection"]
        session.add(
            Connection(
                conn_id="mics_default",
                conn_type="mics",
                host=mics["host"],
                password=mics["password"],
                extra=json.dumps(mics["extra"]),
            )
        )
        headers = {"Authorization": mics["password"]}
        session.add(Connection(conn_id=HTTP_CONN_ID, conn_type="http", host=mics["host"], extra=json.dumps(headers)))
    with create_session() as session:
        _fill_waits(job, session)
    with create_session() as session:
        # A triggerer that was killed may still be taken for alive.
        from airflow.jobs.job import Job

        session.execute(update(Job).where(Job.end_date.is_(None)).values(end_date=dt.datetime.now(tz=dt.UTC)))


def _fill_waits(job: Mapping[str, Any], session: Any) -> None:
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.collection import update_dag_parsing_results_in_db
    from airflow.models.dag_version import DagVersion
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.trigger import Trigger
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG
    from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG
    from airflow.utils.state import DagRunState, TaskInstanceState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    with DAG(DAG_ID, schedule=None) as dag:
        EmptyOperator(task_id="probe", priority_weight=1000)
        EmptyOperator(task_id="wait")
    dag.fileloc = str(Path(__file__))
    dag.relative_fileloc = Path(__file__).name
    DagBundlesManager().sync_bundles_to_db(session=session)
    session.flush()
    bundle = next(iter(DagBundlesManager().get_all_dag_bundles())).name
    update_dag_parsing_results_in_db(bundle, None, [LazyDeserializedDAG.from_dag(dag)], {}, None, set(), session)
    session.flush()
    version = DagVersion.get_latest_version(DAG_ID, session=session)
    known = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    now = dt.datetime.now(tz=dt.UTC)
    run = known.create_dagrun(
        run_id="night",
        run_after=now,
        logical_date=now,
        data_interval=(now, now),
        run_type=DagRunType.MANUAL,
        triggered_by=DagRunTriggeredByType.TEST,
        state=DagRunState.RUNNING,
        start_date=now,
        session=session,
    )
    first, wait = (known.get_task(name) for name in ("probe", "wait"))
    for made in run.task_instances:
        session.delete(made)
    session.flush()

    def defer(task: Any, trigger: Any, map_index: int) -> None:
        classpath, kwargs = trigger.serialize()
        row = Trigger(classpath=classpath, kwargs=kwargs)
        instance = TaskInstance(
            task, dag_version_id=version.id, run_id=run.run_id, state=TaskInstanceState.DEFERRED, map_index=map_index
        )
        instance.start_date, instance.try_number = now, 1
        instance.next_method, instance.next_kwargs = "execute_complete", {}
        instance.trigger = row
        session.add_all([row, instance])

    from benchmarks.triggers import Probe

    defer(first, Probe(path=job["probe"], profile_path=job["profile"]), -1)
    pairs = [(document_import_id, item) for document_import_id, items in job["ids"].items() for item in items]
    for number, pair in enumerate(pairs):
        defer(wait, _trigger(job, *pair), number)


def _trigger(job: Mapping[str, Any], document_import_id: str, execution_id: str) -> Any:
    kind, interval_s = job["kind"], float(job["interval_s"])
    datamart_id = job["connection"]["extra"]["datamart_id"]
    if kind == "asleep":
        from airflow.providers.standard.triggers.temporal import DateTimeTrigger

        return DateTimeTrigger(moment=dt.datetime.now(tz=dt.UTC) + dt.timedelta(seconds=FOREVER_S))
    if kind == "shared":
        from airflow_provider_mics.triggers.execution import MicsExecutionTrigger

        return MicsExecutionTrigger(
            mics_conn_id="mics_default",
            datamart_id=datamart_id,
            document_import_id=document_import_id,
            execution_ids=[execution_id],
            poke_interval=interval_s,
            deadline=time.time() + FOREVER_S,
        )
    if kind == "GET each":
        from benchmarks.triggers import GetEach

        return GetEach(
            datamart_id=datamart_id,
            document_import_id=document_import_id,
            execution_id=execution_id,
            poke_interval=interval_s,
        )
    from airflow.providers.http.triggers.http import HttpSensorTrigger

    return HttpSensorTrigger(
        # One that is not there.
        endpoint=f"v1/datamarts/{datamart_id}/document_imports/{document_import_id}/executions/9{execution_id}",
        http_conn_id=HTTP_CONN_ID,
        poke_interval=interval_s,
    )


if __name__ == "__main__":
    main()
