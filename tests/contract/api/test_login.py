"""Logging in with e-mail and password, against a server that ends and revokes tokens."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from airflow_provider_mics.api import authentication, directory
from airflow_provider_mics.api.client import MicsClient
from airflow_provider_mics.api.credentials import LoginCredentials
from airflow_provider_mics.api.settings import APISettings
from airflow_provider_mics.exceptions import MicsAuthenticationError, MicsTransportError
from airflow_provider_mics.sandbox.defaults import DEFAULT_EMAIL, DEFAULT_PASSWORD

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.api.conftest import Connect
    from tests.contract.api.talkers import Talker

LOG_INS = "create_access_token"


@pytest.fixture
def masked() -> list[str]:
    return []


@pytest.fixture
def login(connect: Connect, sandbox: Sandbox, masked: list[str]) -> Talker:
    return connect(sandbox.url, LoginCredentials(DEFAULT_EMAIL, DEFAULT_PASSWORD, masked.append))


def test_it_logs_in_once_and_tells_the_token(login: Talker, sandbox: Sandbox, masked: list[str]) -> None:
    for _ in range(3):
        login.send(directory.connected_user())
    assert [record.kind for record in sandbox.requests] == [LOG_INS, *["get_connected_user"] * 3]
    assert "authorization" not in sandbox.requests[0].headers
    assert len(masked) == 1
    assert len(masked[0]) > 20


@pytest.mark.parametrize("how", ["expired", "revoked"])
def test_on_401_it_logs_in_once_more(how: str, login: Talker, sandbox: Sandbox, masked: list[str]) -> None:
    login.send(directory.connected_user())
    if how == "expired":
        sandbox.advance(3601)
    else:
        sandbox.revoke_tokens()
    login.send(directory.connected_user())
    assert [record.status for record in sandbox.requests] == [200, 200, 401, 200, 200]
    assert sandbox.count(LOG_INS) == 2
    assert len(set(masked)) == 2


def test_a_token_of_short_life_is_renewed_before_it_ends(login: Talker, sandbox: Sandbox) -> None:
    sandbox.faults.plan("rewrite", kind=LOG_INS, data={"expires_in": 0})
    login.send(directory.connected_user())
    login.send(directory.connected_user())
    assert sandbox.count(LOG_INS) == 2
    assert sandbox.count("status_401") == 0


@pytest.mark.parametrize("rotated", [False, True])
def test_a_refresh_token_is_used_where_one_is_given(
    rotated: bool, login: Talker, talker: Talker, sandbox: Sandbox, masked: list[str]
) -> None:
    sandbox.settings.rotate_refresh_tokens = rotated
    given = talker.send(authentication.create_refresh_token(DEFAULT_EMAIL, DEFAULT_PASSWORD)).refresh_token
    sandbox.faults.plan("rewrite", kind=LOG_INS, data={"expires_in": 0, "refresh_token": given})
    login.send(directory.connected_user())
    sent = {True: len(f'{{"refresh_token":"{given}"}}'), False: len(given)}
    login.send(directory.connected_user())
    log_ins = [record for record in sandbox.requests if record.kind == LOG_INS]
    assert [record.status for record in log_ins] == [200, 200]
    assert log_ins[1].body_bytes == sent[True]
    assert given in masked
    assert len(masked) == (4 if rotated else 3)


def test_a_refresh_token_that_ended_leaves_the_password(login: Talker, sandbox: Sandbox) -> None:
    sandbox.faults.plan("rewrite", kind=LOG_INS, data={"expires_in": 0, "refresh_token": "ended"})
    login.send(directory.connected_user())
    login.send(directory.connected_user())
    assert [record.status for record in sandbox.requests] == [200, 200, 401, 200, 200]


@pytest.mark.parametrize(("email", "password"), [(DEFAULT_EMAIL, "wr0ng"), ("nobody@example.com", DEFAULT_PASSWORD)])
def test_a_wrong_login_is_refused_once_and_not_shown(
    email: str, password: str, connect: Connect, sandbox: Sandbox
) -> None:
    with pytest.raises(MicsAuthenticationError, match="Could not log in with the connection's login") as caught:
        connect(sandbox.url, LoginCredentials(email, password)).send(directory.connected_user())
    assert sandbox.count("total") == 1
    assert password not in str(caught.value)
    assert email not in str(caught.value)


def test_an_expired_password_is_named(login: Talker, sandbox: Sandbox) -> None:
    sandbox.settings.password_expired = True
    with pytest.raises(MicsAuthenticationError, match="EXPIRED_PASSWORD_ERROR") as caught:
        login.send(directory.connected_user())
    assert caught.value.error_code == "EXPIRED_PASSWORD_ERROR"
    assert "connection's password" in str(caught.value)


def test_logging_in_is_tried_again_after_a_fault(login: Talker, sandbox: Sandbox) -> None:
    sandbox.faults.plan("reset", kind=LOG_INS, when="after_commit")
    sandbox.faults.plan("status", kind=LOG_INS, status=503)
    login.send(directory.connected_user())
    assert sandbox.count(LOG_INS) == 3


def test_a_failed_log_in_leaves_the_next_call_its_chance(login: Talker, sandbox: Sandbox) -> None:
    fault = sandbox.faults.plan("reset", kind=LOG_INS, times=5)
    with pytest.raises(MicsTransportError, match="log in"):
        login.send(directory.connected_user())
    assert len(fault.fired) == 5
    login.send(directory.connected_user())


def test_threads_that_share_a_client_all_get_through_a_revocation(sandbox: Sandbox) -> None:
    credentials = LoginCredentials(DEFAULT_EMAIL, DEFAULT_PASSWORD)
    barrier, done = threading.Barrier(8), list[str]()
    with MicsClient(APISettings(base_url=sandbox.url), credentials) as client:

        def work() -> None:
            for number in range(6):
                if barrier.wait() == 0 and number == 3:
                    sandbox.revoke_tokens()
                done.append(str(client.send(directory.connected_user()).id))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert done == ["4711"] * 48
    # At most one by each thread, at the beginning and after the revocation.
    assert sandbox.count(LOG_INS) <= 16
