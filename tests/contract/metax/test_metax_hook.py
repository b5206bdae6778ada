"""The hook of MetaX against a server that keeps what it is sent, byte for byte."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api import metax as calls
from airflow_provider_mics.exceptions import (
    MicsAuthenticationError,
    MicsRedirectError,
    MicsServerError,
    MicsTransportError,
    Outcome,
)
from airflow_provider_mics.hooks.metax import MetaxHook
from tests.contract.api.recorder import Recorder, http

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.contract.metax.conftest import Metax, SetConnection

#: All that means something in an address, or that clients and servers rewrite there.
ODD = "o'neil+tv@example.org/../é;a=b,c?#%2F d"
ODD_SEGMENT = "o%27neil%2Btv@example.org%2F..%2F%C3%A9%3Ba%3Db%2Cc%3F%23%252F%20d"
STATS = {"favorites": ["a"], "view_data": [{"asset_id": "b", "user_rating": 4}]}
SUMS = {"view_data": [{"asset_id": "b", "play_count": 1}]}


def put_here() -> None:
    MetaxHook().put_user_stats("x", STATS)


def put_on_a_loop() -> None:
    async def main() -> None:
        async with MetaxHook().async_client() as client:
            await client.send(calls.put_user_stats("x", STATS))

    asyncio.run(main())


def test_the_vendor_s_example_as_a_whole(metax: Metax, set_connection: SetConnection) -> None:
    set_connection(metax.recorder.url, login=None, password="T0")
    MetaxHook().put_user_stats("user@example.org", STATS)
    (received,) = metax.recorder.requests
    assert received.line == "PUT /metax/3.0/ui/user/stat/user@example.org?isDelta=true HTTP/1.1"
    assert received.headers["authorization"] == "Bearer T0"
    assert received.headers["content-type"] == "application/json"
    assert json.loads(received.body) == STATS


def test_both_transports_send_the_same_address(metax: Metax, set_connection: SetConnection) -> None:
    set_connection(metax.recorder.url)
    MetaxHook().put_user_stats(ODD, STATS, is_delta=False)

    async def main() -> None:
        async with MetaxHook().async_client() as client:
            await client.send(calls.put_user_stats(ODD, STATS, is_delta=False))

    asyncio.run(main())
    line = f"PUT /metax/3.0/ui/user/stat/{ODD_SEGMENT}?isDelta=false HTTP/1.1"
    assert [received.line for received in metax.calls] == [line, line]
    assert [received.body for received in metax.calls] == [metax.calls[0].body] * 2


def test_favorites(metax: Metax, set_connection: SetConnection) -> None:
    set_connection(metax.recorder.url)
    hook = MetaxHook()
    metax.answer = lambda _: http(b'[{"Id": "a"}]')
    assert hook.list_favorites(ODD, size="max") == [{"Id": "a"}]
    metax.answer = lambda _: http(b"", content_type="text/plain")
    hook.add_favorite("x", "NNVG 1")
    hook.delete_favorite("x", "NNVG 1")
    assert [received.line.removesuffix(" HTTP/1.1") for received in metax.calls] == [
        f"GET /metax/2.1/activity/fav/{ODD_SEGMENT}?size=max",
        "PUT /metax/2.1/activity/fav/x/NNVG%201",
        "DELETE /metax/2.1/activity/fav/x/NNVG%201",
    ]


class TestTokens:
    def test_one_is_got_used_and_renewed_when_it_is_refused(self, metax: Metax, set_connection: SetConnection) -> None:
        set_connection(metax.recorder.url)
        hook = MetaxHook()
        hook.put_user_stats("x", SUMS)
        hook.put_user_stats("x", SUMS)
        metax.revoke()
        hook.put_user_stats("x", SUMS)
        assert [received.headers["authorization"] for received in metax.calls] == [
            "Bearer T1", "Bearer T1", "Bearer T1", "Bearer T3",
        ]  # fmt: skip
        request = metax.recorder.requests[0]
        assert request.line == "POST /ums/2.0/oauth/ HTTP/1.1"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert request.body == b"grant_type=client_credentials"

    def test_many_calls_at_once_share_one(self, metax: Metax, set_connection: SetConnection) -> None:
        set_connection(metax.recorder.url)

        async def main() -> None:
            async with MetaxHook().async_client() as client:
                await asyncio.gather(*(client.send(calls.list_favorites("x")) for _ in range(20)))
                assert (metax.tokens, len(metax.calls)) == (1, 20)
                metax.revoke()
                await asyncio.gather(*(client.send(calls.list_favorites("x")) for _ in range(20)))
                assert metax.tokens == 3

        asyncio.run(main())

    def test_it_comes_from_another_server(self, metax: Metax, set_connection: SetConnection) -> None:
        with Recorder(lambda _: http(b'{"access_token": "T0", "expires_in": "3600"}')) as oauth:
            set_connection(metax.recorder.url, extra={"oauth_url": f"{oauth.url}/elsewhere"})
            MetaxHook().put_user_stats("x", STATS)
        assert [received.line for received in oauth.requests] == ["POST /elsewhere HTTP/1.1"]
        assert len(metax.recorder.requests) == 1

    @pytest.mark.parametrize("put", [put_here, put_on_a_loop])
    @pytest.mark.parametrize("named", ["oauth", "metax"])
    def test_what_the_environment_says_of_proxies_is_asked_for_each_server(
        self,
        named: str,
        put: Callable[[], None],
        metax: Metax,
        set_connection: SetConnection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """One of the two servers is exempt; both are on this machine, so their names must differ."""
        proxied = {"oauth": "localhost", "metax": "127.0.0.1"}
        answer = http(b'{"access_token": "T0"}')
        with Recorder(lambda _: answer) as proxy:
            port = metax.recorder.address.rpartition(":")[2]
            set_connection(f"http://127.0.0.1:{port}", extra={"oauth_url": f"http://localhost:{port}/ums/2.0/oauth/"})
            monkeypatch.setenv("http_proxy", proxy.url)
            (exempt,) = (host for name, host in proxied.items() if name != named)
            monkeypatch.setenv("no_proxy", exempt)
            put()
        (through,) = proxy.requests
        assert through.line.split(" ")[1].startswith(f"http://{proxied[named]}:{port}/")
        assert len(metax.recorder.requests) == 1

    def test_wrong_credentials(self, metax: Metax, set_connection: SetConnection) -> None:
        set_connection(metax.recorder.url, password="wrong-s3cret")
        with pytest.raises(MicsAuthenticationError, match="get an access token with the connection's client") as caught:
            MetaxHook().put_user_stats("x", STATS)
        assert "s3cret" not in str(caught.value)
        assert metax.calls == []


class TestRepeats:
    ONCE_503 = http(b"", status="503 Service Unavailable")

    @pytest.mark.parametrize(("stats", "is_delta"), [(STATS, True), (SUMS, False)])
    def test_what_may_be_repeated_is(
        self, stats: dict[str, Any], is_delta: bool, metax: Metax, set_connection: SetConnection
    ) -> None:
        set_connection(metax.recorder.url)
        metax.answer = lambda _: self.ONCE_503 if len(metax.calls) == 1 else http(b"")
        MetaxHook().put_user_stats("x", stats, is_delta=is_delta)
        assert len(metax.calls) == 2

    def test_a_delta_with_sums_is_not(self, metax: Metax, set_connection: SetConnection) -> None:
        set_connection(metax.recorder.url)
        metax.answer = lambda _: self.ONCE_503
        with pytest.raises(MicsServerError):
            MetaxHook().put_user_stats("x", SUMS)
        assert len(metax.calls) == 1
        # No answer at all: nobody knows.
        metax.answer = lambda _: b""
        with pytest.raises(MicsTransportError) as caught:
            MetaxHook().put_user_stats("x", SUMS)
        assert caught.value.outcome is Outcome.UNKNOWN
        assert len(metax.calls) == 2

    def test_but_it_is_after_429(self, metax: Metax, set_connection: SetConnection) -> None:
        set_connection(metax.recorder.url)
        busy = http(b"", status="429 Too Many Requests", Retry_After="0")
        metax.answer = lambda _: busy if len(metax.calls) == 1 else http(b"")
        MetaxHook().put_user_stats("x", SUMS)
        assert len(metax.calls) == 2


def test_redirects_are_refused(metax: Metax, set_connection: SetConnection) -> None:
    set_connection(metax.recorder.url)
    with Recorder() as other:
        metax.answer = lambda _: http(b"", status="307 Temporary Redirect", Location=other.url)
        with pytest.raises(MicsRedirectError):
            MetaxHook().put_user_stats("x", STATS)
        assert other.connections == 0


def test_a_netrc_entry_is_ignored(
    metax: Metax, set_connection: SetConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login jeanne password evil\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    set_connection(metax.recorder.url)
    MetaxHook().put_user_stats("x", STATS)
    assert [received.headers["authorization"] for received in metax.calls] == ["Bearer T1"]


class TestConnectionTest:
    @pytest.mark.parametrize("fields", [{}, {"login": None, "password": "T0"}])
    def test_right(self, fields: dict[str, Any], metax: Metax, set_connection: SetConnection) -> None:
        set_connection(metax.recorder.url, **fields)
        assert MetaxHook().test_connection() == (True, "Connected: MetaX accepts the token.")
        assert [received.line for received in metax.calls] == [
            "GET /metax/2.1/activity/fav/airflow-connection-test HTTP/1.1"
        ]

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"password": "wrong-s3cret"}, "The token, or the client id and secret, are not accepted. "),
            ({"login": None, "password": "wrong-s3cret"}, "The token, or the client id and secret, are not accepted. "),
            ({"password": None}, "The connection has no password. "),
            ({"host": None}, "The connection has no host. "),
            ({"host": "http://metax.example.com"}, "The connection's host is http://metax.example.com"),
        ],
    )
    def test_wrong(self, fields: dict[str, Any], said: str, metax: Metax, set_connection: SetConnection) -> None:
        set_connection(metax.recorder.url, **fields)
        works, message = MetaxHook().test_connection()
        assert not works
        assert message.startswith(said)
        assert "s3cret" not in message

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (http(b"<p>It works</p>", content_type="text/html"), "Something answers there, but it is not MetaX. "),
            (http(b"", status="302 Found", Location="https://x"), "Something answers there, but it is not MetaX. "),
            (http(b"<p>404</p>", status="404 Not Found"), "A server answers, but not to this address. "),
            (http(b"", status="403 Forbidden"), "Could not list a subscriber's favorites: the API answered HTTP 403"),
        ],
    )
    def test_other_servers(self, answer: bytes, said: str, metax: Metax, set_connection: SetConnection) -> None:
        set_connection(metax.recorder.url)
        metax.answer = lambda _: answer
        works, message = MetaxHook().test_connection()
        assert not works
        assert message.startswith(said)
        assert "<p>" not in message

    def test_nobody_there(self, metax: Metax, set_connection: SetConnection) -> None:
        with socket.socket() as kept:
            kept.bind(("127.0.0.1", 0))
            set_connection(metax.recorder.url, host=f"http://127.0.0.1:{kept.getsockname()[1]}")
            works, message = MetaxHook().test_connection()
        assert not works
        assert message.startswith("MetaX, or the address that gives its tokens, cannot be reached. ")
