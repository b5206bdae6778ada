"""Conversations about credentials, held by hand: the test plays the API and the clock."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest

from airflow_provider_mics.api import directory
from airflow_provider_mics.api.conversation import hold
from airflow_provider_mics.api.credentials import LoginCredentials, Renewal, TokenCredentials
from airflow_provider_mics.api.credentials import authorized as authorized_by_one
from airflow_provider_mics.api.models import AccessToken
from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsAuthenticationError,
    MicsCallError,
    MicsError,
    MicsServerError,
    MicsTransportError,
    Outcome,
)

CALL = directory.connected_user()
EMAIL, PASSWORD = "jeanne@example.com", "pa55/word"
LOG_IN = "log in with the connection's login and password"
RENEW = "renew the access token"


def authorized(*arguments: Any) -> Any:
    """Hold the conversation, and make the calls of its renewals too, as a transport would that does not wait."""
    conversation = authorized_by_one(*arguments)
    try:
        step = next(conversation)
        while True:
            try:
                result = (yield from step.calls()) if isinstance(step, Renewal) else (yield step)
            except MicsError as error:
                step = conversation.throw(error)
            else:
                step = conversation.send(result)
    except StopIteration as end:
        return end.value


class FakeAPI:
    """Answers the calls of conversations from a script, and remembers what they were.

    A call under authorization is remembered by its header, any other by what it is for.
    """

    def __init__(self, *script: object) -> None:
        self.script = list(script)
        self.seen: list[str] = []
        self.bodies: list[bytes | None] = []

    def perform(self, call: Any) -> Any:
        self.seen.append(call.headers.get("Authorization", call.what))
        self.bodies.append(call.content)
        answer = self.script.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def login() -> LoginCredentials:
    return LoginCredentials(EMAIL, PASSWORD)


def refused() -> MicsAuthenticationError:
    return MicsAuthenticationError(call="x", http_status=401)


def token(value: str, *, lifetime: int = 3600, refresh: str | None = None) -> AccessToken:
    return AccessToken(access_token=value, expires_in=lifetime, refresh_token=refresh)


def send(credentials: Any, api: FakeAPI, clock: Clock) -> Any:
    return hold(authorized(CALL, credentials, clock), api.perform)


class TestToken:
    @pytest.mark.parametrize("value", ["abc", "api:abc", "Basic abc"])
    def test_it_is_sent_as_it_is(self, value: str, clock: Clock) -> None:
        api = FakeAPI("done")
        assert send(TokenCredentials(value), api, clock) == "done"
        assert api.seen == [value]

    def test_refused_it_is_not_tried_again(self, clock: Clock) -> None:
        api = FakeAPI(refused())
        with pytest.raises(MicsAuthenticationError):
            send(TokenCredentials("abc"), api, clock)
        assert api.seen == ["abc"]

    def test_it_never_ends_by_itself(self, clock: Clock) -> None:
        api, credentials = FakeAPI("a", "b"), TokenCredentials("abc")
        credentials.accept(token("other"), clock())
        send(credentials, api, clock)
        clock.now += 10 * 365 * 86400
        send(credentials, api, clock)
        assert api.seen == ["abc", "abc"]


class TestLogin:
    def test_the_first_call_logs_in_and_later_ones_use_the_token(self, login: LoginCredentials, clock: Clock) -> None:
        api = FakeAPI(token("T1"), "a", "b")
        assert [send(login, api, clock), send(login, api, clock)] == ["a", "b"]
        assert api.seen == [LOG_IN, "T1", "T1"]
        assert api.bodies[0] == b'{"email":"jeanne@example.com","password":"pa55/word"}'

    @pytest.mark.parametrize(
        ("lifetime", "used_until"),
        [(3600, 3000), (1200, 600), (1000, 500), (60, 30), (86400, 85800)],
    )
    def test_it_is_renewed_before_it_ends(
        self, lifetime: int, used_until: float, login: LoginCredentials, clock: Clock
    ) -> None:
        login.accept(token("T1", lifetime=lifetime), clock.now)
        assert login.header(clock.now + used_until - 0.001) == "T1"
        assert login.header(clock.now + used_until) is None

    def test_renewal_uses_the_refresh_token_if_one_was_given(self, login: LoginCredentials, clock: Clock) -> None:
        tokens = [token("T1", refresh="R1"), token("T2", refresh="R2"), token("T3"), token("T4")]
        api = FakeAPI(*itertools.chain.from_iterable(zip(tokens, "abcd", strict=True)))
        for expected in "abcd":
            assert send(login, api, clock) == expected
            clock.now += 3600
        assert api.seen == [LOG_IN, "T1", RENEW, "T2", RENEW, "T3", LOG_IN, "T4"]
        assert (api.bodies[2], api.bodies[4]) == (b'{"refresh_token":"R1"}', b'{"refresh_token":"R2"}')

    @pytest.mark.parametrize("status", [400, 401, 403, 404])
    def test_a_refused_refresh_token_leaves_the_password(
        self, status: int, login: LoginCredentials, clock: Clock
    ) -> None:
        login.accept(token("T1", lifetime=0, refresh="R1"), clock())
        kind = MicsAuthenticationError if status == 401 else MicsAPIError
        api = FakeAPI(kind(call="x", http_status=status), token("T2"), "a")
        assert send(login, api, clock) == "a"
        assert api.seen == [RENEW, LOG_IN, "T2"]

    def test_a_refused_password_is_the_end(self, login: LoginCredentials, clock: Clock) -> None:
        api = FakeAPI(refused())
        with pytest.raises(MicsAuthenticationError):
            send(login, api, clock)
        assert api.seen == [LOG_IN]

    def test_a_refused_refresh_token_and_password_is_the_end(self, login: LoginCredentials, clock: Clock) -> None:
        login.accept(token("T1", lifetime=0, refresh="R1"), clock())
        api = FakeAPI(refused(), refused())
        with pytest.raises(MicsAuthenticationError):
            send(login, api, clock)
        assert api.seen == [RENEW, LOG_IN]

    def test_on_401_it_is_renewed_once(self, login: LoginCredentials, clock: Clock) -> None:
        api = FakeAPI(token("T1"), refused(), token("T2"), "a")
        assert send(login, api, clock) == "a"
        assert api.seen == [LOG_IN, "T1", LOG_IN, "T2"]

    def test_on_a_second_401_it_is_not(self, login: LoginCredentials, clock: Clock) -> None:
        api = FakeAPI(token("T1"), refused(), token("T2"), refused())
        with pytest.raises(MicsAuthenticationError):
            send(login, api, clock)
        assert api.seen == [LOG_IN, "T1", LOG_IN, "T2"]

    @pytest.mark.parametrize(
        "error",
        [
            MicsServerError(call="x", http_status=500),
            MicsTransportError("x", call="x", outcome=Outcome.UNKNOWN),
            MicsAPIError(call="x", http_status=400),
        ],
    )
    def test_other_errors_pass_and_the_token_stays(
        self, error: MicsCallError, login: LoginCredentials, clock: Clock
    ) -> None:
        api = FakeAPI(token("T1"), error, "a")
        with pytest.raises(type(error)):
            send(login, api, clock)
        assert send(login, api, clock) == "a"
        assert api.seen == [LOG_IN, "T1", "T1"]

    def test_every_new_secret_is_told(self, clock: Clock) -> None:
        told: list[str] = []
        login = LoginCredentials(EMAIL, PASSWORD, told.append)
        login.accept(token("T1", refresh="R1"), clock())
        login.accept(token("T2"), clock())
        assert told == ["T1", "R1", "T2"]


class TestTwoThreads:
    """Conversations of two threads, taken step by step so that they interleave in the worst ways."""

    def test_what_another_renewed_is_used_and_not_renewed_again(self, login: LoginCredentials, clock: Clock) -> None:
        login.accept(token("T1"), clock())
        mine, other = authorized(CALL, login, clock), authorized(CALL, login, clock)
        assert next(mine).headers["Authorization"] == next(other).headers["Authorization"] == "T1"
        assert other.throw(refused()).what == LOG_IN
        assert other.send(token("T2")).headers["Authorization"] == "T2"
        assert mine.throw(refused()).headers["Authorization"] == "T2"

    def test_a_late_401_does_not_throw_the_newer_token_away(self, login: LoginCredentials, clock: Clock) -> None:
        login.accept(token("T2"), clock())
        login.refuse("T1")
        assert login.header(clock()) == "T2"

    def test_a_refresh_token_is_used_by_one_only(self, login: LoginCredentials, clock: Clock) -> None:
        login.accept(token("T1", lifetime=0, refresh="R1"), clock())
        mine, other = authorized(CALL, login, clock), authorized(CALL, login, clock)
        assert [next(mine).what, next(other).what] == [RENEW, LOG_IN]

    def test_a_refused_renewal_is_no_error_if_another_has_succeeded(
        self, login: LoginCredentials, clock: Clock
    ) -> None:
        login.accept(token("T1", lifetime=0, refresh="R1"), clock())
        mine, other = authorized(CALL, login, clock), authorized(CALL, login, clock)
        next(mine)
        next(other)
        other.send(token("T2", refresh="R2"))
        assert mine.throw(refused()).headers["Authorization"] == "T2"

    def test_one_that_waited_for_another_s_renewal_makes_none(self, login: LoginCredentials, clock: Clock) -> None:
        waiting = next(authorized_by_one(CALL, login, clock))
        login.accept(token("T1"), clock())
        assert isinstance(waiting, Renewal)
        assert hold(waiting.calls(), lambda _: pytest.fail("it asked again")) == "T1"

    def test_many_at_once_all_get_through(self, clock: Clock) -> None:
        login = LoginCredentials(EMAIL, PASSWORD)
        counter = itertools.count()

        def perform(call: Any) -> Any:
            return call.headers.get("Authorization") or token(f"T{next(counter)}")

        results: list[Any] = []

        def work() -> None:
            for _ in range(50):
                results.append(hold(authorized(CALL, login, clock), perform))
                login.refuse(results[-1])

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 400
        assert all(result.startswith("T") for result in results)
