from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pendulum
import pytest

from airflow_provider_mics.exceptions import MicsConfigurationError, MicsNotFoundError
from airflow_provider_mics.operators.document_import import MicsCreateDocumentImportOperator

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.faces.conftest import Night

pytestmark = pytest.mark.usefixtures("sandbox")


def operator(**arguments: Any) -> MicsCreateDocumentImportOperator:
    return MicsCreateDocumentImportOperator(
        **{"task_id": "create", "document_type": "USER_PROFILE", "name": "User profiles from CRM", **arguments}
    )


def names(sandbox: Sandbox) -> list[str]:
    return [item.name for item in sandbox.imports]


def test_creates_the_import_of_the_night(sandbox: Sandbox, night: Night) -> None:
    document_import_id = operator().execute(night.context)

    (created,) = sandbox.imports
    assert document_import_id == created.id
    assert (created.name, created.document_type, created.mime_type, created.encoding, created.priority) == (
        "User profiles from CRM - 2026-11-23",
        "USER_PROFILE",
        "APPLICATION_X_NDJSON",
        "utf-8",
        "MEDIUM",
    )


def test_a_night_in_paris_begins_in_paris(sandbox: Sandbox, night: Night) -> None:
    night.logical_date = pendulum.datetime(2026, 11, 22, 23, 30, tz="UTC")

    operator().execute(night.context)

    assert names(sandbox) == ["User profiles from CRM - 2026-11-23"]


def test_a_manual_run_without_logical_date_has_the_night_it_was_asked_for(sandbox: Sandbox, night: Night) -> None:
    night.logical_date = None

    operator().execute(night.context)

    assert names(sandbox) == ["User profiles from CRM - 2026-11-24"]


def test_the_name_can_stay_as_it_is(sandbox: Sandbox, night: Night) -> None:
    operator(append_night=False).execute(night.context)

    assert names(sandbox) == ["User profiles from CRM"]


def test_the_same_night_again_reuses_the_import(sandbox: Sandbox, night: Night) -> None:
    first = operator().execute(night.context)
    # Names that contain the name, and imports of that name but another kind, are not it.
    operator(name="New User profiles from CRM").execute(night.context)
    operator(document_type="USER_SEGMENT").execute(night.context)
    operator(document_type="USER_SEGMENT", mime_type="TEXT_CSV").execute(night.context)

    assert operator().execute(night.context) == first
    assert len(sandbox.imports) == 4


def test_the_import_is_found_on_a_later_page(sandbox: Sandbox, night: Night) -> None:
    sandbox.settings.default_page_size = sandbox.settings.max_page_size = 3
    first = operator().execute(night.context)
    for number in range(7):
        operator(name=f"User profiles from CRM - 2026-11-23 {number}", append_night=False).execute(night.context)

    assert operator().execute(night.context) == first


def test_another_can_be_asked_for(sandbox: Sandbox, night: Night) -> None:
    first = operator().execute(night.context)

    assert operator(if_exists="create").execute(night.context) != first
    # Of two, the oldest is found, by number and not by text.
    assert operator().execute(night.context) == first
    assert names(sandbox) == ["User profiles from CRM - 2026-11-23"] * 2


def test_an_import_that_exists_can_be_an_error(night: Night) -> None:
    first = operator().execute(night.context)

    with pytest.raises(MicsConfigurationError, match=rf"already is a document import .*: {first}"):
        operator(if_exists="fail").execute(night.context)


@pytest.mark.parametrize("document_type", ["USER_PROFILE", "USER_ACTIVITY", "A_NEW_TYPE"])
def test_csv_is_for_segments_only(sandbox: Sandbox, night: Night, document_type: str) -> None:
    with pytest.raises(MicsConfigurationError, match=rf"TEXT_CSV is for USER_SEGMENT only; {document_type} lines"):
        operator(document_type=document_type, mime_type="TEXT_CSV").execute(night.context)

    assert not sandbox.requests


def test_document_types_that_are_new_pass(sandbox: Sandbox, night: Night) -> None:
    operator(document_type="A_NEW_TYPE").execute(night.context)

    assert sandbox.imports[0].document_type == "A_NEW_TYPE"


@pytest.mark.parametrize("arguments", [{"name": " ", "append_night": False}, {"if_exists": "replace"}])
def test_what_cannot_be_right_is_refused_before_anything_is_sent(
    sandbox: Sandbox, night: Night, arguments: dict[str, Any]
) -> None:
    with pytest.raises(MicsConfigurationError):
        operator(**arguments).execute(night.context)

    assert not sandbox.requests


def test_links_to_navigator(sandbox: Sandbox, night: Night) -> None:
    task = operator()
    document_import_id = task.execute(night.context)

    url = (
        f"https://navigator.mediarithmics.com/#/v2/o/{sandbox.organisation_id}/datastudio/datamart/"
        f"{sandbox.datamart_id}/imports/{document_import_id}"
    )
    (link,) = task.operator_extra_links
    assert link.get_link(task, ti_key=None) == url  # type: ignore[arg-type]
    assert night.ti.xcoms[link.xcom_key] == url


def test_a_task_may_name_another_datamart(night: Night) -> None:
    with pytest.raises(MicsNotFoundError, match="datamart 99"):
        operator(datamart_id="99").execute(night.context)
