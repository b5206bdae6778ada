"""Cancelling executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.exceptions import MicsAPIError, MicsAuthenticationError, MicsNotFoundError, MicsReplyError
from airflow_provider_mics.operators.document_import import MicsCreateDocumentImportOperator
from airflow_provider_mics.operators.execution import MicsCancelExecutionOperator
from airflow_provider_mics.operators.upload import MicsUploadFileOperator
from tests.contract.faces.conftest import profile

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.faces.conftest import Night


@pytest.fixture
def import_id(sandbox: Sandbox, night: Night) -> str:
    sandbox.settings.pending_s = 3600
    create = MicsCreateDocumentImportOperator(task_id="create", document_type="USER_PROFILE", name="Profiles")
    return create.execute(night.context)


@pytest.fixture
def execution_ids(night: Night, import_id: str) -> list[str]:
    paths = [night.file(f"{number}.ndjson", profile(number)) for number in range(3)]
    return MicsUploadFileOperator(task_id="upload", document_import_id=import_id, path=paths).execute(night.context)


def cancel(night: Night, import_id: str, execution_ids: Any) -> dict[str, list[str]]:
    task = MicsCancelExecutionOperator(task_id="cancel", document_import_id=import_id, execution_ids=execution_ids)
    return task.execute(night.context)


@pytest.mark.parametrize("refusal", ["error", "unchanged"])
def test_those_that_have_started_go_on_and_are_told(
    sandbox: Sandbox, night: Night, import_id: str, execution_ids: list[str], refusal: Any
) -> None:
    sandbox.settings.cancel_refusal = refusal
    pending, running, ended = execution_ids
    sandbox.set_status(running, "RUNNING")
    sandbox.set_status(ended, "SUCCEEDED")

    # As an upload hands them over, or a template.
    found = cancel(night, import_id, [[running], f"['{ended}', '{pending}']"])

    assert found == {"cancelled": [pending], "already_started": [running, ended]}
    assert [sandbox.execution(item)["status"] for item in execution_ids] == ["CANCELED", "RUNNING", "SUCCEEDED"]


def test_to_cancel_twice_is_no_error(night: Night, import_id: str, execution_ids: list[str]) -> None:
    expected = {"cancelled": execution_ids, "already_started": []}
    assert cancel(night, import_id, execution_ids) == expected
    assert cancel(night, import_id, execution_ids) == expected


def test_nothing_to_cancel_is_no_error(night: Night, import_id: str) -> None:
    assert cancel(night, import_id, []) == {"cancelled": [], "already_started": []}


def test_one_that_does_not_exist_is_an_error_and_the_others_are_cancelled(
    sandbox: Sandbox, night: Night, import_id: str, execution_ids: list[str]
) -> None:
    with pytest.raises(MicsNotFoundError, match="execution 7 of document import"):
        cancel(night, import_id, ["7", *execution_ids])
    assert {sandbox.execution(item)["status"] for item in execution_ids} == {"CANCELED"}


def test_a_refusal_that_cannot_be_because_it_has_started_is_an_error(
    sandbox: Sandbox, night: Night, import_id: str, execution_ids: list[str]
) -> None:
    sandbox.faults.plan("status", status=403, kind="act_on_execution")
    with pytest.raises(MicsAPIError, match="403"):
        cancel(night, import_id, execution_ids)
    statuses = [sandbox.execution(item)["status"] for item in execution_ids]
    assert statuses == ["PENDING", "CANCELED", "CANCELED"]


def test_a_yes_after_which_it_is_as_before_is_an_error(
    sandbox: Sandbox, night: Night, import_id: str, execution_ids: list[str]
) -> None:
    sandbox.override(execution_ids[0], status="PENDING")
    with pytest.raises(MicsReplyError, match="said yes, but it is PENDING"):
        cancel(night, import_id, execution_ids)


def test_a_token_that_is_not_accepted_is_not_tried_on_each(
    sandbox: Sandbox, night: Night, import_id: str, execution_ids: list[str]
) -> None:
    sandbox.rotate_token()
    with pytest.raises(MicsAuthenticationError):
        cancel(night, import_id, execution_ids)
    paths = {item.path for item in sandbox.requests if item.kind == "act_on_execution"}
    assert [path.split("/")[-2] for path in paths] == execution_ids[:1]
