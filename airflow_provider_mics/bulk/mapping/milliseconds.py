"""Time stamps as the platform counts them: milliseconds since 1970-01-01T00:00Z."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any, Final

from airflow_provider_mics.bulk.mapping.converter import Converter, RefusedError, describe, with_zone

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_DIGITS: Final = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
#: Integers are taken for milliseconds between these: from March 1973 to the year 5138. Smaller ones look like seconds
#: (today's have 10 digits), larger ones like microseconds or nanoseconds.
_LEAST: Final = 10**11
_MOST: Final = 10**14


def milliseconds_converter(timezone: dt.tzinfo | None) -> Converter:
    """Return what makes milliseconds of time stamps, dates (their first moment) and ISO 8601 text.

    A moment that the zone's clocks show twice is taken for the first one; one that they skip, for as much later.

    :param timezone: Of values that name none; None: they are refused.
    """

    def convert(value: Any) -> int:
        match value:
            case bool():
                raise RefusedError(describe(value))
            case int():
                return _count(int(value))
            case Decimal() if value.is_finite() and value == value.to_integral_value():
                return _count(int(value))
            case dt.datetime():
                return _since_epoch(with_zone(value, timezone))
            case dt.date():
                return _since_epoch(with_zone(dt.datetime.combine(value, dt.time()), timezone))
            case str() if _DIGITS.fullmatch(value):
                # More digits than _MOST has are too many in any case.
                return _count(int(value[:20]))
            case str():
                return _since_epoch(with_zone(_parsed(value), timezone))
            case _:
                raise RefusedError(describe(value))

    return Converter(expected="a time stamp, a date, ISO 8601 text or milliseconds", convert=convert)


def _parsed(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError("another text") from None


def _since_epoch(moment: dt.datetime) -> int:
    try:
        # pendulum's own subtraction makes an interval, which is not divided by a plain timedelta.
        return dt.datetime.__sub__(moment, _EPOCH) // _MILLISECOND
    except OverflowError:
        raise RefusedError("a time stamp at the end of time") from None


def _count(value: int) -> int:
    if -_LEAST < value < _LEAST:
        raise RefusedError("an integer that looks like seconds; convert it in the query, as in 1000 * column")
    if value < 0 or value > _MOST:
        raise RefusedError("an integer that looks like microseconds or nanoseconds; convert it in the query")
    return value
