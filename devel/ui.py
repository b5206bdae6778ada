"""``make ui``: the demo's Airflow and sandbox stay up, to look around in a browser; Ctrl-C ends both."""

from __future__ import annotations

import argparse
import contextlib
import signal
import time
from pathlib import Path
from typing import Final

from devel.demo_expectations import DAG_ID
from devel.demo_report import Stopwatch
from devel.demo_stage import CONNECTION_ID, REPOSITORY, DemoStage

_LOOK_EVERY_S: Final = 1.0


def main() -> None:
    """Start, run the night once, and stay."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / ".demo", help="emptied first (default: .demo)")
    options = parser.parse_args()
    # A plain kill ends it as Ctrl-C does, also in the middle of starting.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        _stay(options.folder)


def _stay(folder: Path) -> None:
    watch = Stopwatch()
    with DemoStage(folder, say=watch.say, connection_in_ui=True) as stage:
        run_id = stage.airflow.api.trigger(DAG_ID)
        print(
            f"\nAirflow:     {stage.airflow.url}  (no login)"
            f"\nthis night:  {stage.airflow.url}/dags/{DAG_ID}/runs/{run_id}"
            f"\nconnection:  {stage.airflow.url}/connections  ({CONNECTION_ID}, has a Test button)"
            f"\nsandbox:     {stage.sandbox.url}/_sandbox/state"
            f"\nexport:      {stage.folder / 'crm'}"
            "\n\nCtrl-C ends all of it.",
            flush=True,
        )
        while True:
            stage.airflow.check()
            time.sleep(_LOOK_EVERY_S)


if __name__ == "__main__":
    main()
