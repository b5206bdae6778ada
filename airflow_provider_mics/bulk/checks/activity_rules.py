"""What USER_ACTIVITY lines must hold. Source: "Bulk processing", offline activities, and "User activities".

Nulls pass wherever the vendor's own samples have them. Several identifiers are fine, at the root too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from airflow_provider_mics.bulk.checks.findings import Finding
from airflow_provider_mics.bulk.checks.values import (
    check_hash,
    check_id,
    check_minutes,
    check_moment,
    check_object,
    check_text,
    check_word,
    kind,
    missing,
)
from airflow_provider_mics.bulk.formats.activity import ActivityType, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.bulk.checks.findings import Object

_TYPES: Final = get_args(ActivityType)
_STATUSES: Final = get_args(SessionStatus)
#: The field that makes each type of identifier; an e-mail address has two that do.
_FIELDS: Final = {"USER_ACCOUNT": "$user_account_id", "USER_AGENT": "$user_agent_id", "USER_EMAIL": None}
_ROOT_IDS: Final = ("$user_account_id", "$user_agent_id")


def check_activity(line: Object) -> Iterator[Finding]:
    """Check a USER_ACTIVITY line."""
    if line.get("$type") is None:
        yield missing(line, "$type", "Write TOUCH, unless it is a visit or another type of the vendor's list.")
    else:
        yield from check_word(line["$type"], "$type", _TYPES)
    if line.get("$session_status") is not None:
        yield from check_word(line["$session_status"], "$session_status", _STATUSES)
    if line.get("$ts") is not None:
        yield from check_moment(line["$ts"], "$ts")
    if line.get("$ttl") is not None:
        yield from check_minutes(line["$ttl"], "$ttl")
    yield from _check_identifiers(line)
    yield from _check_events(line.get("$events"))


def _check_identifiers(line: Object) -> Iterator[Finding]:
    listed = line.get("$user_identifiers")
    if listed is not None and not isinstance(listed, list):
        yield Finding("$user_identifiers", f"must be an array, not {kind(listed)}", "Write it as [{...}, {...}].")
    else:
        for index, item in enumerate(listed or ()):
            yield from _check_identifier(item, f"$user_identifiers[{index}]")
    for name in (*_ROOT_IDS, "$compartment_id"):
        if line.get(name) is not None:
            yield from check_id(line[name], name)
    email = line.get("$email_hash")
    if isinstance(email, dict):
        yield from _check_email(email, "$email_hash.")
    elif email is not None:
        yield Finding("$email_hash", f"must be an object, not {kind(email)}", 'Write it as {"$hash": ...}.')
    if not listed and email is None and all(line.get(name) is None for name in _ROOT_IDS):
        yield Finding(None, "there is no identifier", "Give at least one in $user_identifiers.")


def _check_identifier(item: Any, path: str) -> Iterator[Finding]:
    if not isinstance(item, dict):
        yield Finding(path, f"must be an object, not {kind(item)}", 'Write it as {"$type": ...}.')
        return
    if item.get("$type") is None:
        yield missing(item, "$type", f"Write one of: {', '.join(sorted(_FIELDS))}.", f"{path}.")
        return
    findings = list(check_word(item["$type"], f"{path}.$type", _FIELDS))
    if findings:
        yield from findings
        return
    name = _FIELDS[item["$type"]]
    if name is None:
        yield from _check_email(item, f"{path}.")
        return
    if item.get(name) is None:
        yield missing(item, name, f"An identifier of type {item['$type']} needs it.", f"{path}.")
    else:
        yield from check_id(item[name], f"{path}.{name}")
    if name == "$user_account_id" and item.get("$compartment_id") is not None:
        yield from check_id(item["$compartment_id"], f"{path}.$compartment_id")


def _check_email(email: Object, prefix: str) -> Iterator[Finding]:
    """One of hash and address is enough, as in a sample of the vendor."""
    if email.get("$hash") is not None:
        yield from check_hash(email["$hash"], f"{prefix}$hash")
    if email.get("$email") is not None:
        yield from check_text(email["$email"], f"{prefix}$email")
    if email.get("$hash") is None and email.get("$email") is None:
        yield missing(email, "$hash", "Give the hash of the e-mail address.", prefix)


def _check_events(events: Any) -> Iterator[Finding]:
    if events is None:
        return
    if not isinstance(events, list):
        yield Finding("$events", f"must be an array, not {kind(events)}", "Write it as [{...}, {...}].")
        return
    for index, event in enumerate(events):
        path = f"$events[{index}]"
        if not isinstance(event, dict):
            yield Finding(path, f"must be an object, not {kind(event)}", 'Write it as {"$event_name": ...}.')
            continue
        if event.get("$event_name") is None:
            yield missing(event, "$event_name", "Give the name of the event.", f"{path}.")
        else:
            yield from check_text(event["$event_name"], f"{path}.$event_name")
        if event.get("$ts") is not None:
            yield from check_moment(event["$ts"], f"{path}.$ts")
        if event.get("$properties") is not None:
            yield from check_object(event["$properties"], f"{path}.$properties")
