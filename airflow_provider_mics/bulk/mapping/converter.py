"""How the values of one column become values of JSON. A conversion loses nothing and guesses nothing, or is refused."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import re
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from airflow_provider_mics.bulk.rows import find_unwritable, is_number
from airflow_provider_mics.exceptions import MicsConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

#: What becomes of a null: the field is left out, is null, or the load fails.
NullPolicy = Literal["omit", "null", "fail"]
ColumnType = Literal["string", "integer", "number", "boolean"]

_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
# RFC 8259 section 6.
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_BOOLEANS: Final = {"true": True, "false": False, "t": True, "f": False, "1": True, "0": False}
#: The platform's integers are signed and of 64 bits.
_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1
#: Beyond these not every integer has a float.
_MOST_EXACT_FLOAT: Final = 2**53

_NOT_FINITE: Final = "NaN or infinity"


class RefusedError(Exception):
    """A value cannot be converted. The text says what it is instead, without the value."""


def _all_fit(_: Sequence[Any]) -> bool:
    return True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Converter:
    """Converts the values of a column.

    :param expected: What the values must be, for messages.
    :param convert: Converts one value that is not None; None: it counts as null.
    :param as_is: Types of values that need no conversion.
    :param all_fit: Whether all of these values, which are of such types, need none either.
    """

    expected: str
    convert: Callable[[Any], Any]
    as_is: Collection[type] = ()
    all_fit: Callable[[Sequence[Any]], bool] = _all_fit


def check_choice(name: str, value: object, choices: Collection[object]) -> None:
    """Refuse a word that means nothing."""
    if value not in choices:
        raise MicsConfigurationError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}.")


def is_nan(value: Any) -> bool:
    """Return whether it is a number that is none."""
    return value.is_nan() if isinstance(value, Decimal) else isinstance(value, float) and math.isnan(value)


def describe(value: Any) -> str:
    """Say what a value is, without the value."""
    match value:
        case float() if not math.isfinite(value):
            return _NOT_FINITE
        case Decimal() if not value.is_finite():
            return _NOT_FINITE
        case str():
            return "another text"
        case bytes() | bytearray() | memoryview():
            return "bytes; convert them in the query"
        case dt.datetime():
            return "a time stamp"
        case dt.date():
            return "a date"
        case _:
            return f"of the type {type(value).__name__}"


def string_converter(timezone: dt.tzinfo | None) -> Converter:
    """Return what makes text of text, UUIDs, integers, dates and time stamps."""

    def convert(value: Any) -> str:
        match value:
            case str():
                return str.__str__(value)
            case bool():
                pass
            case int() | uuid.UUID():
                return str(value)
            case Decimal() if value.is_finite():
                return format(value, "f")
            case dt.datetime():
                return with_zone(value, timezone).isoformat()
            case dt.date():
                return value.isoformat()
        raise RefusedError(describe(value))

    # The encoder writes all of these as text.
    return Converter(expected="text", convert=convert, as_is={str, uuid.UUID, dt.date})


def integer_converter() -> Converter:
    """Return what makes integers of integers, whole numbers, and text that is an integer."""

    def convert(value: Any) -> int:
        whole = _whole(value)
        if not _LEAST <= whole <= _MOST:
            raise RefusedError("an integer of more than 64 bits")
        return whole

    def all_fit(values: Sequence[Any]) -> bool:
        return not values or (min(values) >= _LEAST and max(values) <= _MOST)

    return Converter(expected="an integer", convert=convert, as_is={int}, all_fit=all_fit)


def _whole(value: Any) -> int:
    match value:
        case bool():
            pass
        case int():
            return int(value)
        case str() if _INTEGER.fullmatch(value) and len(value) <= len(str(_LEAST)):
            return int(value)
        case float() if math.isfinite(value):
            if value.is_integer() and abs(value) <= _MOST_EXACT_FLOAT:
                return int(value)
            raise RefusedError("a number with decimals, or too large to be exact")
        case Decimal() if value.is_finite():
            if abs(value) <= -_LEAST and value == value.to_integral_value():
                return int(value)
            raise RefusedError("a number with decimals, or too large")
    raise RefusedError(describe(value))


def number_converter() -> Converter:
    """Return what makes numbers of numbers, and of text that is one as JSON writes it; decimals keep their digits."""

    def convert(value: Any) -> int | float | Decimal:
        match value:
            case bool():
                pass
            case int() if _LEAST <= value <= _MOST:
                return int(value)
            case float() if math.isfinite(value):
                return float(value)
            case Decimal() if is_number(value):
                return value
            case str() if _NUMBER.fullmatch(value) and is_number(number := Decimal(value)):
                return number
        raise RefusedError(describe(value))

    def all_fit(values: Sequence[Any]) -> bool:
        # Infinity and NaN are beyond any bounds, or compare as false.
        return all(_LEAST <= value <= _MOST for value in values)

    return Converter(expected="a number", convert=convert, as_is={int, float}, all_fit=all_fit)


def boolean_converter() -> Converter:
    """Return what makes booleans of booleans, 0 and 1, and the text true, false, t, f, 1, 0 in any case."""

    def convert(value: Any) -> bool:
        match value:
            case bool():
                return value
            case int() | Decimal() if value in {0, 1}:
                return bool(value)
            case str() if (known := _BOOLEANS.get(value.lower())) is not None:
                return known
        raise RefusedError(describe(value))

    return Converter(expected="true or false", convert=convert, as_is={bool})


def json_converter() -> Converter:
    """Return what makes JSON of text that holds JSON, and of objects, lists, numbers and booleans."""

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            try:
                # Checked and put on one line, but not decoded: its numbers keep their digits.
                compact = msgspec.json.format(value.encode(), indent=-1)
            except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
                raise RefusedError("text that is no JSON") from None
            return None if compact == b"null" else msgspec.Raw(compact)
        try:
            found = find_unwritable(value)
        except RecursionError:
            raise RefusedError("nested too deeply") from None
        if found:
            raise RefusedError(f"{found.reason} (at {found.field})" if found.path else found.reason)
        return value

    return Converter(expected="JSON", convert=convert, as_is={bool, int})


def with_zone(value: dt.datetime, timezone: dt.tzinfo | None) -> dt.datetime:
    """Return a time stamp with its zone."""
    if value.utcoffset() is not None:
        return value
    if timezone is None:
        raise RefusedError("a time stamp without a time zone; name its zone with timezone=")
    return value.replace(tzinfo=timezone)
