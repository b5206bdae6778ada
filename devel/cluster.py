"""A whole Airflow on this machine, for tests and for the demo: API server, scheduler, DAG processor, triggerer.

``airflow standalone`` is not used: a signal to it leaves its four children running, and it cannot kill, freeze or
restart one of them, which is what the tests are about.
"""

from __future__ import annotations

import atexit
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from devel.airflow_api import AirflowApi
from devel.airflow_rest import ApiError
from devel.airflow_settings import LOOPBACK, airflow_environment
from devel.sessions import end_sessions, kill_session, session_members, signal_session
from devel.waiting import wait_until
from devel.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

API_SERVER: Final = "api-server"
SCHEDULER: Final = "scheduler"
DAG_PROCESSOR: Final = "dag-processor"
TRIGGERER: Final = "triggerer"
CELERY_WORKER: Final = "celery worker"
COMPONENTS: Final = (API_SERVER, SCHEDULER, DAG_PROCESSOR, TRIGGERER)

#: Environment variable that tells a component its name.
NAME_VARIABLE: Final = "LOCAL_AIRFLOW_COMPONENT"
# Logs are read from the shared home. The log servers would listen on all interfaces, and take 90 MB each.
_ARGUMENTS: Final = {
    SCHEDULER: ["--skip-serve-logs"],
    TRIGGERER: ["--skip-serve-logs"],
    CELERY_WORKER: ["--skip-serve-logs", "--without-gossip", "--without-mingle"],
}
# What a component's heartbeats are filed under in Airflow's table of jobs.
_JOB_TYPES: Final = {SCHEDULER: "SchedulerJob", DAG_PROCESSOR: "DagProcessorJob", TRIGGERER: "TriggererJob"}


class ComponentDiedError(RuntimeError):
    """A component of the Airflow under test ended although nobody had asked it to."""


@dataclass
class _Component:
    kind: str
    process: subprocess.Popen[bytes]
    log: Path
    started_at: datetime


class LocalAirflow:
    """Airflow in a folder of its own, on loopback, with SQLite and everybody an admin; ends with the ``with`` block.

    :param home: AIRFLOW_HOME; kept afterwards, with one log file per component (None: a temporary one, removed).
    :param dags: folders with DAG files (none: ``home/dags``).
    :param env: more environment for all components: ``AIRFLOW_CONN_*``, ``AIRFLOW_VAR_*``, or any setting as
        ``AIRFLOW__SECTION__OPTION``, which wins over the settings made here.
    :param parallelism: tasks that may run at once; with the LocalExecutor each is a process that waits beforehand.
    :param components: kinds of the components to start, by name (none: one of each that a small Airflow needs).
    :param start_timeout_s: how long all components together may take until they are healthy, in seconds.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        dags: Sequence[Path] = (),
        env: Mapping[str, str] | None = None,
        parallelism: int = 4,
        components: Mapping[str, str] | None = None,
        start_timeout_s: float = 180,
    ) -> None:
        self._cleanup = ExitStack()
        if home is None:
            home = Path(self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="airflow-")))
        self.home = home.resolve()
        self.dags = [folder.resolve() for folder in dags] or [self.home / "dags"]
        ports = dict(zip(("api", "worker_log", "trigger_log"), _free_ports(3), strict=True))
        self.url = f"http://{LOOPBACK}:{ports['api']}"
        self.env = airflow_environment(self.home, self.dags, ports=ports, parallelism=parallelism) | dict(env or {})
        self.api = AirflowApi(self.url, check=self.check)
        self._to_start = dict(components or {kind: kind for kind in COMPONENTS})
        self._start_timeout_s = start_timeout_s
        self._components: dict[str, _Component] = {}
        self._watchdog: Watchdog | None = None

    # -- the whole ----------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def start(self) -> None:
        """Create the database, start all components, and return when all of them are healthy."""
        for folder in (self.home, *self.dags):
            folder.mkdir(parents=True, exist_ok=True)
        atexit.register(self.stop)
        self._watchdog = Watchdog()
        try:
            self.cli("db", "migrate")
            for name, kind in self._to_start.items():
                self.start_component(kind, name=name)
            self.wait_healthy()
        except BaseException:
            self.stop()
            raise

    def stop(self, *, grace_s: float = 10) -> None:
        """End all components: asked first, killed after ``grace_s`` seconds. May be called twice."""
        atexit.unregister(self.stop)
        components, self._components = self._components, {}
        end_sessions([component.process.pid for component in components.values()], grace_s=grace_s)
        for component in components.values():
            component.process.wait(timeout=10)
        if self._watchdog is not None:
            for component in components.values():
                self._watchdog.forget(component.process.pid)
            self._watchdog.close()
            self._watchdog = None
        self.api.close()
        self._cleanup.close()

    def wait_healthy(self, *, timeout_s: float | None = None) -> None:
        """Return when every component that runs has reported itself since it was started."""
        wait_until(
            self._healthy,
            what="Airflow healthy",
            timeout_s=timeout_s or self._start_timeout_s,
            last_seen=lambda: {name: self.log_tail(name, lines=5) for name in self._components},
        )

    def check(self) -> None:
        """Raise if a component has died by itself, with the end of its log."""
        for name, component in self._components.items():
            code = component.process.poll()
            if code is not None:
                raise ComponentDiedError(
                    f"{name} ended with code {code}; the end of {component.log}:\n{self.log_tail(name)}"
                )

    # -- one component ------------------------------------------------------------------------------------------

    @property
    def components(self) -> list[str]:
        """Names of the components that run, or should."""
        return list(self._components)

    def start_component(self, kind: str, *, name: str | None = None) -> None:
        """Start one component, without waiting for it; its output is appended to ``home/<name>.log``."""
        name = name or kind
        if name in self._components:
            raise ValueError(f"{name} runs already")
        if self._watchdog is None:
            raise RuntimeError("Airflow is not started")
        path = self.home / f"{name}.log"
        started_at = datetime.now(UTC)
        with path.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "airflow", *kind.split(), *self._arguments(kind, name)],
                env=self.env | {NAME_VARIABLE: name},
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._watchdog.watch(process.pid)
        self._components[name] = _Component(kind, process, path, started_at)

    def add_triggerer(self, name: str = "triggerer-2") -> str:
        """Start one more triggerer and return its name when it is healthy."""
        self.start_component(TRIGGERER, name=name)
        self.wait_healthy()
        return name

    def kill(self, name: str) -> None:
        """Kill a component with everything it has started, tasks included, as kill -9 does."""
        component = self._components.pop(name)
        kill_session(component.process.pid)
        self._collect(component)

    def stop_component(self, name: str, *, grace_s: float = 20) -> None:
        """End one component in order (SIGTERM), killing it after ``grace_s`` seconds."""
        component = self._components.pop(name)
        end_sessions([component.process.pid], grace_s=grace_s)
        self._collect(component)

    def restart(self, name: str) -> None:
        """End one component in order, start it again, and wait until it is healthy."""
        kind = self._components[name].kind
        self.stop_component(name)
        self.start_component(kind, name=name)
        self.wait_healthy()

    def freeze(self, name: str) -> None:
        """Stop a component and its children in the middle of whatever they do (SIGSTOP), as a hung machine does."""
        signal_session(self._components[name].process.pid, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let a frozen component go on (SIGCONT)."""
        signal_session(self._components[name].process.pid, signal.SIGCONT)

    def pids(self, name: str) -> list[int]:
        """Return the ids of a component's process and of all it has started; the component's own comes first."""
        leader = self._components[name].process.pid
        return sorted(session_members(leader), key=lambda pid: (pid != leader, pid))

    def log_path(self, name: str) -> Path:
        """Return the file that holds what a component printed since the home was made."""
        return self.home / f"{name}.log"

    def log_tail(self, name: str, *, lines: int = 40) -> str:
        """Return the last lines of a component's log."""
        path = self.log_path(name)
        if not path.exists():
            return ""
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - lines * 1000))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def cli(self, *arguments: str, timeout_s: float = 120) -> str:
        """Run ``airflow ...`` in this home and return what it printed; each call costs seconds, the API does not."""
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=self.env,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if done.returncode != 0:
            said = (done.stdout + done.stderr)[-4000:]
            raise RuntimeError(f"airflow {' '.join(arguments)} ended with code {done.returncode}:\n{said}")
        return done.stdout

    # -- inside -------------------------------------------------------------------------------------------------

    def _arguments(self, kind: str, name: str) -> list[str]:
        arguments = list(_ARGUMENTS.get(kind, []))
        if kind == CELERY_WORKER:
            # Two of them must differ in both.
            arguments += ["--celery-hostname", f"{name}@{LOOPBACK}", "--pid", str(self.home / f"{name}.pid")]
        return arguments

    def _collect(self, component: _Component) -> None:
        component.process.wait(timeout=10)
        if self._watchdog is not None:
            self._watchdog.forget(component.process.pid)

    def _healthy(self) -> bool:
        self.check()
        try:
            health = self.api.health()
            jobs = self.api.jobs()
        except (OSError, ApiError):
            return False
        running = [component for component in self._components.values() if component.kind in _JOB_TYPES]
        for component in running:
            report = health.get(component.kind.replace("-", "_")) or {}
            if report.get("status") != "healthy":
                return False
        # "healthy" may still be the last word of a killed predecessor: each component must have a job of its own.
        starts: dict[str, list[datetime]] = {}
        for job in jobs:
            starts.setdefault(job["job_type"], []).append(datetime.fromisoformat(job["start_date"]))
        for kind, job_type in _JOB_TYPES.items():
            ours = sorted(component.started_at for component in running if component.kind == kind)
            theirs = sorted(starts.get(job_type, []))[-len(ours) :] if ours else []
            if len(theirs) < len(ours) or any(mine > job for mine, job in zip(ours, theirs, strict=True)):
                return False
        return True


def _free_ports(count: int) -> list[int]:
    """Return free ports, all held until the last one is found so that they differ."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for bound in sockets:
            bound.bind((LOOPBACK, 0))
        return [int(bound.getsockname()[1]) for bound in sockets]
