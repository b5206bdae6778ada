"""What the demo plays on: an export, a sandbox that waits for it, and an Airflow that knows both."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

from devel.cluster import LocalAirflow
from devel.crm_export import COMPARTMENT_ID, CrmExport, write_export
from devel.demo_expectations import BAD_LINES, DAG_ID, EXPORT_VARIABLE, POOL, POOL_SLOTS
from devel.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY: Final = Path(__file__).resolve().parents[1]
EXAMPLES: Final = REPOSITORY / "dags_examples"
CONNECTION_ID: Final = "mics_default"


class DemoStage:
    """Everything the night needs, ready when the ``with`` block begins.

    :param folder: emptied first; keeps the export, Airflow's home and all logs afterwards.
    :param say: told what is going on, in a line.
    :param connection_in_ui: keep the connection in Airflow's database, where the UI shows it, instead of the
        environment.
    :param scale: size of the export, 1.0 being 20,000 profiles.
    :param waiting_s: seconds that the sandbox takes for an execution, so that there is something to wait for.
    """

    def __init__(
        self,
        folder: Path,
        *,
        say: Callable[[str], None],
        connection_in_ui: bool = False,
        scale: float = 1.0,
        waiting_s: float = 8.0,
    ) -> None:
        self.folder = folder.resolve()
        self._say = say
        self._connection_in_ui = connection_in_ui
        self._scale = scale
        self._waiting_s = waiting_s
        self._cleanup = ExitStack()

    export: CrmExport
    sandbox: SandboxProcess
    airflow: LocalAirflow

    def __enter__(self) -> Self:
        with ExitStack() as cleanup:
            if self.folder.exists():
                shutil.rmtree(self.folder)
            self.folder.mkdir(parents=True)
            self.export = write_export(self.folder / "crm", scale=self._scale, bad_lines=BAD_LINES)
            for file in self.export.files:
                bad = f", {len(file.bad_lines)} of them bad" if file.bad_lines else ""
                self._say(f"wrote {file.path.name}: {file.lines:,} lines{bad}, {file.bytes / 1e6:.1f} MB")
            self.sandbox = cleanup.enter_context(
                SandboxProcess(
                    self.folder / "sandbox.log", pending_s=self._waiting_s / 2, running_s=self._waiting_s / 2
                )
            )
            self.sandbox.control("POST", "settings", {"compartments": [COMPARTMENT_ID]})
            self._say(f"the sandbox answers on {self.sandbox.url}")
            self._say("starting Airflow: API server, scheduler, DAG processor, triggerer")
            self.airflow = cleanup.enter_context(
                LocalAirflow(self.folder / "airflow", dags=[EXAMPLES], env=self._environment())
            )
            self.airflow.api.put_pool(POOL, POOL_SLOTS, include_deferred=True, description="mediarithmics")
            if self._connection_in_ui:
                fields = self.sandbox.connection
                self.airflow.api.put_connection(
                    CONNECTION_ID,
                    fields["conn_type"],
                    host=fields["host"],
                    # Without one, Airflow 3.3's Test button answers only "Bad Request".
                    port=urlsplit(fields["host"]).port,
                    password=fields["password"],
                    extra=json.dumps(fields["extra"]),
                )
            self.airflow.api.wait_dag(DAG_ID)
            self._say(f"Airflow is healthy and has read DAG {DAG_ID}: {self.airflow.url}")
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._say("stopping Airflow and the sandbox")
        self._cleanup.close()

    def _environment(self) -> dict[str, str]:
        environment = {f"AIRFLOW_VAR_{EXPORT_VARIABLE.upper()}": str(self.folder / "crm")}
        if not self._connection_in_ui:
            environment[f"AIRFLOW_CONN_{CONNECTION_ID.upper()}"] = json.dumps(self.sandbox.connection)
        return environment
