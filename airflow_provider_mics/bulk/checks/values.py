"""Checks of single values. What is wrong is said without the value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from airflow_provider_mics.bulk.checks.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from airflow_provider_mics.bulk.checks.findings import Object

#: Numbers from here to below there are moments of our days in seconds; in milliseconds, days of early 1970.
SECONDS_FROM: Final = 10**9
SECONDS_TO: Final = 10**10
#: Whole numbers that fit into 64 bits with a sign.
MIN_INTEGER: Final = -(2**63)
MAX_INTEGER: Final = 2**63 - 1
#: A user point's id.
is_uuid: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
#: Raises on what is not JSON; what the JSON holds is not built.
decode_opaque: Final = msgspec.json.Decoder(msgspec.Raw).decode

_KINDS: Final = {
    bool: "a boolean",
    int: "an integer",
    float: "a number with a point or an exponent",
    str: "a string",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def is_json(text: str) -> bool:
    """Tell whether a text is one JSON value."""
    try:
        decode_opaque(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return False
    return True


def looks_like_seconds(moment: int) -> bool:
    """Tell whether a time stamp, which is in milliseconds, was given in seconds."""
    return SECONDS_FROM <= moment < SECONDS_TO


def kind(value: Any) -> str:
    """Name the JSON type of a value."""
    return _KINDS[type(value)]


def missing(holder: Object, name: str, remedy: str, prefix: str = "") -> Finding:
    """Say that a mandatory field is not there."""
    return Finding(prefix + name, "is null" if name in holder else "is missing", remedy)


def check_id(value: Any, field: str) -> Iterator[Finding]:
    """Check an id: a string that is not empty, or an integer."""
    if isinstance(value, str):
        if not value:
            yield Finding(field, "is empty", "Give the id, or leave the field out.")
    elif isinstance(value, bool) or not isinstance(value, int):
        yield Finding(field, f"must be a string or an integer, not {kind(value)}", "Write the id as a string.")


def check_text(value: Any, field: str) -> Iterator[Finding]:
    """Check a string that must not be empty."""
    if not isinstance(value, str):
        yield Finding(field, f"must be a string, not {kind(value)}", "Write it in quotes.")
    elif not value:
        yield Finding(field, "is empty", "Give a value, or leave the field out.")


def check_hash(value: Any, field: str) -> Iterator[Finding]:
    """Check the hash of an e-mail address."""
    if isinstance(value, str) and "@" in value:
        yield Finding(
            field,
            "has an @: it is an e-mail address, not its hash",
            "Send the address's hash, made with the function that the whole datamart uses.",
        )
    else:
        yield from check_text(value, field)


def check_boolean(value: Any, field: str) -> Iterator[Finding]:
    """Check a boolean."""
    if not isinstance(value, bool):
        yield Finding(field, f"must be true or false, not {kind(value)}", "Write true or false, without quotes.")


def check_object(value: Any, field: str) -> Iterator[Finding]:
    """Check a JSON object."""
    if not isinstance(value, dict):
        yield Finding(field, f"must be an object, not {kind(value)}", "Write it as {...}, not as text or list.")


def check_minutes(value: Any, field: str) -> Iterator[Finding]:
    """Check a number of minutes; 0: no end."""
    if not _is_integer(value):
        yield Finding(field, "must be an integer, in minutes", "Write digits only: no quotes, point or exponent.")
    elif value < 0:
        yield Finding(field, "is negative", "Write a number of minutes; 0 means without end.")
    elif value > MAX_INTEGER:
        yield _too_large(field)


def check_moment(value: Any, field: str, *, minimum: int = MIN_INTEGER) -> Iterator[Finding]:
    """Check a time stamp in milliseconds."""
    if not _is_integer(value):
        yield Finding(
            field, "must be an integer, in milliseconds since 1970", "Write digits only: no quotes, point or exponent."
        )
    elif looks_like_seconds(value):
        yield Finding(field, "looks like seconds, it must be in milliseconds since 1970", "Multiply it by 1000.")
    elif value < minimum:
        yield Finding(field, "is too small", "Write milliseconds since 1970.")
    elif value > MAX_INTEGER:
        yield _too_large(field)


def check_word(value: Any, field: str, words: Collection[str]) -> Iterator[Finding]:
    """Check that it is one of a few words."""
    if isinstance(value, str) and value in words:
        return
    choice = ", ".join(sorted(words))
    if isinstance(value, str) and value.strip().upper() in words:
        yield Finding(field, "must be in capitals, without spaces", f"Write one of: {choice}.")
    else:
        yield Finding(field, "is none of the words allowed", f"Write one of: {choice}.")


def check_data_bag(value: Any, field: str) -> Iterator[Finding]:
    """Check JSON in a string."""
    if not isinstance(value, str):
        yield Finding(
            field,
            f"must be a string that holds JSON, not {kind(value)}",
            "Encode it twice: json.dumps(...) of the object is the string.",
        )
    elif not is_json(value):
        yield Finding(field, "is not valid JSON", "Encode it with json.dumps(...).")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _too_large(field: str) -> Finding:
    return Finding(field, "is too large a number", "Write a number that fits into 64 bits.")
