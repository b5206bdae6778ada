"""A token that is replaced in the Airflow connection while a task that uses it runs or waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from airflow_provider_mics.api import directory
from airflow_provider_mics.exceptions import MicsAuthenticationError
from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.sandbox.defaults import DEFAULT_EMAIL, DEFAULT_PASSWORD
from tests.contract.api.bodies import LINES, Opener

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.hooks.conftest import SetConnection


def statuses(sandbox: Sandbox) -> list[int | None]:
    return [record.status for record in sandbox.requests]


def test_a_worker_goes_on_with_the_new_token(set_connection: SetConnection, sandbox: Sandbox) -> None:
    set_connection()
    hook = MicsHook()
    hook.get_datamart()
    sandbox.rotate_token()
    set_connection()

    hook.get_datamart()
    hook.get_datamart()

    assert statuses(sandbox) == [200, 401, 200, 200]


def test_an_upload_is_sent_whole_with_the_new_token(set_connection: SetConnection, sandbox: Sandbox) -> None:
    set_connection()
    hook = MicsHook()
    import_id = str(hook.create_document_import(document_type="USER_PROFILE", name="x").id)
    sandbox.rotate_token()
    set_connection()

    execution = hook.create_execution(import_id, mime_type="APPLICATION_X_NDJSON", open_body=Opener(LINES))

    assert [item.id for item in sandbox.executions] == [execution.execution_id]
    assert sandbox.received(execution.execution_id).read_bytes() == LINES


def test_the_triggerer_goes_on_with_the_new_token(set_connection: SetConnection, sandbox: Sandbox) -> None:
    set_connection()

    async def main() -> None:
        async with MicsHook().async_client() as client:
            await client.send(directory.datamart(sandbox.datamart_id))
            sandbox.rotate_token()
            set_connection()
            # All are refused at once, and one of them reads the connection.
            await asyncio.gather(*[client.send(directory.datamart(sandbox.datamart_id)) for _ in range(5)])
            await client.send(directory.datamart(sandbox.datamart_id))

    asyncio.run(main())

    assert statuses(sandbox).count(200) == 7
    assert statuses(sandbox)[-1] == 200


@pytest.mark.parametrize("how", ["worker", "triggerer"])
def test_a_token_that_nobody_replaced_is_refused_once(
    set_connection: SetConnection, sandbox: Sandbox, how: str
) -> None:
    set_connection()
    sandbox.rotate_token()

    async def ask() -> None:
        async with MicsHook().async_client() as client:
            await client.send(directory.datamart(sandbox.datamart_id))

    with pytest.raises(MicsAuthenticationError):
        asyncio.run(ask()) if how == "triggerer" else MicsHook().get_datamart()
    assert statuses(sandbox) == [401]


def test_a_connection_that_is_gone_meanwhile_is_the_same_refusal(
    set_connection: SetConnection, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    set_connection()
    hook = MicsHook()
    hook.get_datamart()
    sandbox.rotate_token()
    monkeypatch.setenv("AIRFLOW_CONN_MICS_DEFAULT", '{"conn_type": "mics"}')

    with pytest.raises(MicsAuthenticationError):
        hook.get_datamart()
    assert "could not be read again: MicsConfigurationError" in caplog.text


def test_a_password_that_was_changed_is_used_for_the_next_login(
    set_connection: SetConnection, sandbox: Sandbox
) -> None:
    set_connection(login=DEFAULT_EMAIL, password="the old one")
    hook = MicsHook()
    with pytest.raises(MicsAuthenticationError):
        hook.get_datamart()
    set_connection(login=DEFAULT_EMAIL, password=DEFAULT_PASSWORD)

    assert str(hook.get_datamart().id) == sandbox.datamart_id
