from __future__ import annotations

import datetime as dt
import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.api.repeat import MAX_RETRY_AFTER_S, retry_after

NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("0.5", 0.5),
        ("-5", 0.0),
        ("900", 900.0),
        ("901", MAX_RETRY_AFTER_S),
        ("99999999999999999999", MAX_RETRY_AFTER_S),
        ("1e400", MAX_RETRY_AFTER_S),
        ("inf", MAX_RETRY_AFTER_S),
        ("-inf", 0.0),
        ("nan", None),
        ("", None),
        ("  ", None),
        ("soon", None),
        ("5;6", None),
        ("5 s", None),
        ("Mon, 23 Nov 2026 02:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 03:00:30 +0100", 30.0),
        # Without a zone it is UTC, as HTTP has no other.
        ("Mon, 23 Nov 2026 02:00:30", 30.0),
        ("Mon, 23 Nov 2026 01:59:00 GMT", 0.0),
        ("Mon, 23 Nov 2099 02:00:00 GMT", MAX_RETRY_AFTER_S),
        ("31 Dec 9999 23:59:59 -2359", MAX_RETRY_AFTER_S),
        ("1 Jan 1 00:00:00 +2359", 0.0),
        ("1 Jan 99999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2020 00:00:00 +999999", None),
        ("Mon, 99 Foo 2020 99:99:99 GMT", None),
    ],
)
def test_both_forms_are_read_and_cut_and_nonsense_is_none(text: str, expected: float | None) -> None:
    assert retry_after({"retry-after": text}, NOW) == expected


def test_without_the_header_there_is_nothing_to_obey() -> None:
    assert retry_after({}, NOW) is None


@given(st.text(max_size=60) | st.floats().map(str) | st.integers().map(str))
def test_nothing_that_a_server_can_write_breaks_it(text: str) -> None:
    seconds = retry_after({"retry-after": text}, NOW)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER_S


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_any_date_is_within_the_bounds(moment: dt.datetime) -> None:
    seconds = retry_after({"retry-after": email.utils.format_datetime(moment, usegmt=True)}, NOW)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER_S
