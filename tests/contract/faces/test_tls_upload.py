"""An upload over TLS that is cut on its way."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING

import pytest
import requests
import trustme

from airflow_provider_mics.api.call import Call
from airflow_provider_mics.api.client import MicsClient, _Body
from airflow_provider_mics.api.credentials import TokenCredentials
from airflow_provider_mics.api.envelope import nothing
from airflow_provider_mics.api.settings import APISettings
from airflow_provider_mics.exceptions import Outcome
from airflow_provider_mics.sandbox import Sandbox
from tests.contract.faces.conftest import Night, profile
from tests.contract.faces.test_upload import create, upload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def tls_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Sandbox(ssl_context=context) as sandbox:
        extra = {"datamart_id": sandbox.datamart_id, "verify": str(tmp_path / "ca.pem"), "list_lag": 0.3}
        connection = {"conn_type": "mics", "host": sandbox.url, "password": sandbox.token, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_MICS_DEFAULT", json.dumps(connection))
        yield sandbox


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize(("when", "uploads"), [("mid_body", 2), ("after_body", 2), ("after_commit", 1)])
def test_an_upload_that_is_cut_is_in_once(
    tls_sandbox: Sandbox, night: Night, how: str, when: str, uploads: int
) -> None:
    path = night.file("a.ndjson", *[profile(number) for number in range(5000)])
    document_import_id = create(night)
    tls_sandbox.faults.plan(how, when=when, kind="create_execution")  # type: ignore[arg-type]

    sent = upload(night, document_import_id, path)

    # What may be in is looked for before it is sent again.
    kinds = [item.kind for item in tls_sandbox.requests]
    first = kinds.index("create_execution")
    assert kinds[first + 1] == "list_executions"
    assert kinds.count("create_execution") == uploads
    assert sent == [item.id for item in tls_sandbox.executions]


@pytest.mark.parametrize("library_error", ["SSLError", "ProxyError"])
def test_a_tls_failure_in_the_middle_of_a_body_is_not_taken_for_one_before_it(library_error: str) -> None:
    # Some TLS libraries report a connection that ends without close_notify as a failure of TLS.
    call = Call(what="upload", method="POST", path="/", read=nothing, content=b"{}\n")
    body = _Body(call)
    body.read(1)
    error = getattr(requests.exceptions, library_error)()

    with MicsClient(APISettings(), TokenCredentials("token")) as client:
        assert client._failure(call, body, error).outcome is Outcome.UNKNOWN
