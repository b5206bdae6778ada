"""Changing and deleting document imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.exceptions import MicsConfigurationError, MicsNotFoundError
from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.operators.document_import import (
    MicsDeleteDocumentImportOperator,
    MicsUpdateDocumentImportOperator,
)

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.faces.conftest import Night


@pytest.fixture
def import_id(sandbox: Sandbox) -> str:
    created = MicsHook().create_document_import(document_type="USER_SEGMENT", name="Segments", priority="HIGH")
    assert [item.id for item in sandbox.imports] == [created.id]
    return str(created.id)


def update(night: Night, import_id: str, **fields: Any) -> dict[str, Any]:
    return MicsUpdateDocumentImportOperator(task_id="update", document_import_id=import_id, **fields).execute(
        night.context
    )


def delete(night: Night, import_id: str) -> None:
    MicsDeleteDocumentImportOperator(task_id="delete", document_import_id=import_id).execute(night.context)


def test_what_is_not_given_keeps_its_value(sandbox: Sandbox, night: Night, import_id: str) -> None:
    changed = update(night, import_id, name="Segments of the night", mime_type="TEXT_CSV")

    assert changed == {
        "id": import_id,
        "datafarm_key": "DF_EU_2020_02",
        "datamart_id": sandbox.datamart_id,
        "document_type": "USER_SEGMENT",
        "mime_type": "TEXT_CSV",
        "encoding": "utf-8",
        "name": "Segments of the night",
        "priority": "HIGH",
    }
    assert sandbox.imports[0].resource() == changed
    # A platform that replaces what it has must be sent all of it.
    (put,) = [item for item in sandbox.requests if item.method == "PUT"]
    assert put.body_bytes > len('"document_type""mime_type""encoding""name""priority"')


def test_the_task_is_linked_to_what_it_changes(night: Night, import_id: str) -> None:
    task = MicsUpdateDocumentImportOperator(task_id="update", document_import_id=import_id, priority="LOW")
    task.execute(night.context)
    (link,) = task.operator_extra_links
    assert night.ti.xcoms[link.xcom_key].endswith(f"/imports/{import_id}")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "none of document_type, name, mime_type, encoding, priority is given"),
        ({"name": " "}, "needs a name"),
        ({"document_type": "USER_PROFILE", "mime_type": "TEXT_CSV"}, "TEXT_CSV is for USER_SEGMENT only"),
    ],
)
def test_what_cannot_be_right_changes_nothing(
    sandbox: Sandbox, night: Night, import_id: str, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(MicsConfigurationError, match=said):
        update(night, import_id, **fields)
    assert not [item for item in sandbox.requests if item.method == "PUT"]


def test_a_format_that_its_other_fields_forbid_is_refused(sandbox: Sandbox, night: Night, import_id: str) -> None:
    update(night, import_id, mime_type="TEXT_CSV")
    with pytest.raises(MicsConfigurationError, match="TEXT_CSV is for USER_SEGMENT only; USER_CHOICE"):
        update(night, import_id, document_type="USER_CHOICE")
    assert sandbox.imports[0].document_type == "USER_SEGMENT"


def test_an_update_whose_answer_is_lost_is_sent_again(sandbox: Sandbox, night: Night, import_id: str) -> None:
    sandbox.faults.plan("close", kind="update_document_import", when="after_commit")
    assert update(night, import_id, priority="LOW")["priority"] == "LOW"
    assert sandbox.count("update_document_import") == 2


def test_a_deleted_import_is_out_of_view(sandbox: Sandbox, night: Night, import_id: str) -> None:
    delete(night, import_id)
    assert sandbox.imports == []


def test_a_deletion_whose_answer_is_lost_has_succeeded(sandbox: Sandbox, night: Night, import_id: str) -> None:
    sandbox.faults.plan("close", kind="delete_document_import", when="after_commit")
    delete(night, import_id)
    assert sandbox.imports == []
    assert sandbox.count("delete_document_import") == 2


@pytest.mark.usefixtures("sandbox")
def test_a_wrong_id_is_an_error(night: Night) -> None:
    with pytest.raises(MicsNotFoundError, match="document import 7"):
        delete(night, "7")
    with pytest.raises(MicsNotFoundError, match="document import 7"):
        update(night, "7", name="Other")
