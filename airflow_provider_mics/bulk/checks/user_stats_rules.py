"""What a line of user stats for MetaX must hold: the subscriber's id, and what is put.

Source: JunctionTV's page on bulk ingestion of a subscriber's activity history. The page names the fields and their
units; that others are refused is ours, as what MetaX does with them is not public and a misspelt one would be lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeGuard

from airflow_provider_mics.bulk.checks.findings import Finding
from airflow_provider_mics.bulk.checks.values import MAX_INTEGER, check_id, check_moment, check_text, kind, missing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from airflow_provider_mics.bulk.checks.findings import Object

#: Our name of what the vendor has in the URL; it is no part of the body.
SUBSCRIBER_ID: Final = "subscriber_id"
_FIELDS: Final = (SUBSCRIBER_ID, "favorites", "view_data")
_ENTRY_FIELDS: Final = ("asset_id", "play_count", "view_time", "pause_time", "last_played_on", "user_rating")
#: A position in an asset, or the time for which it was watched once, is shorter than this, in s. The page wants
#: seconds, an older one of the vendor milliseconds.
_DAY_S: Final = 86_400
#: The year 2100, in ms since 1970. Microseconds of our days are far beyond.
_FAR_FUTURE_MS: Final = 4_102_444_800_000
_MAX_RATING: Final = 5
_DIGITS: Final = "Write digits only: no quotes, point or exponent."


def check_user_stats(line: Object, *, is_delta: bool) -> Iterator[Finding]:
    """Check a line of user stats.

    :param is_delta: What is absent is kept; otherwise the line replaces all there is.
    """
    yield from _unknown(line, _FIELDS)
    yield from _check_subscriber(line)
    if "favorites" not in line and "view_data" not in line:
        yield Finding(None, "there is nothing to put", "Give favorites or view_data, or both.")
    if "favorites" in line:
        yield from _check_favorites(line["favorites"])
    if "view_data" in line:
        yield from _check_view_data(line["view_data"], is_delta=is_delta)


def _check_subscriber(line: Object) -> Iterator[Finding]:
    value = line.get(SUBSCRIBER_ID)
    if value is None:
        yield missing(line, SUBSCRIBER_ID, "Give the subscriber's id, such as the e-mail address.")
        return
    yield from check_id(value, SUBSCRIBER_ID)
    if not isinstance(value, str) or not value:
        return
    if value != value.strip() or not value.isprintable():
        yield Finding(SUBSCRIBER_ID, "has white space around it, or characters that cannot be printed", "Remove them.")
    elif value in {".", ".."}:
        yield Finding(SUBSCRIBER_ID, "cannot stand in an address", "Look where it comes from.")


def _check_favorites(favorites: Any) -> Iterator[Finding]:
    if not isinstance(favorites, list):
        yield Finding(
            "favorites",
            f"must be an array, not {kind(favorites)}",
            "Write it as [...]; [] erases the favorites, and without the field a delta keeps them.",
        )
        return
    for index, asset_id in enumerate(favorites):
        yield from check_text(asset_id, f"favorites[{index}]")


def _check_view_data(view_data: Any, *, is_delta: bool) -> Iterator[Finding]:
    if not isinstance(view_data, list):
        yield Finding("view_data", f"must be an array, not {kind(view_data)}", "Write it as [{...}, {...}].")
        return
    if is_delta and not view_data:
        yield Finding(
            "view_data",
            "is empty, and whether that keeps or erases the history is not public",
            "Leave the field out to keep it.",
        )
    seen: set[str] = set()
    for index, entry in enumerate(view_data):
        path = f"view_data[{index}]"
        if not isinstance(entry, dict):
            yield Finding(path, f"must be an object, not {kind(entry)}", 'Write it as {"asset_id": ...}.')
            continue
        yield from _check_entry(entry, f"{path}.")
        asset_id = entry.get("asset_id")
        if isinstance(asset_id, str):
            if asset_id in seen:
                yield Finding(f"{path}.asset_id", "is that of an entry before", "Make one entry of both.")
            seen.add(asset_id)


def _check_entry(entry: Object, prefix: str) -> Iterator[Finding]:
    yield from _unknown(entry, _ENTRY_FIELDS, prefix)
    if entry.get("asset_id") is None:
        yield missing(entry, "asset_id", "Give the guid of the asset.", prefix)
    else:
        yield from check_text(entry["asset_id"], f"{prefix}asset_id")
    for name, unit in (("play_count", "times"), ("view_time", "seconds"), ("pause_time", "seconds")):
        if name in entry:
            yield from _check_count(entry[name], f"{prefix}{name}", unit)
    yield from _check_seconds(entry, prefix)
    if "last_played_on" in entry:
        moment = entry["last_played_on"]
        findings = list(check_moment(moment, f"{prefix}last_played_on", minimum=0))
        yield from findings
        if not findings and moment > _FAR_FUTURE_MS:
            yield Finding(
                f"{prefix}last_played_on", "is beyond the year 2100", "Write milliseconds since 1970, nothing finer."
            )
    if "user_rating" in entry:
        yield from _check_rating(entry["user_rating"], f"{prefix}user_rating")


def _check_count(value: Any, field: str, unit: str) -> Iterator[Finding]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield Finding(field, f"must be an integer, in {unit}, not {kind(value)}", _DIGITS)
    elif value < 0:
        yield Finding(field, "is negative", f"Write a number of {unit}, from 0.")
    elif value > MAX_INTEGER:
        yield Finding(field, "is too large a number", "Write a number that fits into 64 bits.")


def _check_seconds(entry: Object, prefix: str) -> Iterator[Finding]:
    """Find milliseconds where the vendor wants seconds."""
    pause_time, view_time, plays = (entry.get(name) for name in ("pause_time", "view_time", "play_count"))
    if _is_integer(pause_time) and _DAY_S < pause_time <= MAX_INTEGER:
        yield _like_milliseconds(f"{prefix}pause_time", "is a position behind the first day of an asset")
    if _is_integer(view_time) and _is_integer(plays) and plays >= 0 and view_time > _DAY_S * (plays or 1):
        yield _like_milliseconds(f"{prefix}view_time", "is more than a day for each time that the asset was played")


def _like_milliseconds(field: str, reason: str) -> Finding:
    return Finding(field, f"{reason}: it looks like milliseconds", "Write seconds: divide it by 1000.")


def _check_rating(value: Any, field: str) -> Iterator[Finding]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield Finding(field, f"must be a number, not {kind(value)}", "Write a number from 0 to 5, without quotes.")
    elif not 0 <= value <= _MAX_RATING:
        yield Finding(field, "is not on the scale", "Write a number from 0 to 5.")


def _unknown(holder: Object, names: Collection[str], prefix: str = "") -> Iterator[Finding]:
    """Say that there are fields which the vendor does not name; not how they are called, which may be anything."""
    extra = sum(name not in names for name in holder)
    if extra:
        yield Finding(
            prefix.removesuffix(".") or None,
            f"{'' if prefix else 'the object '}has fields that MetaX does not name: {extra}",
            f"MetaX has {', '.join(names)}.",
        )


def _is_integer(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
