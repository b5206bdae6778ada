"""A retry that finds another document import behind the id that it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_mics.exceptions import MicsUploadError
from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.operators.document_import import MicsCreateDocumentImportOperator
from airflow_provider_mics.operators.upload import MicsUploadFileOperator
from tests.contract.faces.conftest import ACTIVITY, Night, TaskStateStore, profile

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox


def create(night: Night, document_type: str, name: str) -> str:
    night.store = None
    return MicsCreateDocumentImportOperator(task_id="create", document_type=document_type, name=name).execute(
        night.context
    )


def upload(night: Night, store: TaskStateStore, document_import_id: str, path: str) -> list[str]:
    night.store = store
    return MicsUploadFileOperator(task_id="upload", document_import_id=document_import_id, path=path).execute(
        night.context
    )


def test_a_load_that_was_all_in_is_sent_into_the_other_one_and_cancelled_where_it_was(
    sandbox: Sandbox, night: Night
) -> None:
    sandbox.hold()
    path = night.file("p.ndjson", profile(1))
    one, other = (create(night, "USER_PROFILE", name) for name in ("one", "other"))
    store = TaskStateStore()
    (before,) = upload(night, store, one, path)
    night.retry()

    (now,) = upload(night, store, other, path)

    assert sandbox.execution(before)["status"] == "CANCELED"
    assert sandbox.execution(now)["status"] == "PENDING"
    assert MicsHook().get_execution(other, now).execution_id == now


def test_lines_that_count_again_stop_there(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", ACTIVITY)
    one, other = (create(night, "USER_ACTIVITY", name) for name in ("one", "other"))
    store = TaskStateStore()
    upload(night, store, one, path)
    night.retry()

    with pytest.raises(MicsUploadError, match=f"has sent into document import {one}, not {other}") as raised:
        upload(night, store, other, path)

    assert not raised.value.retryable
    assert len(sandbox.uploads) == 1
