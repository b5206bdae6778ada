"""Uploads: the bytes that arrive, and that they never arrive twice."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api import document_imports, executions
from airflow_provider_mics.api.client import MicsClient
from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.api.credentials import LoginCredentials, TokenCredentials
from airflow_provider_mics.api.repeat import MAX_ATTEMPTS
from airflow_provider_mics.api.settings import CONNECT_TIMEOUT_S, APISettings
from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsConfigurationError,
    MicsReplyError,
    MicsServerError,
    MicsSourceError,
    MicsTransportError,
    Outcome,
)
from airflow_provider_mics.sandbox.defaults import DEFAULT_EMAIL, DEFAULT_PASSWORD
from tests.contract.api.bodies import LINES, BytesBody, Opener

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.api.models import Execution
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.api.conftest import ClosedPort

#: Some megabytes, so that a fault in the middle of the body is in the middle of sending it.
LARGE = b'{"operation":"DELETE","user_account_id":"crm-1"}\n' * 100_000


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[MicsClient]:
    with MicsClient(APISettings(base_url=sandbox.url, timeout_s=20), TokenCredentials(sandbox.token)) as made:
        yield made


@pytest.fixture
def import_id(client: MicsClient, sandbox: Sandbox) -> str:
    return str(client.send(document_imports.create(sandbox.datamart_id, document_type="USER_PROFILE", name="x")).id)


def upload(sandbox: Sandbox, import_id: str, open_body: Any, mime_type: str = MimeType.NDJSON) -> Call[Execution]:
    return executions.upload(sandbox.datamart_id, import_id, mime_type=mime_type, open_body=open_body)


@pytest.mark.parametrize("content", [LINES, LINES + b"\n", LARGE, b'{"a":"\xc3\xa9\\r\\n"}\r\n\n'], ids=len)
def test_the_bytes_arrive_as_they_are(content: bytes, client: MicsClient, sandbox: Sandbox, import_id: str) -> None:
    opener = Opener(content)
    execution = client.send(upload(sandbox, import_id, opener))
    record = sandbox.requests[-1]
    assert sandbox.received(execution.execution_id).read_bytes() == content
    assert record.headers["content-type"] == "application/x-ndjson"
    assert record.headers["content-length"] == str(len(content))
    assert "transfer-encoding" not in record.headers
    assert "content-encoding" not in record.headers
    assert record.body_sha256 == hashlib.sha256(content).hexdigest()
    assert (len(opener.bodies), opener.all_closed) == (1, True)


def test_a_csv_file_is_sent_as_csv(client: MicsClient, sandbox: Sandbox) -> None:
    call = document_imports.create(sandbox.datamart_id, document_type="USER_SEGMENT", name="x", mime_type="TEXT_CSV")
    import_id = str(client.send(call).id)
    client.send(upload(sandbox, import_id, Opener(b"OPERATION,EMAIL_HASH\nUPDATE,abc\n"), "TEXT_CSV"))
    assert sandbox.requests[-1].headers["content-type"] == "text/csv"


def test_a_mime_type_that_files_have_not_is_refused_before_anything_is_sent(sandbox: Sandbox) -> None:
    with pytest.raises(MicsConfigurationError, match="'PARQUET'; files can be uploaded as"):
        upload(sandbox, "1", Opener(LINES), "PARQUET")


@pytest.mark.parametrize(
    ("action", "options", "error"),
    [
        ("reset", {"when": "before_body"}, MicsTransportError),
        ("reset", {"when": "mid_body", "after_bytes": 1_000_000}, MicsTransportError),
        ("close", {"when": "mid_body", "after_bytes": 1_000_000}, MicsTransportError),
        ("reset", {"when": "after_body"}, MicsTransportError),
        ("reset", {"when": "after_commit"}, MicsTransportError),
        ("close", {"when": "after_commit"}, MicsTransportError),
        ("cut", {}, MicsTransportError),
        ("cut", {"keep_bytes": 0}, MicsTransportError),
        ("not_json", {}, MicsReplyError),
        ("html", {"status": 200}, MicsReplyError),
        ("empty", {}, MicsReplyError),
        ("status", {"status": 500, "when": "after_body"}, MicsServerError),
        ("status", {"status": 503, "when": "after_commit"}, MicsServerError),
        ("status", {"status": 503, "when": "before_body"}, MicsServerError),
        ("envelope_error", {}, MicsAPIError),
    ],
)
def test_a_file_whose_fate_is_unknown_is_not_sent_again(
    action: Any, options: dict[str, Any], error: type[Exception], client: MicsClient, sandbox: Sandbox, import_id: str
) -> None:
    sandbox.faults.plan(action, kind="create_execution", times=None, **options)
    opener = Opener(LARGE)
    with pytest.raises(error, match=f"upload a file to document import {import_id} of datamart 1509") as caught:
        client.send(upload(sandbox, import_id, opener))
    assert sandbox.count("create_execution") == 1
    assert (len(opener.bodies), opener.all_closed) == (1, True)
    if isinstance(caught.value, MicsTransportError):
        assert caught.value.outcome is Outcome.UNKNOWN


def test_a_slow_answer_is_given_up_and_its_fate_unknown(sandbox: Sandbox, import_id: str) -> None:
    fault = sandbox.faults.plan("delay", kind="create_execution", times=None)
    settings = APISettings(base_url=sandbox.url, timeout_s=0.3)
    with (
        MicsClient(settings, TokenCredentials(sandbox.token)) as client,
        pytest.raises(MicsTransportError, match=r"no answer within 0\.3 s") as caught,
    ):
        client.send(upload(sandbox, import_id, Opener(LINES)))
    fault.release()
    assert caught.value.outcome is Outcome.UNKNOWN
    assert sandbox.count("create_execution") == 1


def test_a_server_that_stops_reading_is_given_up(sandbox: Sandbox, import_id: str) -> None:
    fault = sandbox.faults.plan("stall", kind="create_execution", after_bytes=100_000)
    settings = APISettings(base_url=sandbox.url, timeout_s=0.3)
    # More than the buffers of both sides hold.
    opener = Opener(LARGE * 4)
    started = time.monotonic()
    with (
        MicsClient(settings, TokenCredentials(sandbox.token)) as client,
        pytest.raises(MicsTransportError, match=r"no answer within 0\.3 s") as caught,
    ):
        client.send(upload(sandbox, import_id, opener))
    fault.release()
    assert caught.value.outcome is Outcome.UNKNOWN
    assert sandbox.count("create_execution") == 1
    assert opener.all_closed
    # Not the time that it may take to reach a server.
    assert time.monotonic() - started < CONNECT_TIMEOUT_S / 2


@pytest.mark.parametrize("when", ["before_body", "after_body"])
def test_a_file_that_was_put_off_is_opened_anew_and_sent_whole(
    when: Any, client: MicsClient, sandbox: Sandbox, import_id: str
) -> None:
    sandbox.faults.plan("status", status=429, kind="create_execution", times=2, retry_after=0, when=when)
    opener = Opener(LARGE)
    execution = client.send(upload(sandbox, import_id, opener))
    assert sandbox.received(execution.execution_id).read_bytes() == LARGE
    assert (len(opener.bodies), opener.all_closed, len(sandbox.executions)) == (3, True, 1)


def test_a_file_that_never_left_is_tried_again(closed_port: ClosedPort) -> None:
    opener = Opener(LINES)
    settings = APISettings(base_url=closed_port.url)
    with (
        MicsClient(settings, TokenCredentials("x"), sleep=lambda _: None) as client,
        pytest.raises(MicsTransportError, match="refused") as caught,
    ):
        client.send(executions.upload("1", "2", mime_type="TEXT_CSV", open_body=opener))
    assert caught.value.outcome is Outcome.NOT_SENT
    assert (len(opener.bodies), opener.all_closed) == (MAX_ATTEMPTS, True)


def test_an_empty_body_counts_as_sent(client: MicsClient, sandbox: Sandbox, import_id: str) -> None:
    """There is no byte of it whose leaving could be noticed."""
    sandbox.faults.plan("reset", kind="create_execution", times=None, when="after_body")
    with pytest.raises(MicsTransportError) as caught:
        client.send(upload(sandbox, import_id, Opener(b"")))
    assert caught.value.outcome is Outcome.UNKNOWN
    assert sandbox.count("create_execution") == 1


def test_on_401_a_file_is_opened_anew_and_sent_with_the_new_token(sandbox: Sandbox, import_id: str) -> None:
    opener = Opener(LARGE)
    with MicsClient(APISettings(base_url=sandbox.url), LoginCredentials(DEFAULT_EMAIL, DEFAULT_PASSWORD)) as client:
        client.send(executions.find(sandbox.datamart_id, import_id))
        sandbox.revoke_tokens()
        execution = client.send(upload(sandbox, import_id, opener))
    assert sandbox.received(execution.execution_id).read_bytes() == LARGE
    assert (len(opener.bodies), opener.all_closed, len(sandbox.executions)) == (2, True, 1)


class BrokenBody(BytesBody):
    """A file that cannot be read to its end."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > 500_000:
            raise MicsSourceError("The file x could not be read.")
        return super().read(size)


def test_an_error_of_the_file_s_own_comes_out_as_it_is(client: MicsClient, sandbox: Sandbox, import_id: str) -> None:
    body = BrokenBody(LARGE)
    with pytest.raises(MicsSourceError, match="The file x could not be read"):
        client.send(upload(sandbox, import_id, lambda: body))
    assert body.closed
    sandbox.wait_until(lambda it: it.count("dropped") == 1)
    assert sandbox.executions == []
