"""An Airflow of several machines, as far as one machine can play them: Celery workers and more than one triggerer."""

from __future__ import annotations

import os
import secrets
import socket
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from devel.cluster import (
    API_SERVER,
    CELERY_WORKER,
    DAG_PROCESSOR,
    NAME_VARIABLE,
    SCHEDULER,
    TRIGGERER,
    LocalAirflow,
)
from devel.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from devel.postgres import Postgres
    from devel.redis import Redis

WORKERS: Final = ("worker-1", "worker-2")
TRIGGERERS: Final = ("triggerer-1", "triggerer-2")
#: Tasks that a worker runs at once.
SLOTS: Final = 2

_REPOSITORY_MODULE: Final = "devel.many_workers.airflow"


def start_airflow(home: Path, dags: Path, *, postgres: Postgres, redis: Redis, env: Mapping[str, str]) -> LocalAirflow:
    """Return an Airflow with two workers and two triggerers, to be entered."""
    dsn = postgres.dsn()
    database = (
        f"postgresql+psycopg2://{dsn['user']}:{quote(dsn['password'])}@{dsn['host']}:{dsn['port']}/{dsn['dbname']}"
    )
    components = {
        API_SERVER: API_SERVER,
        SCHEDULER: SCHEDULER,
        DAG_PROCESSOR: DAG_PROCESSOR,
        **dict.fromkeys(WORKERS, CELERY_WORKER),
        **dict.fromkeys(TRIGGERERS, TRIGGERER),
    }
    settings = celery_settings(database, redis.url)
    return LocalAirflow(
        home, dags=[dags], env={**settings, **env}, parallelism=2 * len(WORKERS) * SLOTS, components=components
    )


def celery_settings(database: str, broker: str) -> dict[str, str]:
    """Return what differs from the settings of a small Airflow, as environment."""
    sections = {
        "core": {
            "executor": "CeleryExecutor",
            # All of them are on this machine, under one name; Airflow files what runs where under this one.
            "hostname_callable": f"{_REPOSITORY_MODULE}.component_name",
            "fernet_key": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        },
        "database": {"sql_alchemy_conn": database},
        "celery": {
            "broker_url": broker,
            "result_backend": f"db+{database}",
            "worker_concurrency": str(SLOTS),
            # Processes of the scheduler that talk to Redis; by default one for each core but one.
            "sync_parallelism": "1",
        },
        "celery_broker_transport_options": {
            # A message that its worker did not confirm goes to another one after so long, by default after a day: one
            # that a worker has taken from Redis, and died before Airflow heard of it, would wait for that. It has to be
            # longer than any task, in s.
            "visibility_timeout": "120",
        },
        "scheduler": {
            # A task of which nothing is heard is dead after so long; by default after 300 s. Its process tells of
            # itself each third of that, at the latest, and a machine this busy may be late.
            "task_instance_heartbeat_timeout": "30",
            "task_instance_heartbeat_timeout_detection_interval": "5",
            # One that no worker begins is queued anew; by default after 600 s.
            "task_queued_timeout": "150",
        },
        "workers": {
            # The process that watches over a task may notice so late that it has ended, and the slot is taken until
            # then: 5 s by default, which is longer than a task takes that looks once and defers. In s.
            "min_heartbeat_interval": "1",
        },
        "triggerer": {
            # A triggerer that is silent for so long has its triggers taken over, by default after 30 s.
            "triggerer_health_check_threshold": "15",
            "job_heartbeat_sec": "2",
        },
    }
    return {
        f"AIRFLOW__{section}__{option}".upper(): value
        for section, options in sections.items()
        for option, value in options.items()
    }


def wait_for_workers(airflow: LocalAirflow, *, timeout_s: float = 120) -> None:
    """Return when all workers take tasks."""

    def ready() -> bool:
        airflow.check()
        # What Celery prints when it is connected and its processes are up.
        return all("ready." in airflow.log_path(name).read_text(errors="replace") for name in WORKERS)

    wait_until(ready, what="workers ready", timeout_s=timeout_s, last_seen=lambda: airflow.log_tail(WORKERS[0]))


def component_name() -> str:
    """Return the name of the component that this process belongs to; Airflow calls it."""
    return os.environ.get(NAME_VARIABLE) or socket.gethostname()
