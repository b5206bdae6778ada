"""The operator that puts user stats, against the sandbox's MetaX."""

from __future__ import annotations

import concurrent.futures
import gzip
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError, MicsItemsError
from airflow_provider_mics.hooks.metax import MetaxHook
from airflow_provider_mics.operators.metax import MetaxPutUserStatsOperator
from airflow_provider_mics.sandbox import Sandbox
from airflow_provider_mics.sandbox.defaults import DEFAULT_METAX_CLIENT, DEFAULT_METAX_SECRET, DEFAULT_METAX_TOKEN
from tests.contract.tracking.conftest import Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.metax.conftest import SetConnection

KIND = "put_user_stats"
#: Asked for as all that means something in an address.
ODD = "o'neil+tv@example.org/../é;a=b,c?#%2F d"


def stats(number: int, **fields: Any) -> dict[str, Any]:
    """A line whose delta would count twice if it were sent twice."""
    entry = {"asset_id": "film", "play_count": 1, "view_time": 5400}
    return {"subscriber_id": f"user-{number}@example.org", "view_data": [entry], **fields}


def rating(number: int, value: int = 4) -> dict[str, Any]:
    """A line that may be sent twice."""
    return stats(number, view_data=[{"asset_id": "film", "user_rating": value}])


def counts(result: dict[str, Any]) -> tuple[int, ...]:
    return tuple(result[name] for name in ("items", "accepted", "rejected", "unknown", "invalid"))


@pytest.fixture
def sandbox(set_connection: SetConnection) -> Iterator[Sandbox]:
    with Sandbox() as running:
        set_connection(running.url, login=DEFAULT_METAX_CLIENT, password=DEFAULT_METAX_SECRET)
        yield running


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task(tmp_path)


def history(sandbox: Sandbox, number: int) -> dict[str, Any]:
    return sandbox.metax.subscribers.get(f"user-{number}@example.org")


def test_a_delta_changes_what_it_has_and_keeps_the_rest(sandbox: Sandbox, task: Task) -> None:
    known = {"asset_id": "film", "play_count": 1, "view_time": 5400, "pause_time": 60, "last_played_on": 1718000000000}
    result = task.run(MetaxPutUserStatsOperator, items=[stats(1, favorites=["a", "b"], view_data=[known])])
    assert counts(result) == (1, 1, 0, 0, 0)
    assert history(sandbox, 1) == {"favorites": ["a", "b"], "view_data": [known]}
    assert sandbox.requests[-1].query == {"isDelta": "true"}

    task.run(MetaxPutUserStatsOperator, items=[rating(1)])
    assert history(sandbox, 1) == {"favorites": ["a", "b"], "view_data": [{**known, "user_rating": 4}]}

    task.run(MetaxPutUserStatsOperator, items=[{"subscriber_id": "user-1@example.org", "favorites": []}])
    assert history(sandbox, 1) == {"favorites": [], "view_data": [{**known, "user_rating": 4}]}


def test_files_are_sent_with_one_token(sandbox: Sandbox, task: Task) -> None:
    first = task.file([stats(number) for number in range(300)], "a.ndjson")
    second = Path(task.file([rating(number) for number in range(300, 500)], "b.ndjson"))
    packed = second.with_name("b.ndjson.gz")
    packed.write_bytes(gzip.compress(second.read_bytes()))
    result = task.run(MetaxPutUserStatsOperator, path=[first, str(packed)], concurrency=8)
    assert counts(result) == (500, 500, 0, 0, 0)
    assert sandbox.items.committed(KIND) == {f"user-{number}@example.org": 1 for number in range(500)}
    assert sandbox.count("create_metax_token") == 1


def test_lines_of_one_subscriber_are_sent_in_their_order(sandbox: Sandbox, task: Task) -> None:
    """The first is held until all others have been sent that do not have to wait for it."""
    held = sandbox.faults.plan("hold", when="before_body", kind=KIND)
    lines = [rating(1, 1), rating(2), rating(1, 2), *(rating(number) for number in range(3, 40)), rating(1, 3)]

    def let_go() -> None:
        held.wait_held()
        sandbox.wait_until(lambda state: len(state.items.committed(KIND)) == 38)
        held.release()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        letting_go = pool.submit(let_go)
        result = task.run(MetaxPutUserStatsOperator, items=lines, concurrency=4)
        letting_go.result()
    assert counts(result) == (41, 41, 0, 0, 0)
    assert history(sandbox, 1)["view_data"] == [{"asset_id": "film", "user_rating": 3}]


def test_any_subscriber_is_met(sandbox: Sandbox, task: Task) -> None:
    lines = [{**rating(1), "subscriber_id": subscriber_id} for subscriber_id in (ODD, 77)]
    task.run(MetaxPutUserStatsOperator, items=lines)
    assert sandbox.items.committed(KIND) == {ODD: 1, "77": 1}
    assert MetaxHook().list_favorites(ODD) == []


class TestOverwriting:
    def test_it_must_be_allowed(self, sandbox: Sandbox, task: Task) -> None:
        with pytest.raises(MicsConfigurationError, match="Set allow_overwrite=True if the lines hold whole histories"):
            task.run(MetaxPutUserStatsOperator, items=[stats(1)], is_delta=False)
        assert sandbox.count("total") == 0

    def test_it_replaces_all(self, sandbox: Sandbox, task: Task) -> None:
        task.run(MetaxPutUserStatsOperator, items=[stats(1, favorites=["a"])])
        line = {"subscriber_id": "user-1@example.org", "view_data": []}
        task.run(MetaxPutUserStatsOperator, items=[line], is_delta=False, allow_overwrite=True)
        assert history(sandbox, 1) == {"favorites": [], "view_data": []}
        assert sandbox.requests[-1].query == {"isDelta": "false"}

    def test_it_may_be_repeated(self, sandbox: Sandbox, task: Task) -> None:
        sandbox.faults.plan("close", when="after_commit", kind=KIND)
        result = task.run(MetaxPutUserStatsOperator, items=[stats(1)], is_delta=False, allow_overwrite=True)
        assert counts(result) == (1, 1, 0, 0, 0)
        assert sandbox.items.committed(KIND) == {"user-1@example.org": 2}


class TestChecks:
    BAD = stats(2, view_data=[{"asset_id": "film", "pause_time": 5_400_000}])

    @pytest.mark.parametrize("preflight", ["fail", "off"])
    def test_a_bad_line_is_named_and_nothing_is_sent(self, preflight: str, sandbox: Sandbox, task: Task) -> None:
        path = task.file([stats(1), self.BAD])
        with pytest.raises(MicsInputError) as caught:
            task.run(MetaxPutUserStatsOperator, path=path, preflight=preflight)
        assert f"{path}, line 2 (byte " in str(caught.value)
        assert "view_data[0].pause_time is a position behind the first day of an asset: it looks like" in str(
            caught.value
        )
        assert "divide it by 1000" in str(caught.value)
        assert sandbox.count("total") == 0

    def test_or_put_aside(self, sandbox: Sandbox, task: Task) -> None:
        result = task.run(
            MetaxPutUserStatsOperator,
            items=[stats(1), self.BAD],
            preflight="dead_letter",
            dead_letter_path=task.dead_letter_path,
        )
        assert counts(result) == (2, 1, 0, 0, 1)
        (letter,) = task.dead_letters()
        assert json.loads(letter["content"]) == self.BAD
        assert letter["problems"][0]["field"] == "view_data[0].pause_time"
        assert list(sandbox.items.committed(KIND)) == ["user-1@example.org"]


class TestFailures:
    def test_a_delta_with_sums_whose_end_nobody_knows_is_told_and_never_sent_again(
        self, sandbox: Sandbox, task: Task
    ) -> None:
        sandbox.faults.plan("close", when="after_commit", kind=KIND)
        arguments: dict[str, Any] = {
            "items": [stats(1), stats(2)],
            "concurrency": 1,
            "dead_letter_path": task.dead_letter_path,
        }
        with pytest.raises(MicsItemsError, match=r"1 of 2 user stats are in, 0 are not, and 1 may be") as caught:
            task.run(MetaxPutUserStatsOperator, **arguments)
        assert not caught.value.retryable
        assert "example.org" not in str(caught.value)
        (letter,) = task.dead_letters()
        assert json.loads(letter["content"]) == stats(1)

        task.retry()
        result = task.run(MetaxPutUserStatsOperator, **arguments, max_rejected=1)
        assert counts(result) == (2, 1, 0, 1, 0)
        assert sandbox.items.received(KIND) == {"user-1@example.org": 1, "user-2@example.org": 1}

    def test_one_that_only_sets_is_repeated(self, sandbox: Sandbox, task: Task) -> None:
        sandbox.faults.plan("close", when="after_commit", kind=KIND)
        result = task.run(MetaxPutUserStatsOperator, items=[rating(1), {**rating(2), "favorites": ["a"]}])
        assert counts(result) == (2, 2, 0, 0, 0)
        assert sum(sandbox.items.committed(KIND).values()) == 3

    def test_what_is_refused_is_put_aside_with_its_status(self, sandbox: Sandbox, task: Task) -> None:
        body = json.dumps({"result": "error", "message": "BAD_REQUEST", "reason": "no user user-1@example.org"})
        sandbox.faults.plan("status", status=400, kind=KIND, body=body)
        with pytest.raises(MicsItemsError, match=r"1 of 2 user stats are in, 1 are not, .*1 x HTTP 400") as caught:
            task.run(
                MetaxPutUserStatsOperator,
                items=[stats(1), stats(2)],
                concurrency=1,
                dead_letter_path=task.dead_letter_path,
            )
        assert "example.org" not in str(caught.value)
        (letter,) = task.dead_letters()
        assert (letter["answer"]["outcome"], letter["answer"]["status"]) == ("refused", 400)

    def test_a_token_that_ends_is_renewed(self, sandbox: Sandbox, task: Task) -> None:
        sandbox.faults.plan("status", status=401, kind=KIND, after=100)
        result = task.run(MetaxPutUserStatsOperator, items=[stats(number) for number in range(200)])
        assert counts(result) == (200, 200, 0, 0, 0)
        assert sandbox.count("create_metax_token") == 2
        assert set(sandbox.items.committed(KIND).values()) == {1}

    def test_a_wrong_token_stops_all_and_is_not_tried_again(
        self, sandbox: Sandbox, task: Task, set_connection: SetConnection
    ) -> None:
        set_connection(sandbox.url, login=None, password="s3cret")
        with pytest.raises(MicsItemsError, match=r"Sending stopped: .*HTTP 401") as caught:
            task.run(MetaxPutUserStatsOperator, items=[stats(number) for number in range(1000)], concurrency=4)
        assert not caught.value.retryable
        assert sandbox.count(KIND) <= 8
        assert "s3cret" not in str(caught.value)
        set_connection(sandbox.url, login=None, password=DEFAULT_METAX_TOKEN)
        task.retry()
        assert task.run(MetaxPutUserStatsOperator, items=[stats(number) for number in range(1000)])["accepted"] == 1000
        assert set(sandbox.items.committed(KIND).values()) == {1}


def test_nobody_is_named_in_logs(sandbox: Sandbox, task: Task, caplog: pytest.LogCaptureFixture) -> None:
    sandbox.faults.plan("status", status=503, kind=KIND, times=3)
    with caplog.at_level(logging.DEBUG):
        task.run(MetaxPutUserStatsOperator, items=[rating(number) for number in range(10)])
    assert "Attempt 1 to put a subscriber's user stats failed" in caplog.text
    assert "example.org" not in caplog.text
    assert DEFAULT_METAX_SECRET not in caplog.text


@pytest.mark.usefixtures("sandbox")
def test_the_connection_s_test_succeeds_in_both_forms(sandbox: Sandbox, set_connection: SetConnection) -> None:
    assert MetaxHook().test_connection() == (True, "Connected: MetaX accepts the token.")
    set_connection(sandbox.url, login=None, password=DEFAULT_METAX_TOKEN)
    assert MetaxHook().test_connection() == (True, "Connected: MetaX accepts the token.")
