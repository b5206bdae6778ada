"""What is said of a connection that failed, and how it is judged."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl

import pytest
import requests
import urllib3

from airflow_provider_mics.api.transport import cause_of, is_timeout, is_tls_refusal


def chained(outer: BaseException, inner: BaseException) -> BaseException:
    outer.__cause__ = inner
    return outer


def in_requests(inner: BaseException) -> BaseException:
    """Wrap an error as requests does those that end a connection."""
    return requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", inner))


def ssl_error(kind: type[ssl.SSLError], reason: str) -> ssl.SSLError:
    error = kind(1, f"[SSL: {reason}] something")
    error.reason = reason
    return error


def certificate_error() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "unable to get local issuer certificate"
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "Connection refused"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('10.0.0.1', 443)"), "Connection refused"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known"),
        (in_requests(ConnectionResetError(104, "Connection reset by peer")), "Connection reset by peer"),
        (
            in_requests(http.client.RemoteDisconnected("Remote end closed connection without response")),
            "the server closed the connection before it answered",
        ),
        (in_requests(http.client.IncompleteRead(b"jeanne@example.com", 10)), "the reply was cut"),
        (certificate_error(), "certificate not accepted (unable to get local issuer certificate)"),
        (in_requests(certificate_error()), "certificate not accepted (unable to get local issuer certificate)"),
        (in_requests(ssl_error(ssl.SSLError, "WRONG_VERSION_NUMBER")), "TLS failed (WRONG_VERSION_NUMBER)"),
        (in_requests(OSError("Tunnel connection failed: 407 Needed")), "the proxy answered HTTP 407"),
        (chained(OSError(), ConnectionRefusedError(111, "Connection refused")), "Connection refused"),
        (requests.exceptions.InvalidHeader("secret"), "InvalidHeader"),
        (ValueError("https://user:secret@example.com"), "ValueError"),
    ],
)
def test_the_cause_is_said_in_words_without_the_address(error: BaseException, expected: str) -> None:
    assert cause_of(error) == expected


def test_errors_that_name_each_other_end() -> None:
    first, second = OSError(), OSError()
    first.__cause__, second.__cause__ = second, first
    assert cause_of(first) == "OSError"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (in_requests(certificate_error()), True),
        (in_requests(ssl_error(ssl.SSLError, "WRONG_VERSION_NUMBER")), True),
        (in_requests(ssl_error(ssl.SSLEOFError, "UNEXPECTED_EOF_WHILE_READING")), False),
        (in_requests(ssl.SSLZeroReturnError(6, "TLS/SSL connection has been closed (EOF)")), False),
        (in_requests(ConnectionResetError(104, "Connection reset by peer")), False),
    ],
)
def test_a_connection_that_ends_in_the_handshake_is_no_refusal(error: BaseException, expected: bool) -> None:
    assert is_tls_refusal(error) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError("timed out"), True),
        (in_requests(TimeoutError("The write operation timed out")), True),
        (in_requests(TimeoutError(110, "Connection timed out")), False),
        (in_requests(ConnectionResetError(104, "Connection reset by peer")), False),
    ],
)
def test_our_own_timeouts_are_told_from_the_system_s(error: BaseException, expected: bool) -> None:
    assert is_timeout(error) is expected
