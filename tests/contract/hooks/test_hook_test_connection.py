"""What the Test button of the connection form says."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.sandbox.defaults import DEFAULT_EMAIL, DEFAULT_PASSWORD
from tests.contract.api.recorder import Recorder, http

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.hooks.conftest import SetConnection

SECRET = "api:s3cret-token"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"datamart_id": "1509"}, "Connected to datamart 1509 (Datamart 1509)."),
        ({}, "Connected. Set datamart_id in the connection to test the right on a datamart too."),
        (
            {"datamart_id": None, "timeout": None, "verify": None},
            "Connected. Set datamart_id in the connection to test",
        ),
    ],
)
def test_right(extra: dict[str, Any], said: str, set_connection: SetConnection) -> None:
    set_connection(extra=extra)
    works, message = MicsHook().test_connection()
    assert works
    assert message.startswith(said)


def test_right_with_a_login(set_connection: SetConnection) -> None:
    set_connection(login=DEFAULT_EMAIL, password=DEFAULT_PASSWORD)
    assert MicsHook().test_connection() == (True, "Connected to datamart 1509 (Datamart 1509).")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"password": SECRET}, "does not accept the token or password. ", id="wrong token"),
        pytest.param({"password": SECRET, "extra": {}}, "does not accept the token", id="wrong token, no datamart"),
        pytest.param({"login": DEFAULT_EMAIL, "password": SECRET}, "does not accept the token or", id="wrong password"),
        pytest.param({"extra": {"datamart_id": "1510"}}, "has no right to this. ", id="forbidden"),
        pytest.param({"extra": {"datamart_id": "999"}}, "There is no such datamart, or ", id="unknown"),
        pytest.param({"password": None}, "has no password", id="no password"),
        pytest.param({"password": f"Bearer {SECRET}"}, "begins with 'Bearer'", id="Bearer"),
        pytest.param({"host": "http://api.example.com"}, "only over https", id="plain http"),
        pytest.param({"host": "https://[::1"}, "not an address", id="no address"),
        pytest.param({"extra": {"datamart_id": SECRET}}, "datamart id of the connection must be", id="odd datamart"),
        pytest.param({"extra": {"timeout": "soon"}}, "timeout in the connection's extra must be", id="odd timeout"),
        pytest.param({"extra": {"verify": "/nowhere.pem"}}, "/nowhere.pem, does not exist here", id="no CA file"),
        pytest.param({"extra": {"proxy": f"socks5://x:{SECRET}@p"}}, "must be an HTTP proxy's", id="odd proxy"),
    ],
)
def test_wrong_is_told_apart_and_shows_no_secret(
    fields: dict[str, Any], said: str, set_connection: SetConnection, sandbox: Sandbox
) -> None:
    set_connection(**fields)
    works, message = MicsHook().test_connection()
    assert not works
    assert said in message
    for secret in ("s3cret", sandbox.token.removeprefix("api:"), DEFAULT_PASSWORD, DEFAULT_EMAIL):
        assert secret not in message


def test_a_port_that_nobody_listens_on(set_connection: SetConnection) -> None:
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        set_connection(host=f"http://127.0.0.1:{kept.getsockname()[1]}")
        works, message = MicsHook().test_connection()
    assert not works
    assert message == (
        "The API cannot be reached. Could not get datamart 1509: Connection refused. Check the connection's host and "
        "proxy, and that this machine may reach them."
    )


PAGE = b"<html><body>It works!</body></html>"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(http(PAGE, content_type="text/html"), id="page"),
        pytest.param(http(PAGE, status="404 Not Found", content_type="text/html"), id="page not found"),
        pytest.param(http(PAGE, status="403 Forbidden", content_type="text/html"), id="page forbidden"),
        pytest.param(http(b"", status="302 Found", Location="https://login.example.com/"), id="redirect"),
        pytest.param(http(b'{"message": "hello"}'), id="another API"),
        pytest.param(http(b""), id="nothing"),
    ],
)
@pytest.mark.parametrize("extra", [{}, {"datamart_id": "1509"}])
def test_a_server_that_is_not_this_api(answer: bytes, extra: dict[str, Any], set_connection: SetConnection) -> None:
    with Recorder(lambda _: answer) as server:
        set_connection(host=server.url, extra=extra)
        works, message = MicsHook().test_connection()
    assert not works
    assert message.startswith("Something answers at this host, but it is not the mediarithmics API. Could not get ")
    assert "It works" not in message


def test_what_does_not_even_speak_http(set_connection: SetConnection) -> None:
    with Recorder(lambda _: b"SSH-2.0-OpenSSH_9.6\r\n") as server:
        set_connection(host=server.url)
        works, message = MicsHook().test_connection()
    assert not works
    assert message.startswith("The API cannot be reached. Could not get datamart 1509: ")


def test_an_api_that_is_down(set_connection: SetConnection, sandbox: Sandbox) -> None:
    sandbox.faults.plan("status", status=503, times=None, text="Maintenance")
    set_connection()
    works, message = MicsHook().test_connection()
    assert not works
    assert "HTTP 503: Maintenance" in message
