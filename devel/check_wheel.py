"""Tries the built wheel where it is installed beside ``apache-airflow`` and nothing else.

Run by the Python of that environment: ``python devel/check_wheel.py DAGS_FOLDER``. It imports nothing from this
repository: what it checks is the wheel. Exit code 0: everything passed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

DISTRIBUTION: Final = "airflow-provider-mics"
#: For each ``airflow providers`` command, what its answer must show.
SHOWN: Final = {
    "get": [DISTRIBUTION],
    "hooks": ["mics", "airflow_provider_mics.hooks.mics.MicsHook"],
    "links": ["airflow_provider_mics.links.document_import.MicsDocumentImportLink"],
    "triggers": ["airflow_provider_mics.triggers.execution"],
    "widgets": ["mics", "datamart_id"],
}
EXAMPLES: Final = frozenset({"nightly_crm", "import_file"})
#: What the bare import may not cost.
HEAVY: Final = ("airflow", "requests", "aiohttp", "urllib3", "httpx", "pendulum", "msgspec", "tenacity")

_PARSE: Final = """
import json, sys
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # Airflow before 3.2
    from airflow.models.dagbag import DagBag
bag = DagBag(sys.argv[1])
print(json.dumps({"dags": sorted(bag.dag_ids), "errors": bag.import_errors}))
"""
_IMPORT: Final = """
import json, sys
before = set(sys.modules)
import airflow_provider_mics
print(json.dumps({"file": airflow_provider_mics.__file__, "modules": sorted(set(sys.modules) - before)}))
"""


class Checks:
    """Runs one check after the other and remembers whether one failed."""

    def __init__(self, home: Path) -> None:
        self.failed = 0
        self._environ = {
            name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))
        }
        # A connection file or database is needed by none of this; a wide terminal keeps names on one line.
        self._environ |= {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "COLUMNS": "400",
        }
        self._home = home

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run this environment's Python in an empty folder; returns exit code, output, and errors."""
        done = subprocess.run(
            [sys.executable, "-W", "error::SyntaxWarning", *arguments],
            env=self._environ,
            cwd=self._home,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def report(self, name: str, problem: str | None, started: float) -> None:
        """Print how one check ended."""
        self.failed += problem is not None
        seconds = f"{time.monotonic() - started:5.1f} s"
        print(f"{'pass' if problem is None else 'FAIL'}  {seconds}  {name}{'' if problem is None else ': ' + problem}")

    def bare_import(self) -> None:
        """Check what importing the package brings with it, and that it is the wheel's."""
        started = time.monotonic()
        code, out, err = self.run("-c", _IMPORT)
        if code != 0:
            self.report("import", err.strip()[-2000:], started)
            return
        seen = json.loads(out.splitlines()[-1])
        heavy = [name for name in seen["modules"] if name.partition(".")[0] in HEAVY]
        inside = Path(seen["file"]).is_relative_to(sys.prefix)
        problem = f"imports {', '.join(heavy[:8])}" if heavy else None
        self.report("import airflow_provider_mics imports nothing heavy", problem, started)
        self.report("the package is the wheel's", None if inside else f"it is {seen['file']}", started)

    def providers(self, command: str, wanted: list[str]) -> None:
        """Check what one ``airflow providers`` command says about us."""
        started = time.monotonic()
        name = [DISTRIBUTION] if command == "get" else []
        code, out, err = self.run("-m", "airflow", "providers", command, *name, "--output", "plain")
        missing = [word for word in wanted if word not in out]
        problem = (
            err.strip()[-2000:] if code != 0 else f"no {', '.join(missing)} in:\n{out[-2000:]}" if missing else None
        )
        self.report(f"airflow providers {' '.join([command, *name])}", problem, started)

    def examples(self, folder: Path) -> None:
        """Check that the example DAGs can be read."""
        started = time.monotonic()
        code, out, err = self.run("-c", _PARSE, str(folder))
        problem: str | None
        if code != 0:
            problem = err.strip()[-2000:]
        else:
            bag = json.loads(out.splitlines()[-1])
            missing = EXAMPLES - set(bag["dags"])
            problem = "\n".join(f"{file}:\n{trace}" for file, trace in bag["errors"].items()) or (
                f"no {', '.join(sorted(missing))} among {bag['dags']}" if missing else None
            )
        self.report(f"the DAGs of {folder.name} can be read", problem, started)


def main() -> None:
    """Run all checks."""
    folder = Path(sys.argv[1]).resolve(strict=True)
    with tempfile.TemporaryDirectory(prefix="wheel-") as home:
        checks = Checks(Path(home))
        checks.bare_import()
        for command, wanted in SHOWN.items():
            checks.providers(command, wanted)
        checks.examples(folder)
    print(f"{checks.failed} checks failed" if checks.failed else "all checks passed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
