"""What a try sends that comes after another one, which ended well, badly, or not at all."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api.selectors import UserPointSelector
from airflow_provider_mics.bulk.items import progress as items_progress
from airflow_provider_mics.exceptions import MicsInputError, MicsItemsError
from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.operators.tracking import (
    MicsSendUserActivitiesOperator,
    MicsSetUserChoicesOperator,
    MicsUpsertUserProfilesOperator,
)
from tests.contract.tracking import sender
from tests.contract.tracking.conftest import activity, choice, profile, unique_key

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.tracking.conftest import Task

ROOT = Path(__file__).parents[3]
ITEMS = 4000
ACTIVITY, PROFILE = "create_user_activity", "put_user_profile"


def killed_halfway(sandbox: Sandbox, kind: str, path: str, state: Path) -> list[str]:
    """Send items in a process of its own, and kill it when half of them are in and the next ones are under way."""
    route = ACTIVITY if kind == "activities" else PROFILE
    # Carried out, but not answered.
    held = sandbox.faults.plan("delay", kind=route, after=ITEMS // 2, times=None)
    arguments = [kind, sandbox.url, sandbox.token, sandbox.datamart_id, path, str(state)]
    command = [sys.executable, "-m", "tests.contract.tracking.sender", *arguments]
    with subprocess.Popen(command, cwd=ROOT) as running:  # noqa: S603 - ours
        try:
            held.wait_fired(sender.CONCURRENCY, timeout=60)
            assert running.poll() is None
        finally:
            running.send_signal(signal.SIGKILL)
    assert running.returncode == -signal.SIGKILL
    sandbox.faults.clear()
    assert sandbox.count(route) == ITEMS // 2 + sender.CONCURRENCY
    return arguments


@pytest.mark.parametrize("kind", ["profiles", "activities with a key"])
def test_after_kill_9_what_may_be_sent_twice_is_sent_at_most_twice_and_none_is_lost(
    sandbox: Sandbox, task: Task, tmp_path: Path, kind: str
) -> None:
    lines = (
        [profile(number) for number in range(ITEMS)]
        if kind == "profiles"
        else [activity(number, **{"$unique_key": unique_key(number)}) for number in range(ITEMS)]
    )
    route = PROFILE if kind == "profiles" else ACTIVITY
    arguments = killed_halfway(sandbox, kind.split(maxsplit=1)[0], task.file(lines), tmp_path / "state.json")
    sandbox.wait_until(lambda running: sum(running.items.committed(route).values()) == ITEMS // 2 + sender.CONCURRENCY)

    result = sender.send(*arguments, retry=True)

    assert (result["items"], result["accepted"]) == (ITEMS, ITEMS)
    committed = sandbox.items.committed(route)
    assert len(committed) == ITEMS
    assert set(committed.values()) <= {1, 2}
    assert sandbox.items.received(route) == committed


def test_after_kill_9_no_activity_is_sent_twice_and_those_that_may_be_in_are_named(
    sandbox: Sandbox, task: Task, tmp_path: Path
) -> None:
    path = task.file(activity(number) for number in range(ITEMS))
    state = tmp_path / "state.json"
    arguments = killed_halfway(sandbox, "activities", path, state)

    with pytest.raises(MicsItemsError, match=r"may be \(.*items.ndjson, line \d+, .*would count twice") as caught:
        sender.send(*arguments, retry=True)

    assert not caught.value.retryable
    received = sandbox.items.received(ACTIVITY)
    assert set(received.values()) == {1}
    aside = [json.loads(line) for line in Path(f"{state}.dead").read_text().splitlines()]
    assert {record["answer"]["outcome"] for record in aside} == {"unknown"}
    # Each is in, or named; of those that are named, some are in.
    named = {f"compartment_id=1201,user_account_id=crm-{record['line'] - 1}" for record in aside}
    everybody = {f"compartment_id=1201,user_account_id=crm-{number}" for number in range(ITEMS)}
    assert received.keys() | named == everybody
    assert sender.CONCURRENCY <= len(named) < ITEMS


def test_after_kill_9_what_was_written_down_is_not_sent_again(sandbox: Sandbox, task: Task, tmp_path: Path) -> None:
    path = task.file(profile(number) for number in range(ITEMS))
    state = tmp_path / "state.json"
    held = sandbox.faults.plan("delay", kind=PROFILE, after=ITEMS // 2, times=None)
    arguments = ["profiles", sandbox.url, sandbox.token, sandbox.datamart_id, path, str(state)]
    command = [sys.executable, "-m", "tests.contract.tracking.sender", *arguments]
    store = sender.FileStore(state)
    with subprocess.Popen(command, cwd=ROOT) as running:  # noqa: S603 - ours
        try:
            held.wait_fired(sender.CONCURRENCY, timeout=60)
            sandbox.wait_until(lambda _: (store.get("mics_items") or {}).get("accepted") == ITEMS // 2)
        finally:
            running.send_signal(signal.SIGKILL)
    sandbox.faults.clear()

    assert sender.send(*arguments, retry=True)["accepted"] == ITEMS
    # Only those that were under way.
    assert sandbox.count(PROFILE) == ITEMS + sender.CONCURRENCY


def failed_once(sandbox: Sandbox, task: Task, operator: Any, lines: list[dict[str, Any]]) -> None:
    sandbox.faults.plan("status", status=400, text="Not this one", after=3)
    with pytest.raises(MicsItemsError):
        task.run(operator, items=lines, concurrency=1)


def test_a_retry_sends_what_was_refused_and_nothing_else(sandbox: Sandbox, task: Task) -> None:
    lines = [activity(number) for number in range(10)]
    failed_once(sandbox, task, MicsSendUserActivitiesOperator, lines)
    task.retry()

    assert task.run(MicsSendUserActivitiesOperator, items=lines)["accepted"] == 10
    assert sorted(sandbox.items.committed(ACTIVITY).values()) == [1] * 10
    assert sandbox.count(ACTIVITY) == 11


def test_a_line_that_comes_late_does_not_undo_one_behind_it(sandbox: Sandbox, task: Task) -> None:
    account = {"$compartment_id": "1201", "$user_account_id": "crm-1"}
    lines = [profile(1, user_profile={**account, "step": step}) for step in range(3)] + [profile(2)]
    sandbox.faults.plan("status", status=400, text="Not this one", after=1)
    for _ in range(2):
        with contextlib.suppress(MicsItemsError):
            assert task.run(MicsUpsertUserProfilesOperator, items=lines, concurrency=1)["accepted"] == 4
        selector = UserPointSelector(compartment_id="1201", user_account_id="crm-1")
        (stored,) = MicsHook().list_user_profiles(selector)
        assert stored["step"] == 2
        task.retry()
    # The second and, behind it again, the third.
    assert sandbox.count(PROFILE) == 6


def test_what_is_unknown_stays_so(sandbox: Sandbox, task: Task) -> None:
    sandbox.faults.plan("reset", kind=ACTIVITY, when="after_commit", after=3)
    lines = [activity(number) for number in range(10)]
    for _ in range(2):
        with pytest.raises(MicsItemsError, match=r"9 of 10 .* 1 may be \(items, line 4\)"):
            task.run(MicsSendUserActivitiesOperator, items=lines, concurrency=1, dead_letter_path=task.dead_letter_path)
        (aside,) = task.dead_letters()
        assert aside["line"] == 4
        task.retry()
    assert sandbox.count(ACTIVITY) == 10


def test_a_clear_of_what_failed_does_not_send_activities_again_that_are_in(sandbox: Sandbox, task: Task) -> None:
    lines = [activity(number) for number in range(10)]
    failed_once(sandbox, task, MicsSendUserActivitiesOperator, lines)
    task.clear()

    assert task.run(MicsSendUserActivitiesOperator, items=lines)["accepted"] == 10
    assert sandbox.count(ACTIVITY) == 11


def test_a_clear_of_what_went_well_sends_all_again(sandbox: Sandbox, task: Task) -> None:
    lines = [activity(number) for number in range(10)]
    task.run(MicsSendUserActivitiesOperator, items=lines)
    task.clear()
    task.run(MicsSendUserActivitiesOperator, items=lines)

    assert sandbox.count(ACTIVITY) == 20


def test_a_clear_sends_all_choices_again(sandbox: Sandbox, task: Task) -> None:
    lines = [choice(number) for number in range(10)]
    failed_once(sandbox, task, MicsSetUserChoicesOperator, lines)
    task.clear()

    assert task.run(MicsSetUserChoicesOperator, items=lines)["accepted"] == 10
    assert sandbox.count("put_user_choice") == 20


@pytest.mark.parametrize("what", ["items", "datamart_id", "processing_pipeline"])
def test_a_retry_with_something_else_is_refused(sandbox: Sandbox, task: Task, what: str) -> None:
    lines = [activity(number) for number in range(10)]
    failed_once(sandbox, task, MicsSendUserActivitiesOperator, lines)
    task.retry()
    changes: dict[str, Any] = {"items": lines[1:], "datamart_id": "7", "processing_pipeline": False}

    with pytest.raises(MicsInputError, match="9 items are in"):
        task.run(MicsSendUserActivitiesOperator, **{"items": lines, what: changes[what]})
    assert sandbox.count(ACTIVITY) == 10


def test_before_airflow_3_3_a_retry_sends_only_what_may_be_sent_twice(
    sandbox: Sandbox, task: Task, caplog: pytest.LogCaptureFixture
) -> None:
    task.state = None
    lines = [activity(0), activity(1, **{"$unique_key": unique_key(1)})]
    failed_once(sandbox, task, MicsSendUserActivitiesOperator, [*lines, activity(2), activity(3)])
    task.retry()

    with pytest.raises(MicsItemsError, match=r"1 of 2 .* 1 may be \(items, line 1\)") as caught:
        task.run(MicsSendUserActivitiesOperator, items=lines)
    assert not caught.value.retryable
    assert "from 3.3 on" in caplog.text
    assert task.run(MicsSetUserChoicesOperator, items=[choice(0)])["accepted"] == 1


def test_before_airflow_3_3_a_failure_asks_for_no_retry_that_could_not_know(sandbox: Sandbox, task: Task) -> None:
    task.state = None
    sandbox.faults.plan("status", times=None, status=429, retry_after=0, after=3)
    with pytest.raises(MicsItemsError, match="Nothing remembers") as caught:
        task.run(MicsSendUserActivitiesOperator, items=[activity(number) for number in range(100)], concurrency=1)

    assert not caught.value.retryable


def test_without_a_state_activities_stay_and_choices_go(sandbox: Sandbox, task: Task) -> None:
    assert task.state is not None
    task.state.is_away = True
    with pytest.raises(MicsItemsError, match="could not be read") as caught:
        task.run(MicsSendUserActivitiesOperator, items=[activity(0)])
    assert caught.value.retryable
    assert sandbox.count("total") == 0

    assert task.run(MicsSetUserChoicesOperator, items=[choice(0)])["accepted"] == 1
    task.state.is_away = False
    assert task.run(MicsSendUserActivitiesOperator, items=[activity(0)])["accepted"] == 1


def test_no_activity_leaves_before_it_is_written_down_that_it_will(
    sandbox: Sandbox, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = task.state
    assert state is not None
    writes: list[int] = []
    write = type(state).set

    def write_twice(self: Any, key: str, value: Any, **how: Any) -> None:
        writes.append(value["announced"])
        self.is_away = len(writes) > 2
        write(self, key, value, **how)

    monkeypatch.setattr(type(state), "set", write_twice)
    with pytest.raises(MicsItemsError, match="could not be written") as caught:
        task.run(MicsSendUserActivitiesOperator, items=[activity(number) for number in range(3000)])

    assert caught.value.retryable
    # Those of the two batches that could be announced.
    assert sandbox.count(ACTIVITY) <= writes[1] < 3000


def test_one_item_that_is_slow_lets_others_go_ahead_so_far(
    sandbox: Sandbox, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items_progress, "MAX_AHEAD", 200)
    held = sandbox.faults.plan("delay", kind=ACTIVITY)

    def let_go() -> None:
        sandbox.wait_until(lambda running: running.count(ACTIVITY) == 200)
        held.release()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        letting_go = pool.submit(let_go)
        result = task.run(MicsSendUserActivitiesOperator, items=[activity(number) for number in range(900)])
        letting_go.result()
    assert result["accepted"] == 900
    assert set(sandbox.items.received(ACTIVITY).values()) == {1}
