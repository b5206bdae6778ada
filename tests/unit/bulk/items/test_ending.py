"""How a failed call for one item is taken, and when sending stops."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_mics.api.call import Call
from airflow_provider_mics.api.envelope import nothing
from airflow_provider_mics.bulk.items.ending import MAX_FAILURES_IN_A_ROW, Ending, Health, ending_of
from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsAuthenticationError,
    MicsConfigurationError,
    MicsError,
    MicsNotFoundError,
    MicsRateLimitError,
    MicsRedirectError,
    MicsReplyError,
    MicsServerError,
    MicsTLSError,
    MicsTransportError,
    Outcome,
)


def call(*, repeatable: bool) -> Call[None]:
    return Call(what="x", method="PUT", path="/", read=nothing, repeatable=repeatable)


def answered(kind: type[MicsAPIError], status: int) -> MicsAPIError:
    return kind(call="x", http_status=status)


CUT = MicsTransportError("cut.", call="x", outcome=Outcome.UNKNOWN)
NEVER_SENT = MicsTransportError("refused.", call="x", outcome=Outcome.NOT_SENT)
BAD = answered(MicsAPIError, 400)
AWAY = answered(MicsServerError, 503)


@pytest.mark.parametrize(
    ("error", "once", "twice"),
    [
        (CUT, Ending.UNKNOWN, Ending.FAILED),
        (AWAY, Ending.UNKNOWN, Ending.FAILED),
        (MicsReplyError("not JSON.", call="x"), Ending.UNKNOWN, Ending.FAILED),
        (NEVER_SENT, Ending.FAILED, Ending.FAILED),
        (MicsTLSError("no.", call="x", outcome=Outcome.NOT_SENT), Ending.FAILED, Ending.FAILED),
        (MicsRedirectError("there.", call="x"), Ending.FAILED, Ending.FAILED),
        (answered(MicsRateLimitError, 429), Ending.FAILED, Ending.FAILED),
        (answered(MicsAuthenticationError, 401), Ending.FAILED, Ending.FAILED),
        (answered(MicsNotFoundError, 404), Ending.REFUSED, Ending.REFUSED),
        (BAD, Ending.REFUSED, Ending.REFUSED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, MicsError) else str(value),
)
def test_an_ending(error: Any, once: Ending, twice: Ending) -> None:
    assert ending_of(call(repeatable=False), error) is once
    assert ending_of(call(repeatable=True), error) is twice


def test_an_item_of_which_no_call_can_be_made_is_refused() -> None:
    assert ending_of(None, MicsConfigurationError("no identifier")) is Ending.REFUSED


@pytest.mark.parametrize("error", [AWAY, CUT], ids=["503", "cut"])
def test_it_stops_when_the_platform_is_away(error: MicsError) -> None:
    health = Health()
    health.succeeded()
    for _ in range(MAX_FAILURES_IN_A_ROW - 1):
        health.ended(Ending.FAILED, error)
    assert health.stop is None
    health.ended(Ending.FAILED, error)

    assert health.stop is error


def test_a_success_in_between_lets_it_go_on() -> None:
    health = Health()
    for _ in range(3):
        for _ in range(MAX_FAILURES_IN_A_ROW - 1):
            health.ended(Ending.FAILED, AWAY)
        health.succeeded()

    assert health.stop is None


def test_it_stops_when_the_first_are_all_refused_but_not_for_refusals_between_others() -> None:
    at_first, later = Health(), Health()
    later.succeeded()
    for _ in range(MAX_FAILURES_IN_A_ROW):
        at_first.ended(Ending.REFUSED, BAD)
        later.ended(Ending.REFUSED, BAD)

    assert at_first.stop is BAD
    assert later.stop is None


def test_a_token_that_is_refused_stops_it_at_once() -> None:
    health = Health()
    health.ended(Ending.FAILED, answered(MicsAuthenticationError, 401))

    assert isinstance(health.stop, MicsAuthenticationError)
