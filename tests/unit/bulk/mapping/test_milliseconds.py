from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import Decimal
from typing import Any

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.bulk.mapping import Milliseconds
from airflow_provider_mics.exceptions import MicsInputError
from tests.unit.bulk.mapping.mapped import naive, one

PARIS = Milliseconds("c", timezone="Europe/Paris")
#: 2024-06-10T06:13:20Z.
MOMENT = 1_718_000_000_000


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (naive(2024, 6, 10, 8, 13, 20), MOMENT),
        (naive(2024, 6, 10, 8, 13, 20, 999_999), MOMENT + 999),
        (dt.datetime(2024, 6, 10, 6, 13, 20, tzinfo=dt.UTC), MOMENT),
        (pendulum.datetime(2024, 6, 10, 6, 13, 20), MOMENT),
        (dt.date(2024, 6, 10), MOMENT - 8 * 3_600_000 - 800_000),
        (dt.date(1970, 1, 1), -3_600_000),
        ("2024-06-10T08:13:20", MOMENT),
        ("2024-06-10 08:13:20.5", MOMENT + 500),
        ("2024-06-10T06:13:20Z", MOMENT),
        ("2024-06-10T06:13:20+00:00", MOMENT),
        ("2024-06-10", MOMENT - 8 * 3_600_000 - 800_000),
        (MOMENT, MOMENT),
        (str(MOMENT), MOMENT),
        (Decimal(MOMENT), MOMENT),
        # Clocks show 02:30 twice in the night of 2026-10-25: the first one, in summer time, is taken.
        (naive(2026, 10, 25, 2, 30), 1_792_888_200_000),
        # And not at all in that of 2026-03-29: it is what they show an hour later.
        (naive(2026, 3, 29, 2, 30), 1_774_747_800_000),
        (None, "left out"),
    ],
)
def test_moments_are_counted(value: Any, result: Any) -> None:
    assert one(PARIS, value) == result


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_718_000_000, "an integer that looks like seconds"),
        ("1718000000", "an integer that looks like seconds"),
        (0, "an integer that looks like seconds"),
        (-1, "an integer that looks like seconds"),
        ("20240610", "an integer that looks like seconds"),
        (MOMENT * 1000, "an integer that looks like microseconds or nanoseconds"),
        ("9" * 5000, "microseconds"),
        (-MOMENT, "microseconds"),
        (1.718e12, "of the type float"),
        (float("nan"), "NaN or infinity"),
        (True, "of the type bool"),
        (Decimal("1718000000000.5"), "of the type Decimal"),
        ("yesterday", "another text"),
        ("", "another text"),
        ("00001718000000000", "another text"),
        ("10/06/2024", "another text"),
        (b"2024-06-10", "bytes"),
        (dt.time(8), "of the type time"),
    ],
)
def test_what_is_no_moment_is_refused(value: Any, expected: str) -> None:
    with pytest.raises(MicsInputError, match=expected) as raised:
        one(PARIS, value)
    if isinstance(value, str) and value:
        assert value not in str(raised.value)


@pytest.mark.parametrize("value", [naive(2024, 6, 10, 8), dt.date(2024, 6, 10), "2024-06-10T08:13:20", "2024-06-10"])
def test_a_zone_is_not_guessed(value: Any) -> None:
    with pytest.raises(MicsInputError, match="a time stamp without a time zone; name its zone with timezone="):
        one(Milliseconds("c"), value)


@given(st.datetimes(naive(2, 1, 1), naive(9998, 12, 31), timezones=st.just(zoneinfo.ZoneInfo("Europe/Paris"))))
def test_milliseconds_are_those_of_the_moment(moment: dt.datetime) -> None:
    since = moment.astimezone(dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    assert one(Milliseconds("c"), moment) == since // dt.timedelta(milliseconds=1)


@pytest.mark.parametrize("moment", [naive(1, 1, 1), naive(9999, 12, 31, 23)])
def test_moments_at_the_ends_of_time_are_counted_or_refused(moment: dt.datetime) -> None:
    for zone in ("Asia/Tokyo", "America/New_York"):
        try:
            one(Milliseconds("c", timezone=zone), moment)
        except MicsInputError as error:
            assert "at the end of time" in str(error)  # noqa: PT017 - either is right
