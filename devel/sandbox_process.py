"""The mediarithmics stand-in as a process of its own, as a user starts it."""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

import requests

from devel.server_process import ServerProcess

_REPOSITORY: Final = Path(__file__).resolve().parents[1]


class SandboxProcess:
    """A sandbox on a free port of loopback; ends with the ``with`` block, and with this process however that ends.

    :param log: file its output is appended to.
    :param pending_s: seconds that an execution is PENDING.
    :param running_s: seconds that it is RUNNING after that.
    """

    def __init__(self, log: Path, *, pending_s: float = 1.0, running_s: float = 2.0) -> None:
        self._log = log
        self._waiting = ["--pending", str(pending_s), "--running", str(running_s)]
        self._cleanup = ExitStack()
        self._ready: dict[str, Any] = {}
        self._session = requests.Session()
        self._session.trust_env = False

    def __enter__(self) -> Self:
        with ExitStack() as cleanup:
            cleanup.callback(self._session.close)
            folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-")))
            ready_file = folder / "ready.json"
            command = [sys.executable, "-m", "airflow_provider_mics.sandbox", "--port", "0", *self._waiting]
            command += ["--ready-file", str(ready_file), "--folder", str(folder)]
            cleanup.enter_context(
                ServerProcess(command, log=self._log, is_ready=ready_file.exists, options={"cwd": _REPOSITORY})
            )
            self._ready = json.loads(ready_file.read_text())
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._cleanup.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return str(self._ready["url"])

    @property
    def connection(self) -> dict[str, Any]:
        """The Airflow connection that reaches it, as ``AIRFLOW_CONN_...`` takes it in JSON."""
        return {
            "conn_type": "mics",
            "host": self.url,
            "password": self._ready["token"],
            "extra": {
                "datamart_id": str(self._ready["datamart_id"]),
                "organisation_id": str(self._ready["organisation_id"]),
            },
        }

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Make a call of its control API, such as ``("GET", "state")``."""
        reply = self._session.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=60)
        reply.raise_for_status()
        return reply.json()

    def download(self, execution_id: str) -> bytes:
        """Return the bytes that an execution was created with."""
        reply = self._session.get(f"{self.url}/_sandbox/executions/{execution_id}/received", timeout=60)
        reply.raise_for_status()
        return reply.content
