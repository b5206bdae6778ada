"""``make demo``: a night's CRM export goes through a real Airflow into the sandbox, and what came of it is printed.

Seven of the 20,000 profiles are bad, on purpose: the profiles' branch has to turn red and say why, the others green.
Exit code 0: all was as it should be, see ``demo_expectations``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from devel.demo_expectations import BAD_LINES, DAG_ID, RED_TASK, problems
from devel.demo_report import Progress, Stopwatch, import_outcomes, import_table, task_table
from devel.demo_stage import REPOSITORY, DemoStage


def main() -> None:
    """Play the night; exit code 130 if it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=REPOSITORY / ".demo", help="emptied first (default: .demo)")
    parser.add_argument("--timeout", type=float, default=300, metavar="SECONDS", help="for the run (default: 300)")
    options = parser.parse_args()
    try:
        wrong = _play(options.folder, options.timeout)
    except KeyboardInterrupt:
        sys.exit(130)
    if wrong:
        print("\nNot as it should be:", *wrong, f"Logs: {options.folder}", sep="\n  ")
        sys.exit(1)
    print(
        f"\nAs it should be: every byte arrived, and {RED_TASK} is red because {BAD_LINES} profiles were rejected."
        f"\nLogs and the export: {options.folder}"
    )


def _play(folder: Path, timeout_s: float) -> list[str]:
    """Run the night, print what came of it, and return what is not as it should be."""
    watch = Stopwatch()
    with DemoStage(folder, say=watch.say) as stage:
        api = stage.airflow.api
        run_id = api.trigger(DAG_ID)
        watch.say(f"run {run_id} of {DAG_ID} started")
        progress = Progress(api, DAG_ID, run_id, watch.say)
        run_state = api.wait_run(DAG_ID, run_id, timeout_s=timeout_s, on_poll=progress.look)
        watch.say(f"run {run_id} ended: {run_state}")
        tasks = progress.outcomes()
        imports = import_outcomes(stage.sandbox.control("GET", "state"))
        red_log = api.log(DAG_ID, run_id, RED_TASK)
        print(f"\n{task_table(tasks)}\n\n{import_table(imports)}\n", flush=True)
        return problems(stage.export, run_state, tasks, imports, red_log)


if __name__ == "__main__":
    main()
