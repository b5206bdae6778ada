"""A list that lags longer than it is given time for: a part is sent again, and its twin comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_provider_mics.exceptions import MicsDoubledLinesError
from airflow_provider_mics.operators.import_files import MicsImportFilesOperator
from tests.contract.faces.conftest import ACTIVITY, Night, profile
from tests.contract.faces.test_waiting import event_of

if TYPE_CHECKING:
    from typing import Any

    from airflow_provider_mics.sandbox import Sandbox


def load(sandbox: Sandbox, night: Night, document_type: str) -> Any:
    # The first upload is committed without an answer, and no list shows it before the second one has begun.
    sandbox.settings.list_lag_s = 600
    sandbox.faults.plan("reset", kind="create_execution", when="after_commit")
    task = MicsImportFilesOperator(
        task_id="load",
        document_type=document_type,
        name="Night",
        path=night.file("a.ndjson", ACTIVITY if document_type == "USER_ACTIVITY" else profile(1)),
        poke_interval=0.01,
        deferrable=True,
    )
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(night.context)
    event = event_of(deferred.value)
    sandbox.publish()
    return task.execute_complete(night.context, event)


def test_activities_that_are_in_twice_are_red(sandbox: Sandbox, night: Night) -> None:
    with pytest.raises(MicsDoubledLinesError, match=r"are in twice, .*: executions") as raised:
        load(sandbox, night, "USER_ACTIVITY")

    assert not raised.value.retryable
    assert all(item.id in str(raised.value) for item in sandbox.executions)
    assert len(sandbox.executions) == 2


def test_profiles_may_be_in_twice(sandbox: Sandbox, night: Night, caplog: pytest.LogCaptureFixture) -> None:
    assert load(sandbox, night, "USER_PROFILE")["accepted"] == 1

    assert len(sandbox.executions) == 2
    assert "are in twice" in caplog.text
