"""What goes over the wire, byte for byte, and where it never goes."""

from __future__ import annotations

import base64
import gzip
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api import async_client, client, data_files, directory, document_imports
from airflow_provider_mics.api.credentials import TokenCredentials
from airflow_provider_mics.api.transport import USER_AGENT
from airflow_provider_mics.exceptions import (
    MicsAuthenticationError,
    MicsRedirectError,
    MicsReplyError,
    MicsTransportError,
    Outcome,
)
from tests.contract.api.recorder import THING, Recorder, http

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.api.conftest import ClosedPort, Connect
    from tests.contract.api.talkers import Talker

#: Every printable character but the space, as far as a header may hold them.
TOKENS = ["api:sandbox-token", "plain", "Basic dXNlcjpwYXNz", "".join(map(chr, range(0x21, 0x7F)))]


@pytest.mark.parametrize("token", TOKENS)
def test_the_token_is_the_whole_authorization_header(token: str, connect: Connect, recorder: Recorder) -> None:
    connect(recorder.url, TokenCredentials(token)).send(directory.connected_user())
    (received,) = recorder.requests
    assert received.headers["authorization"] == token


def test_a_get_as_a_whole(connect: Connect, recorder: Recorder) -> None:
    talker = connect(recorder.url)
    call = document_imports.find("1509", keywords="d'été & co/?#=+%20", max_results=5)
    with pytest.raises(MicsReplyError):
        talker.send(call)
    received = recorder.requests[0]
    method, target, version = received.line.split(" ")
    assert (method, version) == ("GET", "HTTP/1.1")
    path, _, query = target.partition("?")
    assert path == "/v1/datamarts/1509/document_imports"
    assert query.endswith("&first_result=0&max_results=5")
    # Which of the harmless characters are escaped is the library's choice.
    assert {"%26", "%23", "%3D", "%2B", "%2520"} <= {query[i : i + n] for i in range(len(query)) for n in (3, 5)}
    assert received.body == b""
    assert set(received.headers) <= {
        "host", "user-agent", "accept", "accept-encoding", "authorization", "connection",
    }  # fmt: skip
    assert received.headers["user-agent"] == USER_AGENT
    assert received.headers["host"] == recorder.address


def test_a_body_as_a_whole(connect: Connect, recorder: Recorder) -> None:
    connect(recorder.url).send(document_imports.create("1509", document_type="USER_PROFILE", name="Été"))
    (received,) = recorder.requests
    assert json.loads(received.body)["name"] == "Été"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["content-length"] == str(len(received.body))


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_they_are_refused_and_nothing_is_sent_on(
        self, status: int, method: str, talker: Talker, sandbox: Sandbox, recorder: Recorder
    ) -> None:
        sandbox.faults.plan("redirect", status=status, location=f"{recorder.url}/v1/connected_user", times=None)
        create = document_imports.create("1509", document_type="USER_PROFILE", name="x")
        call: Call[Any] = directory.connected_user() if method == "GET" else create
        with pytest.raises(MicsRedirectError, match=f"HTTP {status}, a redirect, which is never followed") as caught:
            talker.send(call)
        assert sandbox.count("total") == 1
        assert recorder.connections == 0
        assert recorder.address not in str(caught.value)


class TestEnvironment:
    def test_a_netrc_entry_is_ignored(
        self, connect: Connect, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in (".netrc", "_netrc"):
            (tmp_path / name).write_text("machine 127.0.0.1 login jeanne password evil\ndefault login x password y\n")
            (tmp_path / name).chmod(0o600)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        connect(recorder.url, TokenCredentials("api:token")).send(directory.connected_user())
        assert recorder.requests[0].headers["authorization"] == "api:token"

    def test_its_proxy_is_used(
        self, connect: Connect, recorder: Recorder, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", recorder.url)
        monkeypatch.setenv("NO_PROXY", "example.com")
        connect(sandbox.url).send(directory.connected_user())
        assert recorder.requests[0].line == f"GET {sandbox.url}/v1/connected_user HTTP/1.1"

    def test_its_exceptions_are_too(
        self, connect: Connect, recorder: Recorder, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", recorder.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        connect(sandbox.url).send(directory.connected_user())
        assert recorder.connections == 0
        assert sandbox.count("get_connected_user") == 1


class TestProxy:
    def test_calls_go_through_it(self, connect: Connect, recorder: Recorder, sandbox: Sandbox) -> None:
        talker = connect(sandbox.url, TokenCredentials("api:token"), proxy=recorder.url)
        assert talker.send(directory.connected_user()).id == "1"
        (received,) = recorder.requests
        assert received.line == f"GET {sandbox.url}/v1/connected_user HTTP/1.1"
        assert received.headers["authorization"] == "api:token"
        assert sandbox.count("connections") == 0

    def test_it_may_want_a_password_and_no_scheme(self, connect: Connect, recorder: Recorder, sandbox: Sandbox) -> None:
        connect(sandbox.url, proxy=f"jeanne:p%40ss@{recorder.address}").send(directory.connected_user())
        basic = base64.b64encode(b"jeanne:p@ss").decode()
        assert recorder.requests[0].headers["proxy-authorization"] == f"Basic {basic}"

    def test_to_https_it_gets_no_token(self, connect: Connect) -> None:
        refusal = http(b"", status="407 Proxy Authentication Required")
        with Recorder(lambda _: refusal) as proxy:
            talker = connect("https://api.example.com", TokenCredentials("api:s3cret"), proxy=proxy.url)
            with pytest.raises(MicsTransportError, match="the proxy answered HTTP 407") as caught:
                talker.send(document_imports.create("1", document_type="USER_PROFILE", name="x"))
        assert {received.line for received in proxy.requests} <= {
            f"CONNECT api.example.com:443 HTTP/1.{n}" for n in "01"
        }
        assert "s3cret" not in str(proxy.requests)
        assert caught.value.outcome is Outcome.NOT_SENT

    def test_one_that_is_not_there(self, connect: Connect, closed_port: ClosedPort, sandbox: Sandbox) -> None:
        talker = connect(sandbox.url, proxy=f"http://jeanne:s3cret@127.0.0.1:{closed_port.number}")
        with pytest.raises(MicsTransportError, match="refused") as caught:
            talker.send(directory.connected_user())
        assert caught.value.outcome is Outcome.NOT_SENT
        assert "s3cret" not in str(caught.value)
        assert sandbox.count("connections") == 0


class TestReplies:
    def test_cookies_are_not_kept(self, connect: Connect) -> None:
        body = b'{"status": "ok", "data": {"id": "1"}}'
        with Recorder(lambda _: http(body, Set_Cookie="session=1; Path=/")) as server:
            talker = connect(server.url)
            for _ in range(2):
                talker.send(directory.connected_user())
        assert [received.headers.get("cookie") for received in server.requests] == [None, None]

    def test_one_that_is_compressed_is_read(self, connect: Connect) -> None:
        body = gzip.compress(b'{"status": "ok", "data": {"id": "77"}}')
        with Recorder(lambda _: http(body, Content_Encoding="gzip")) as server:
            assert connect(server.url).send(directory.connected_user()).id == "77"

    @pytest.mark.parametrize("compressed", [False, True])
    def test_one_that_is_too_large_is_not_read_to_its_end(
        self, compressed: bool, connect: Connect, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (client, async_client):
            monkeypatch.setattr(module, "MAX_REPLY_BYTES", 1024**2)
        content = bytes(4 * 1024**2)
        reply = http(gzip.compress(content), Content_Encoding="gzip") if compressed else http(content)
        with Recorder(lambda _: reply) as server, pytest.raises(MicsReplyError, match="larger than"):
            connect(server.url).send(data_files.download("mics://data_file/x"))

    def test_a_file_may_come_without_any_envelope(self, connect: Connect) -> None:
        content = bytes(range(256)) * 1000
        with Recorder(lambda _: http(content, content_type="application/octet-stream")) as server:
            assert connect(server.url).send(data_files.download("mics://data_file/x")) == content

    def test_broken_compression_is_a_reply_that_cannot_be_read(self, connect: Connect) -> None:
        with (
            Recorder(lambda _: http(b"not gzip", Content_Encoding="gzip")) as server,
            pytest.raises(MicsTransportError, match="Could not get the user of the API token"),
        ):
            connect(server.url).send(directory.connected_user())


@pytest.mark.parametrize(
    "answer", [b"", b"\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 abc\r\n\r\n", THING[:10], THING[:30], THING[:-1]]
)
def test_what_does_not_speak_http_or_stops_is_an_error_of_the_call(answer: bytes, connect: Connect) -> None:
    # requests takes headers that were cut for whole ones, and then finds no reply in the nothing after them.
    with (
        Recorder(lambda _: answer) as server,
        pytest.raises((MicsTransportError, MicsReplyError), match="Could not get the user"),
    ):
        connect(server.url).send(directory.connected_user())


def test_the_token_is_in_no_log_whatever_is_logged(
    connect: Connect, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        talker = connect(sandbox.url, TokenCredentials("api:s3cret-token"))
        with pytest.raises(MicsAuthenticationError) as caught:
            talker.send(directory.connected_user())
    assert "s3cret" not in caplog.text
    assert "s3cret" not in str(caught.value)


def test_a_token_that_was_replaced_is_refused_at_once_and_the_new_one_works(
    connect: Connect, talker: Talker, sandbox: Sandbox
) -> None:
    talker.send(directory.connected_user())
    new = sandbox.rotate_token()
    with pytest.raises(MicsAuthenticationError, match="Check the connection's password"):
        talker.send(directory.connected_user())
    assert sandbox.count("get_connected_user") == 2
    connect(sandbox.url, TokenCredentials(new)).send(directory.connected_user())
