"""TLS with certificates made for the test."""

from __future__ import annotations

import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest
import trustme

from airflow_provider_mics.api import directory, document_imports
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsTLSError, MicsTransportError, Outcome
from airflow_provider_mics.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.api.conftest import Connect


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def right(authority: trustme.CA, folder: Path) -> str:
    """File of the CA certificate that vouches for the servers."""
    authority.cert_pem.write_to_path(folder / "right.pem")
    return str(folder / "right.pem")


@pytest.fixture(scope="module")
def wrong(folder: Path) -> str:
    """File of another one."""
    trustme.CA().cert_pem.write_to_path(folder / "wrong.pem")
    return str(folder / "wrong.pem")


def served(authority: trustme.CA, name: str) -> Sandbox:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return Sandbox(ssl_context=context)


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Sandbox]:
    with served(authority, "127.0.0.1") as running:
        yield running


def assert_refused(
    connect: Connect, server: Sandbox, caplog: pytest.LogCaptureFixture, said: str, verify: object
) -> None:
    """Check that the server is not trusted, gets nothing, and is not tried again."""
    talker = connect(server.url, verify=verify)
    with pytest.raises(MicsTLSError, match=said) as caught:
        talker.send(document_imports.create("1509", document_type="USER_PROFILE", name="x"))
    assert "verify, which may name a file of CA certificates" in str(caught.value)
    assert (caught.value.outcome, caught.value.retryable) == (Outcome.NOT_SENT, False)
    assert "Attempt" not in caplog.text
    assert server.requests == []


def test_with_the_right_ca_it_works(connect: Connect, secure: Sandbox, right: str) -> None:
    talker = connect(secure.url, verify=right)
    for _ in range(3):
        assert talker.send(directory.datamart("1509")).id == "1509"
    assert secure.count("connections") == 1


def test_a_folder_may_be_named_and_trusts_what_is_in_it_only(
    connect: Connect, secure: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert_refused(connect, secure, caplog, "certificate not accepted", str(tmp_path))


def test_with_the_wrong_ca_nothing_is_sent(
    connect: Connect, secure: Sandbox, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert_refused(connect, secure, caplog, "certificate not accepted", wrong)


def test_with_the_world_s_cas_nothing_is_sent(
    connect: Connect, secure: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    assert_refused(connect, secure, caplog, "certificate not accepted", True)


def test_a_certificate_for_another_host_is_refused(
    connect: Connect, authority: trustme.CA, right: str, caplog: pytest.LogCaptureFixture
) -> None:
    with served(authority, "api.example.com") as server:
        assert_refused(connect, server, caplog, "certificate not accepted .*127.0.0.1", right)


def test_plain_http_on_a_https_address_is_refused(
    connect: Connect, sandbox: Sandbox, right: str, caplog: pytest.LogCaptureFixture
) -> None:
    talker = connect(sandbox.url.replace("http://", "https://"), verify=right)
    with pytest.raises(MicsTLSError, match="TLS failed") as caught:
        talker.send(directory.connected_user())
    assert caught.value.outcome is Outcome.NOT_SENT
    assert "Attempt" not in caplog.text
    assert sandbox.count("get_connected_user") == 0


def test_https_on_a_plain_address_is_an_error(connect: Connect, secure: Sandbox) -> None:
    with pytest.raises(MicsTransportError):
        connect(secure.url.replace("https://", "http://")).send(directory.connected_user())
    assert secure.requests == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
class TestEnvironment:
    def test_it_serves_a_connection_that_names_none(
        self, name: str, connect: Connect, secure: Sandbox, right: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(name, right)
        assert connect(secure.url).send(directory.connected_user()).id == "4711"

    def test_it_does_not_override_the_connection_s(
        self, name: str, connect: Connect, secure: Sandbox, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(name, wrong)
        assert connect(secure.url, verify=right).send(directory.connected_user()).id == "4711"
        monkeypatch.setenv(name, right)
        with pytest.raises(MicsTLSError):
            connect(secure.url, verify=wrong).send(directory.connected_user())


# Such a connection is worth a warning of the library's; the connection's form is the place to switch it off.
@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_without_verification_any_certificate_will_do(connect: Connect, secure: Sandbox) -> None:
    assert connect(secure.url, verify=False).send(directory.connected_user()).id == "4711"


@pytest.mark.parametrize("content", ["", "no certificate"])
def test_a_file_without_certificates_is_named(content: str, connect: Connect, secure: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(content)
    with pytest.raises((MicsConfigurationError, MicsTLSError)):
        connect(secure.url, verify=str(tmp_path / "ca.pem")).send(directory.connected_user())
    assert secure.requests == []


def test_an_absent_file_is_an_error_before_anything_is_sent(connect: Connect, secure: Sandbox) -> None:
    with pytest.raises(MicsConfigurationError, match="does not exist here"):
        connect(secure.url, verify="/nowhere/ca.pem")


def test_a_server_that_hangs_up_in_the_handshake_is_tried_again(connect: Connect, right: str) -> None:
    """As load balancers do with what they have no server for."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepted = 0

        def hang_up() -> None:
            nonlocal accepted
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                accepted += 1
                with connection:
                    connection.recv(10_000)

        thread = threading.Thread(target=hang_up)
        thread.start()
        talker = connect(f"https://127.0.0.1:{server.getsockname()[1]}", verify=right)
        with pytest.raises(MicsTransportError) as caught:
            talker.send(directory.connected_user())
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert not isinstance(caught.value, MicsTLSError)
    assert accepted >= 5
