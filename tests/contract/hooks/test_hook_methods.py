"""Every method of the hook once, with the connection in each form that the environment takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from airflow_provider_mics.api.models import Execution
from airflow_provider_mics.exceptions import MicsAuthenticationError, MicsNotFoundError, MicsPermissionError
from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.sandbox.defaults import DEFAULT_EMAIL, DEFAULT_PASSWORD
from tests.contract.api.bodies import LINES, Opener

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.hooks.conftest import SetConnection


@pytest.fixture(params=["JSON", "URI", "URI with a protocol"])
def hook(
    request: pytest.FixtureRequest,
    sandbox: Sandbox,
    set_connection: SetConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> MicsHook:
    set_connection()
    token = quote(sandbox.token, safe="")
    query = f"datamart_id={sandbox.datamart_id}&timeout=20&verify=true"
    if request.param == "URI":
        uri = f"mics://:{token}@127.0.0.1:{sandbox.port}/http?{query}"
        monkeypatch.setenv("AIRFLOW_CONN_MICS_DEFAULT", uri)
    elif request.param == "URI with a protocol":
        monkeypatch.setenv("AIRFLOW_CONN_MICS_DEFAULT", f"mics://http://:{token}@127.0.0.1:{sandbox.port}/?{query}")
    return MicsHook()


def test_document_imports(hook: MicsHook, sandbox: Sandbox) -> None:
    made = hook.create_document_import(document_type="USER_SEGMENT", name="VIP", mime_type="TEXT_CSV", priority="HIGH")
    (kept,) = sandbox.imports
    assert (kept.id, kept.document_type, kept.name, kept.mime_type, kept.encoding, kept.priority) == (
        made.id,
        "USER_SEGMENT",
        "VIP",
        "TEXT_CSV",
        "utf-8",
        "HIGH",
    )
    import_id = str(made.id)
    assert hook.get_document_import(import_id).name == "VIP"
    other = hook.create_document_import(document_type="USER_PROFILE", name="Profiles")
    assert (other.mime_type, other.priority) == ("APPLICATION_X_NDJSON", "MEDIUM")
    assert [item.name for item in hook.list_document_imports(order_by="name").items] == ["Profiles", "VIP"]
    assert [item.name for item in hook.list_document_imports(keywords="VI").items] == ["VIP"]
    assert [item.name for item in hook.list_document_imports(document_types=["USER_PROFILE"]).items] == ["Profiles"]
    assert [item.name for item in hook.list_document_imports(mime_type="TEXT_CSV").items] == ["VIP"]
    page = hook.list_document_imports(first_result=1, max_results=1)
    assert ([item.name for item in page.items], page.total) == (["Profiles"], 2)
    fields = {"document_type": "USER_SEGMENT", "mime_type": "TEXT_CSV", "encoding": "utf-8", "name": "VVIP"}
    assert hook.update_document_import(import_id, fields | {"priority": "LOW"}).name == "VVIP"
    hook.delete_document_import(import_id)
    with pytest.raises(MicsNotFoundError):
        hook.get_document_import(import_id)


def test_executions_and_their_files(hook: MicsHook, sandbox: Sandbox) -> None:
    import_id = str(hook.create_document_import(document_type="USER_PROFILE", name="Profiles").id)
    sandbox.settings.reject_marker = "crm-1"
    created = hook.create_execution(import_id, mime_type="APPLICATION_X_NDJSON", open_body=Opener(LINES))
    assert isinstance(created, Execution)
    assert sandbox.received(created.execution_id).read_bytes() == LINES
    sandbox.advance(60)
    ended = hook.get_execution(import_id, created.execution_id)
    assert (ended.status, ended.has_succeeded) == ("SUCCEEDED", True)
    assert ended.result is not None
    assert (ended.result.total_success, ended.result.total_failure) == (2, 1)
    assert ended.result.input_file_uri is not None
    assert hook.download_data_file(ended.result.input_file_uri) == LINES
    assert ended.result.error_file_uri is not None
    assert hook.download_data_file(ended.result.error_file_uri)
    sandbox.hold()
    pending = hook.create_execution(import_id, mime_type="APPLICATION_X_NDJSON", open_body=Opener(LINES))
    listed = hook.list_executions(import_id)
    assert [item.execution_id for item in listed.items] == [pending.execution_id, created.execution_id]
    assert hook.list_executions(import_id, first_result=1, max_results=1).items[0].id == created.id
    assert hook.cancel_execution(import_id, pending.execution_id).status == "CANCELED"


def test_who_and_where(hook: MicsHook, sandbox: Sandbox) -> None:
    assert hook.get_connected_user().id == "4711"
    assert hook.get_datamart().id == sandbox.datamart_id
    assert hook.organisation_id == sandbox.organisation_id
    url = hook.document_import_url("36271")
    assert url.endswith("/#/v2/o/1426/datastudio/datamart/1509/imports/36271")
    # The organisation does not change: it is asked for once.
    assert sandbox.count("get_datamart") == 2


def test_the_datamart_of_the_argument_is_used(set_connection: SetConnection, sandbox: Sandbox) -> None:
    set_connection()
    hook = MicsHook(datamart_id="1510")
    with pytest.raises(MicsPermissionError):
        hook.list_document_imports()
    assert sandbox.requests[-1].path == "/v1/datamarts/1510/document_imports"


def test_constructing_it_sends_nothing(set_connection: SetConnection, sandbox: Sandbox) -> None:
    set_connection()
    hook = MicsHook()
    assert hook.datamart_id == sandbox.datamart_id
    assert hook.client is not None
    assert sandbox.count("connections") == 0


def test_a_login_works_and_its_tokens_are_masked(
    set_connection: SetConnection, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    masked: list[Any] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", masked.append)
    set_connection(login=DEFAULT_EMAIL, password=DEFAULT_PASSWORD)
    hook = MicsHook()
    hook.get_datamart()
    sandbox.revoke_tokens()
    hook.get_datamart()
    # Airflow masks what is in the connection.
    assert len({item for item in masked if isinstance(item, str) and item != DEFAULT_PASSWORD}) == 2


def test_a_new_hook_takes_a_token_that_was_replaced(set_connection: SetConnection, sandbox: Sandbox) -> None:
    set_connection()
    hook = MicsHook()
    hook.get_datamart()
    new = sandbox.rotate_token()
    with pytest.raises(MicsAuthenticationError):
        hook.get_datamart()
    set_connection(password=new)
    assert MicsHook().get_datamart().id == sandbox.datamart_id
