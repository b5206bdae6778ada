"""Loads in a real Airflow whose API server or triggerer goes away, or whose deferred task somebody clears or marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devel.cluster import API_SERVER, TRIGGERER
from devel.waiting import wait_until
from tests.e2e.fault_runs import Run, Stage, everybody_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devel.cluster import LocalAirflow
    from devel.sandbox_process import SandboxProcess


@pytest.fixture
def stage(airflow: LocalAirflow, sandbox: SandboxProcess, tmp_path: Path) -> Iterator[Stage]:
    sandbox.control("POST", "reset")
    sandbox.control("POST", "release")
    yield Stage(airflow, sandbox, tmp_path)
    sandbox.control("DELETE", "faults")
    sandbox.control("POST", "release")


def statuses(run: Run) -> list[str]:
    """Return those of its executions, the oldest first."""
    return [item["status"] for item in sorted(run.executions(), key=lambda item: int(item["id"]))]


def test_nothing_is_sent_twice_where_the_api_server_is_away_as_the_ledger_is_to_be_written(
    airflow: LocalAirflow, stage: Stage
) -> None:
    # All bytes of the second part are out; what it became is to be written down next, then the third one's intent.
    fault = {"action": "hold", "kind": "create_execution", "when": "after_body", "after": 1}
    _, is_killed = runs = [stage.start(name, fault=fault) for name in ("goes-on", "is-killed")]
    stage.wait_held(*runs)
    pid = is_killed.pid()

    airflow.kill(API_SERVER)
    try:
        for run in runs:
            stage.release(run)
        wait_until(lambda: all(len(run.executions()) == 2 for run in runs), what="second parts are in", timeout_s=30)
        is_killed.kill_process(pid)
    finally:
        airflow.start_component(API_SERVER)
    airflow.wait_healthy()

    for run in runs:
        assert run.wait() == "success"
        assert run.people() == everybody_once()
        assert len(run.uploads()) == run.summary()["parts"] == 3
        assert not run.writes()
    # Airflow counts a try that it could not begin. Whether the other one needs a second is a question of time.
    assert is_killed.tries() > 1
    # Its supervisor outlives it, and may still bring the id that it was writing to the server that is back.
    told = is_killed.log(is_killed.task()["try_number"])
    assert "it was found there" in told or "is in already, as execution" in told


def test_a_load_that_is_marked_failed_or_cleared_while_it_is_sent_sends_nothing_more(stage: Stage) -> None:
    stage.sandbox.control("POST", "hold")
    fault = {"action": "hold", "kind": "create_execution", "when": "after_commit", "after": 1}
    is_failed, is_cleared = runs = [stage.start(name, fault=fault) for name in ("sent-failed", "sent-cleared")]
    stage.wait_held(*runs)

    is_failed.mark("failed")
    is_cleared.clear()
    for run in runs:
        run.until_log("cancelled")
    for run in runs:
        stage.release(run)
    # What was on its way is cancelled as it arrives.
    wait_until(lambda: statuses(is_failed) == ["CANCELED"] * 2, what="all cancelled", timeout_s=30)
    wait_until(
        lambda: statuses(is_cleared) == ["CANCELED"] * 2 + ["PENDING"] * 3,
        what="a new load",
        timeout_s=120,
        last_seen=lambda: statuses(is_cleared),
    )
    stage.sandbox.control("POST", "release")

    assert is_cleared.wait() == "success"
    assert is_cleared.people() == everybody_once()
    assert is_failed.state() == "failed"
    assert len(is_failed.uploads()) == 2


def test_deferred_loads_outlive_a_killed_triggerer_and_a_clear(airflow: LocalAirflow, stage: Stage) -> None:
    stage.sandbox.control("POST", "hold")
    stays, is_cleared, is_failed, is_done = runs = [
        stage.start(name, "faults_deferred") for name in ("stays", "is-cleared", "is-failed", "is-done")
    ]
    for run in runs:
        run.until("deferred")
        run.until_triggered()

    is_failed.mark("failed")
    is_done.mark("success")
    is_cleared.clear()
    wait_until(lambda: statuses(is_failed) == ["CANCELED"] * 3, what="cancelled", timeout_s=60)
    wait_until(lambda: statuses(is_cleared) == ["CANCELED"] * 3 + ["PENDING"] * 3, what="a new load", timeout_s=60)
    is_done.until_log("still waited for")
    is_cleared.until_log("Pausing task as DEFERRED", try_number=2)

    airflow.kill(TRIGGERER)
    airflow.start_component(TRIGGERER)
    airflow.wait_healthy()
    stage.sandbox.control("POST", "release")

    assert (stays.wait(), is_cleared.wait(), is_failed.state(), is_done.state()) == (
        "success",
        "success",
        "failed",
        "success",
    )
    assert stays.people() == is_cleared.people() == is_done.people() == everybody_once()
    assert not stays.writes() | is_done.writes()
    assert set(is_cleared.writes()) == set(is_failed.writes()) == {"act_on_execution"}
    assert statuses(is_cleared) == ["CANCELED"] * 3 + ["SUCCEEDED"] * 3
    assert stays.tries() == 1
    assert stays.log(1).count("Trigger fired event") == 1
