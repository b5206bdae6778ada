"""Rows are made anew in each try: what is in already is not sent again, and what changed is not mixed with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.decorators.mics_import import MicsImportDecoratedOperator
from airflow_provider_mics.exceptions import MicsError, MicsUploadError
from tests.contract.faces.conftest import Night, TaskStateStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.sandbox import Sandbox


@pytest.fixture
def night(night: Night) -> Night:
    night.store = TaskStateStore()
    return night


def activity(number: int) -> dict[str, Any]:
    return {
        "$type": "TOUCH",
        "$session_status": "NO_SESSION",
        "$ts": 1718000000000,
        "$user_identifiers": [
            {"$type": "USER_ACCOUNT", "$compartment_id": "1201", "$user_account_id": f"crm-{number}"}
        ],
        "$events": [],
    }


def profile(number: int) -> dict[str, Any]:
    return {
        "operation": "UPSERT",
        "compartment_id": "1201",
        "user_account_id": f"crm-{number}",
        "force_replace": False,
        "user_profile": {"$compartment_id": "1201", "$user_account_id": f"crm-{number}"},
    }


def load(night: Night, document_type: str, numbers: range) -> Any:
    make = activity if document_type == "USER_ACTIVITY" else profile

    def lines() -> Iterator[dict[str, Any]]:
        return (make(number) for number in numbers)

    return MicsImportDecoratedOperator(
        task_id="load",
        python_callable=lines,
        document_type=document_type,
        name="Night",
        max_part_bytes=2000,
        poke_interval=0.01,
    ).execute(night.context)


def in_the_platform(sandbox: Sandbox) -> bytes:
    ids = [item.id for item in sandbox.executions if sandbox.execution(item.id)["status"] != "CANCELED"]
    return b"".join(sorted(b"".join(sandbox.received(item).read_bytes() for item in ids).splitlines(keepends=True)))


def fail(sandbox: Sandbox, night: Night, document_type: str, *, after: int, rows: int = 100) -> int:
    sandbox.faults.plan("status", status=400, kind="create_execution", after=after, when="after_body", times=None)
    with pytest.raises(MicsError, match="parts are in"):
        load(night, document_type, range(rows))
    sandbox.faults.clear()
    night.retry()
    return len(sandbox.executions)


@pytest.mark.parametrize("document_type", ["USER_ACTIVITY", "USER_PROFILE"])
def test_parts_that_are_in_are_made_again_and_not_sent_again(
    sandbox: Sandbox, night: Night, document_type: str
) -> None:
    sent_before = fail(sandbox, night, document_type, after=5)

    summary = load(night, document_type, range(100))

    assert sent_before == 5
    assert summary["accepted"] == 100
    assert len(summary["execution_ids"]) == len(sandbox.executions) > 5
    assert len(in_the_platform(sandbox).splitlines()) == len(set(in_the_platform(sandbox).splitlines())) == 100


@pytest.mark.parametrize("rows", [range(1, 101), range(30)], ids=["other rows", "fewer rows"])
def test_other_rows_stop_activities(sandbox: Sandbox, night: Night, rows: range) -> None:
    sent_before = fail(sandbox, night, "USER_ACTIVITY", after=5)

    with pytest.raises(MicsUploadError, match="nothing more is sent") as raised:
        load(night, "USER_ACTIVITY", rows)

    assert not raised.value.retryable
    assert len(sandbox.executions) == sent_before


@pytest.mark.parametrize("rows", [range(1, 101), range(30)], ids=["other rows", "fewer rows"])
def test_other_rows_of_a_type_that_may_be_repeated_are_a_new_load(sandbox: Sandbox, night: Night, rows: range) -> None:
    sandbox.settings.pending_s = 600
    sent_before = fail(sandbox, night, "USER_PROFILE", after=5)
    sandbox.settings.pending_s = 0.02

    summary = load(night, "USER_PROFILE", rows)

    assert summary["accepted"] == len(rows)
    assert len(summary["execution_ids"]) == len(sandbox.executions) - sent_before
    # What was pending of the load before is cancelled.
    assert len(in_the_platform(sandbox).splitlines()) == len(rows)
