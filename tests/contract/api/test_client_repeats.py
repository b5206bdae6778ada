"""What is sent again after which fault, with every fault on a real connection."""

from __future__ import annotations

import dataclasses
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api import directory, document_imports
from airflow_provider_mics.api.client import MicsClient
from airflow_provider_mics.api.credentials import TokenCredentials
from airflow_provider_mics.api.repeat import MAX_ATTEMPTS
from airflow_provider_mics.api.settings import APISettings
from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsCallError,
    MicsNotFoundError,
    MicsPermissionError,
    MicsRateLimitError,
    MicsReplyError,
    MicsServerError,
    MicsTransportError,
    Outcome,
)
from airflow_provider_mics.sandbox import Sandbox

if TYPE_CHECKING:
    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.sandbox import Fault
    from tests.contract.api.conftest import ClosedPort, Connect
    from tests.contract.api.talkers import Talker


@dataclasses.dataclass
class Case:
    """A fault, the error it is in the end, and something that its text says."""

    action: str
    error: type[MicsCallError]
    said: str
    options: dict[str, Any] = dataclasses.field(default_factory=dict)

    def plan(self, sandbox: Sandbox, **more: Any) -> Fault:
        return sandbox.faults.plan(self.action, **self.options, **more)  # type: ignore[arg-type]


#: After these a GET is sent again.
PASSING = [
    Case("status", MicsServerError, "HTTP 500", {"status": 500}),
    Case("status", MicsServerError, "HTTP 503", {"status": 503}),
    Case("status", MicsRateLimitError, "HTTP 429", {"status": 429}),
    Case("html", MicsServerError, "bytes of text/html", {"status": 502}),
    Case("html", MicsReplyError, "HTTP 200", {"status": 200}),
    Case("not_json", MicsReplyError, "malformed", {}),
    Case("not_json", MicsReplyError, "truncated", {"body": '{"status": "ok", "data"'}),
    Case("empty", MicsReplyError, "HTTP 201, 0 bytes", {}),
    Case("cut", MicsTransportError, "the reply was cut", {}),
    Case("cut", MicsTransportError, "the reply was cut", {"keep_bytes": 0}),
    Case("reset", MicsTransportError, "reset by peer", {"when": "before_body"}),
    Case("reset", MicsTransportError, "reset by peer", {"when": "after_commit"}),
    Case("close", MicsTransportError, "closed the connection before it answered", {"when": "after_commit"}),
]
#: After these nothing is.
LASTING = [
    Case("status", MicsAPIError, "HTTP 400", {"status": 400}),
    Case("status", MicsPermissionError, "HTTP 403", {"status": 403}),
    Case("status", MicsNotFoundError, "HTTP 404", {"status": 404}),
    Case("status", MicsAPIError, "HTTP 413", {"status": 413}),
    Case("envelope_error", MicsAPIError, "HTTP 200, A_CODE: Planned", {"code": "A_CODE"}),
]


def name(case: Case) -> str:
    return " ".join([case.action, *map(str, case.options.values())])


@pytest.mark.parametrize("case", PASSING, ids=name)
def test_a_get_is_sent_again_until_it_is_answered(case: Case, talker: Talker, sandbox: Sandbox) -> None:
    case.plan(sandbox, kind="get_datamart", times=MAX_ATTEMPTS - 1)
    assert talker.send(directory.datamart(sandbox.datamart_id)).id == sandbox.datamart_id
    assert sandbox.count("get_datamart") == MAX_ATTEMPTS


@pytest.mark.parametrize("case", PASSING, ids=name)
def test_a_get_is_not_sent_for_ever(case: Case, talker: Talker, sandbox: Sandbox) -> None:
    case.plan(sandbox, kind="get_datamart", times=None)
    with pytest.raises(case.error, match=case.said) as caught:
        talker.send(directory.datamart(sandbox.datamart_id))
    assert type(caught.value) is case.error
    assert str(caught.value).startswith("Could not get datamart 1509: ")
    assert sandbox.count("get_datamart") == MAX_ATTEMPTS


@pytest.mark.parametrize("case", LASTING, ids=name)
def test_a_refusal_is_final(case: Case, talker: Talker, sandbox: Sandbox) -> None:
    case.plan(sandbox, kind="get_datamart", times=None)
    with pytest.raises(case.error, match=case.said) as caught:
        talker.send(directory.datamart(sandbox.datamart_id))
    assert type(caught.value) is case.error
    assert sandbox.count("get_datamart") == 1


def creation(sandbox: Sandbox) -> Call[Any]:
    return document_imports.create(sandbox.datamart_id, document_type="USER_PROFILE", name="Profiles")


@pytest.mark.parametrize("case", [case for case in PASSING if case.options.get("status") != 429], ids=name)
def test_a_creation_is_sent_once_unless_it_was_certainly_not_acted_on(
    case: Case, talker: Talker, sandbox: Sandbox
) -> None:
    case.plan(sandbox, kind="create_document_import", times=None)
    with pytest.raises(case.error) as caught:
        talker.send(creation(sandbox))
    assert sandbox.count("create_document_import") == 1
    if isinstance(caught.value, MicsTransportError):
        assert caught.value.outcome is Outcome.UNKNOWN


def test_a_creation_that_was_put_off_is_sent_again_and_made_once(talker: Talker, sandbox: Sandbox) -> None:
    sandbox.faults.plan("status", status=429, kind="create_document_import", times=2, retry_after=0)
    talker.send(creation(sandbox))
    assert sandbox.count("create_document_import") == 3
    assert len(sandbox.imports) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed(status: int, talker: Talker, sandbox: Sandbox) -> None:
    asked_s = 0.3
    fault = sandbox.faults.plan("status", status=status, kind="get_datamart", retry_after=asked_s)
    started = time.monotonic()
    talker.send(directory.datamart(sandbox.datamart_id))
    assert time.monotonic() - started >= asked_s
    assert len(fault.fired) == 1


def test_retry_after_may_be_a_date(sandbox: Sandbox) -> None:
    sandbox.faults.plan("status", status=429, kind="get_datamart", retry_after=60, retry_after_as_date=True)
    waited: list[float] = []
    with MicsClient(APISettings(base_url=sandbox.url), TokenCredentials(sandbox.token), sleep=waited.append) as client:
        client.send(directory.datamart(sandbox.datamart_id))
    # The date has whole seconds only.
    assert len(waited) == 1
    assert 50 < waited[0] <= 60.1


def test_each_repeat_is_told(talker: Talker, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    sandbox.faults.plan("status", status=503, kind="get_datamart", times=2)
    with caplog.at_level(logging.WARNING):
        talker.send(directory.datamart(sandbox.datamart_id))
    told = [record.getMessage() for record in caplog.records if record.name.startswith("airflow_provider_mics.api")]
    assert len(told) == 2
    assert told[0].startswith("Attempt 1 to get datamart 1509 failed; next in 0.0 s. Could not get datamart 1509: ")
    assert sandbox.token.removeprefix("api:") not in caplog.text


class TestRefusedConnection:
    def test_nothing_was_sent(self, connect: Connect, closed_port: ClosedPort, sandbox: Sandbox) -> None:
        with pytest.raises(MicsTransportError, match=r"create a document import in datamart 1509: .*refused"):
            connect(closed_port.url).send(creation(sandbox))

    def test_the_outcome_says_so(self, connect: Connect, closed_port: ClosedPort, sandbox: Sandbox) -> None:
        with pytest.raises(MicsTransportError) as caught:
            connect(closed_port.url).send(creation(sandbox))
        assert caught.value.outcome is Outcome.NOT_SENT
        assert caught.value.retryable

    def test_even_a_creation_is_tried_again(self, closed_port: ClosedPort) -> None:
        running: list[Sandbox] = []

        def sleep(_: float) -> None:
            closed_port.free()
            running.append(Sandbox(port=closed_port.number).start())

        settings = APISettings(base_url=closed_port.url)
        with MicsClient(settings, TokenCredentials("api:sandbox-token"), sleep=sleep) as client:
            call = document_imports.create("1509", document_type="USER_PROFILE", name="Profiles")
            assert client.send(call).name == "Profiles"
        (sandbox,) = running
        assert sandbox.count("create_document_import") == 1
        sandbox.stop()


def test_a_host_that_does_not_exist(connect: Connect) -> None:
    with pytest.raises(MicsTransportError, match="Could not get the user of the API token") as caught:
        connect("https://no-such-host.invalid").send(directory.connected_user())
    assert caught.value.outcome is Outcome.NOT_SENT
