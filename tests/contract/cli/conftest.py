"""Commands that talk to mediarithmics: in this process, against the sandbox."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.sandbox import Sandbox
from tests.unit.cli.commands import Ran, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def connection_to(sandbox: Sandbox) -> str:
    """Return the Airflow connection to a sandbox, as the environment has it."""
    return json.dumps(
        {
            "conn_type": "mics",
            "host": sandbox.url,
            "password": sandbox.token,
            "extra": {"datamart_id": sandbox.datamart_id},
        }
    )


def profiles(count: int, *, first: int = 1) -> bytes:
    """Return lines of profiles."""
    return b"".join(
        b'{"operation":"UPSERT","compartment_id":"1201","user_account_id":"crm-%d","force_replace":false,'
        b'"user_profile":{"$compartment_id":"1201","$user_account_id":"crm-%d","city":"Lyon"}}\n' % (number, number)
        for number in range(first, first + count)
    )


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.settings.pending_s = running.settings.running_s = 0.02
        monkeypatch.setenv("AIRFLOW_CONN_MICS_DEFAULT", connection_to(running))
        yield running


@pytest.fixture
def mics(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a command: ``mics("imports list", "--limit", 3)``."""

    def typed(name: str, *arguments: object) -> Ran:
        return run(capsys, name, *arguments)

    return typed


@pytest.fixture
def document(mics: Callable[..., Ran]) -> Callable[..., Any]:
    """Run a command that must succeed, and return its JSON document."""

    def typed(name: str, *arguments: object) -> Any:
        ran = mics(name, *arguments, "--output", "json")
        assert ran.code == 0, ran.err
        return json.loads(ran.out)

    return typed


class Body(io.BytesIO):
    """A body to upload."""

    def __len__(self) -> int:
        return len(self.getvalue())


class Night:
    """A document import, and what is uploaded to it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.hook = MicsHook()
        self.id = str(self.hook.create_document_import(document_type="USER_PROFILE", name="Profiles of the night").id)

    def load(self, content: bytes) -> str:
        """Upload lines, and return the execution's id."""
        created = self.hook.create_execution(self.id, mime_type="APPLICATION_X_NDJSON", open_body=lambda: Body(content))
        return created.execution_id

    def load_to_the_end(self, content: bytes) -> str:
        """Upload lines, and return the id of the execution when it has succeeded."""
        execution_id = self.load(content)
        self.sandbox.set_status(execution_id, "SUCCEEDED")
        return execution_id


@pytest.fixture
def night(sandbox: Sandbox) -> Night:
    return Night(sandbox)
