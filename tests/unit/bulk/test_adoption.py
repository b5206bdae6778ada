"""Looking for a part among executions: found, shown absent, or undecided, and never before its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_mics.bulk.adoption import Sought, UndecidableError, search
from airflow_provider_mics.bulk.content import Content
from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsError,
    MicsNotFoundError,
    MicsRateLimitError,
    MicsRedirectError,
)
from tests.unit.bulk.script import Script, away, stored

if TYPE_CHECKING:
    from airflow_provider_mics.api.models import Execution

WANTED = b"one\ntwo\n"
OTHER = b"six\nten\n"


def look(script: Script, *, until: float = 10.0, picked_up_until: float = 100.0) -> Execution | None:
    """Look for the wanted part; the times are in s from now."""
    content = Content()
    content.feed(WANTED)
    sought = Sought(
        content=content,
        is_candidate=lambda execution: execution.execution_id != "99",
        until=script.now + until,
        picked_up_until=script.now + picked_up_until,
    )
    found: Execution | None = script.hold(search("1", "7", sought, script.time))
    return found


def test_an_execution_of_the_same_bytes_is_it() -> None:
    script = Script()
    script.listed = [stored(1, OTHER), stored(2, WANTED), stored(3, OTHER)]
    script.contents = {"1": OTHER, "2": WANTED, "3": OTHER}

    found = look(script)

    assert found is not None
    assert found.execution_id == "2"
    assert script.pauses == []


def test_white_space_is_no_difference() -> None:
    script = Script()
    script.listed = [stored(1, WANTED)]
    script.contents = {"1": b"one\r\ntwo\r\n"}

    assert look(script) is not None


def test_what_is_listed_late_is_waited_for() -> None:
    script = Script()
    script.listed = [stored(1, WANTED)]
    script.contents = {"1": WANTED}
    script.listed_from = {"1": script.now + 9.9}

    assert look(script) is not None


def test_nothing_is_absent_before_its_time() -> None:
    script = Script()
    began = script.now

    assert look(script) is None
    assert script.now >= began + 10
    assert script.now < began + 11


@pytest.mark.parametrize("call_s", [0.3, 3.0, 8.0, 30.0])
def test_a_list_that_was_asked_for_too_early_shows_nothing_absent(call_s: float) -> None:
    script = Script()
    script.call_s = call_s
    script.listed = [stored(1, WANTED)]
    script.contents = {"1": WANTED}
    script.listed_from = {"1": script.now + 9.99}

    assert look(script) is not None


def test_an_execution_of_another_number_of_lines_is_not_read() -> None:
    script = Script()
    script.listed = [stored(1, b"one\n" * 9)]

    assert look(script) is None
    assert not [call for call in script.calls if "data_file" in call]


def test_what_cannot_be_it_is_not_read() -> None:
    script = Script()
    script.listed = [stored(99, WANTED)]

    assert look(script) is None


def test_an_execution_that_does_not_tell_yet_is_waited_for() -> None:
    script = Script()
    script.listed = [stored(1)]
    script.contents = {"1": WANTED}

    with pytest.raises(UndecidableError) as caught:
        look(script)

    assert caught.value.execution_ids == ["1"]
    assert sum(script.pauses) == pytest.approx(100)


def test_it_is_read_as_soon_as_it_tells() -> None:
    script = Script()
    script.listed = [stored(1, WANTED)]
    script.contents = {"1": WANTED}
    picked_up_at = script.now + 50
    script.tells_from = {"1": picked_up_at}

    assert look(script) is not None
    assert picked_up_at <= script.now < picked_up_at + 20


@pytest.mark.parametrize(
    "refusal",
    [
        MicsNotFoundError(call="read", http_status=404),
        MicsAPIError(call="read", http_status=400),
        MicsRedirectError("moved.", call="read"),
        b"<html>\n" * 7,
        b"one\n" * 9,
    ],
)
def test_what_cannot_be_read_is_never_taken_for_it_nor_for_another(refusal: Exception | bytes) -> None:
    script = Script()
    script.listed = [stored(1, WANTED), stored(2, OTHER)]
    script.contents = {"1": refusal, "2": OTHER}

    with pytest.raises(UndecidableError) as caught:
        look(script)

    assert caught.value.execution_ids == ["1"]


def test_an_ended_execution_without_a_file_does_not_tell() -> None:
    script = Script()
    script.listed = [stored(1, status="FAILED")]

    with pytest.raises(UndecidableError):
        look(script)
    assert sum(script.pauses) < 20


@pytest.mark.parametrize("failure", [away(), MicsRateLimitError(call="read", http_status=429)])
def test_a_platform_that_is_away_decides_nothing(failure: MicsError) -> None:
    script = Script()
    script.listed = [stored(1, WANTED)]
    script.contents = {"1": failure}

    with pytest.raises(type(failure)):
        look(script)
