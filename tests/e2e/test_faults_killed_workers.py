"""kill -9 of a worker's process at every point of a load, in a real Airflow: the retry sends what is missing."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from devel.crm_export import UNKNOWN_COMPARTMENT_ID
from devel.waiting import wait_until
from tests.e2e.fault_runs import LINES, Run, Stage, everybody_once, people_in
from tests.faults.invariants import telling

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from devel.cluster import LocalAirflow
    from devel.sandbox_process import SandboxProcess

UPLOAD: Final = {"action": "hold", "kind": "create_execution"}
#: Looks at executions: before the first part there is one, at the list; then those of the wait.
LOOK: Final = {"action": "hold", "method": "GET", "when": "before_body"}
BAD: Final = (0, LINES - 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Point:
    """Where a task is killed.

    :param fault: Keeps it there.
    :param executions: How many it has made until then; None: all.
    :param lost: Uploads that it has begun, and that came to nothing.
    :param says: What the retry says of it.
    :param held: Requests that it stands at.
    :param is_machine: Whether its supervisor is killed with it.
    """

    fault: Mapping[str, Any]
    executions: int | None
    lost: int = 0
    says: str
    held: int = 1
    is_machine: bool = False
    dag_id: str = "faults_load"
    activities: Mapping[str, Any] = dataclasses.field(default_factory=dict)


POINTS: Final = {
    # First, as it takes Airflow a while to see it.
    "not-answered-and-the-machine-lost": Point(
        fault={**UPLOAD, "when": "after_commit", "after": 1},
        executions=2,
        says="it was found there",
        is_machine=True,
    ),
    "before-anything": Point(
        fault={"action": "hold", "query": "keywords=before-anything", "when": "before_body"},
        executions=0,
        says="Sent",
    ),
    "before-the-first-intent": Point(fault=LOOK, executions=0, says="Sent"),
    "behind-an-intent": Point(
        fault={**UPLOAD, "when": "before_body", "after": 1}, executions=1, lost=1, says="is not in: it is sent"
    ),
    "in-the-body": Point(
        fault={**UPLOAD, "when": "mid_body", "after_percent": 50, "after": 1},
        executions=1,
        lost=1,
        says="is not in: it is sent",
    ),
    "behind-the-last-byte": Point(
        fault={**UPLOAD, "when": "after_body", "after": 1}, executions=1, lost=1, says="is not in: it is sent"
    ),
    "carried-out-when-it-was-dead": Point(
        fault={**UPLOAD, "when": "after_body", "if_gone": "go_on", "after": 1}, executions=1, says="it was found there"
    ),
    "not-answered": Point(
        fault={**UPLOAD, "when": "after_commit", "after": 1}, executions=2, says="it was found there"
    ),
    "three-not-answered": Point(
        fault={**UPLOAD, "when": "after_commit", "times": 3},
        executions=3,
        says="it was found there",
        held=3,
        dag_id="faults_many_at_once",
    ),
    "between-parts": Point(fault={**LOOK, "after": 1}, executions=1, says="is in already", dag_id="faults_canary"),
    "waiting": Point(fault={**LOOK, "after": 1}, executions=None, says="All is in already"),
    "judging-what-was-deferred": Point(
        fault={"action": "hold", "kind": "get_document_import", "when": "before_body"},
        executions=None,
        says="All is in already",
        dag_id="faults_deferred",
    ),
    "writing-the-report": Point(
        fault={"action": "hold", "kind": "get_data_file", "query": "_errors", "when": "after_commit"},
        executions=None,
        says="The report is",
        dag_id="faults_report",
        activities={"unknown": True},
    ),
    "writing-dead-letters": Point(
        fault={**UPLOAD, "when": "before_body", "after": 1},
        executions=1,
        lost=1,
        says="is not in: it is sent",
        dag_id="faults_rows",
        activities={"bad": BAD},
    ),
    # Last: its fault would strike those that are made for the others.
    "the-import-not-answered": Point(
        fault={"action": "hold", "kind": "create_document_import", "when": "after_commit"},
        executions=0,
        says="was made: it was found",
    ),
}


@dataclasses.dataclass(kw_only=True)
class Killed:
    """A run whose task was killed.

    :param pid: Of the process.
    :param executions: How many there were then.
    """

    run: Run
    pid: int
    executions: int


@pytest.fixture(scope="module")
def stage(airflow: LocalAirflow, sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    sandbox.control("POST", "reset")
    sandbox.control("POST", "release")
    sandbox.control("POST", "settings", {"reject_marker": UNKNOWN_COMPARTMENT_ID})
    yield Stage(airflow, sandbox, tmp_path_factory.mktemp("killed"))
    sandbox.control("DELETE", "faults")
    sandbox.control("POST", "settings", {"reject_marker": None})


@pytest.fixture(scope="module")
def killed(stage: Stage) -> dict[str, Killed]:
    """Kill a run at each of the points, and wait until all have ended."""
    runs = {
        name: stage.start(
            name,
            point.dag_id,
            fault=point.fault,
            makes_import=name == "the-import-not-answered",
            **point.activities,
        )
        for name, point in POINTS.items()
    }
    done: dict[str, Killed] = {}

    def kill_who_stands_still() -> bool:
        held = stage.held()
        for name, run in runs.items():
            if name not in done and held[run.fault or 0] >= POINTS[name].held:
                executions = len(run.executions())
                kill = run.kill_machine if POINTS[name].is_machine else run.kill_process
                done[name] = Killed(run=run, pid=kill(), executions=executions)
        return len(done) == len(runs)

    wait_until(
        kill_who_stands_still,
        what="all are killed",
        timeout_s=180,
        last_seen=lambda: {name: run.state() for name, run in runs.items() if name not in done},
    )
    for run in runs.values():
        run.wait()
    return done


@pytest.mark.parametrize("name", POINTS)
def test_the_retry_of_a_killed_load_sends_what_is_missing_and_nothing_else(
    killed: dict[str, Killed], name: str
) -> None:
    point, run = POINTS[name], killed[name].run
    log = run.log(2)
    assert run.state() == "success", log
    assert (run.tries(), run.task()["pid"] == killed[name].pid) == (2, False)
    assert point.says in log

    summary, executions = run.summary(), run.executions()
    assert killed[name].executions == (summary["parts"] if point.executions is None else point.executions)
    assert run.people() == everybody_once(but=point.activities.get("bad", ()))
    assert sorted(summary["execution_ids"]) == sorted(item["id"] for item in executions)
    assert summary["parts"] > 1
    assert len(run.uploads()) == summary["parts"] + point.lost
    assert not run.writes()
    assert not telling([run.log(1), log], [*everybody_once(), run.sandbox.connection["password"]])
    assert (summary["lines"], summary["accepted"] + summary["rejected"]) == (
        LINES,
        LINES - len(point.activities.get("bad", ())),
    )


def test_a_report_that_was_cut_off_is_written_again(killed: dict[str, Killed]) -> None:
    run = killed["writing-the-report"].run
    assert (run.summary()["rejected"], run.summary()["report"]) == (1, str(run.aside))
    assert json.loads(run.aside.read_text())["rejected"] == 1


def test_dead_letters_that_were_cut_off_are_written_again_each_once(killed: dict[str, Killed]) -> None:
    run = killed["writing-dead-letters"].run
    put_aside = [json.loads(line)["content"].encode() for line in run.aside.read_text().splitlines()]
    assert people_in(b"".join(put_aside)) == [f"crm-{number}" for number in BAD]
    assert run.summary()["dead_letter"] == {"path": str(run.aside), "lines": len(BAD)}
