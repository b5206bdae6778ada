"""The settings that make a small Airflow on one machine start quickly, run quickly, and keep to itself."""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOOPBACK = "127.0.0.1"


def airflow_environment(
    home: Path,
    dags: Sequence[Path],
    *,
    ports: Mapping[str, int],
    parallelism: int,
) -> dict[str, str]:
    """Return the whole environment for every component of one Airflow.

    What the caller's own environment says about Airflow is left out; ``ports`` are those of "api", "worker_log" and
    "trigger_log".
    """
    base_url = f"http://{LOOPBACK}:{ports['api']}"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))}
    return inherited | {
        "AIRFLOW_HOME": str(home),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        # Workers call the API server by HTTP; a company proxy has no business there.
        **{name: _without_proxy(inherited.get(name)) for name in ("NO_PROXY", "no_proxy")},
        **_sections(
            {
                "core": {
                    "load_examples": "False",
                    "dags_folder": str(dags[0]),
                    "executor": "LocalExecutor",
                    "parallelism": str(parallelism),
                    "dags_are_paused_at_creation": "False",
                    "min_serialized_dag_update_interval": "1",
                    "simple_auth_manager_all_admins": "True",
                    "execution_api_server_url": f"{base_url}/execution/",
                    "test_connection": "Enabled",
                },
                "api": {
                    "host": LOOPBACK,
                    "port": str(ports["api"]),
                    "base_url": base_url,
                    "workers": "1",
                    "secret_key": secrets.token_hex(32),
                    "log_fetch_timeout_sec": "2",
                    # Messages of tasks that failed are read whole, not up to the window's edge.
                    "default_wrap": "True",
                },
                "api_auth": {"jwt_secret": secrets.token_hex(32)},
                "database": {"sql_alchemy_conn": f"sqlite:///{home / 'airflow.db'}"},
                "scheduler": {
                    # Runs start when they are asked for: a nightly DAG must not also run on its own.
                    "use_job_schedule": "False",
                    "scheduler_idle_sleep_time": "0.25",
                    "enable_health_check": "False",
                },
                "workers": {
                    # 5 s by default, which a busy machine exceeds.
                    "execution_api_timeout": "30",
                },
                "dag_processor": {
                    "dag_bundle_config_list": json.dumps(_bundles(dags)),
                    "bundle_refresh_check_interval": "1",
                    # New and changed files are seen at each refresh; unchanged ones are read again only so often.
                    "refresh_interval": "2",
                    "min_file_process_interval": "60",
                    "print_stats_interval": "0",
                },
                "logging": {
                    "base_log_folder": str(home / "logs"),
                    "colored_console_log": "False",
                    "worker_log_server_port": str(ports["worker_log"]),
                    "trigger_log_server_port": str(ports["trigger_log"]),
                },
                "usage_data_collection": {"enabled": "False"},
            }
        ),
    }


def _sections(settings: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {
        f"AIRFLOW__{section}__{option}".upper(): value
        for section, options in settings.items()
        for option, value in options.items()
    }


def _bundles(dags: Sequence[Path]) -> list[dict[str, object]]:
    names = ["dags-folder", *(f"dags-folder-{number}" for number in range(2, len(dags) + 1))]
    return [
        {
            "name": name,
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(folder), "refresh_interval": 2},
        }
        for name, folder in zip(names, dags, strict=True)
    ]


def _without_proxy(hosts: str | None) -> str:
    return ",".join([*filter(None, [hosts]), LOOPBACK, "localhost"])
