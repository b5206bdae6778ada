"""What lines of typed identifiers must hold: association declarations and deletions.

Source: "Bulk processing", user identifiers association and deletions. Dissociation lines have no public format, so
they are any object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.bulk.checks.findings import Finding
from airflow_provider_mics.bulk.checks.values import check_hash, check_id, check_word, is_uuid, kind, missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_provider_mics.bulk.checks.findings import Object

#: Prefix of a device point among user agent ids.
DEVICE_POINT: Final = "udp:"
_ACCOUNT: Final = "USER_ACCOUNT"
_AGENT: Final = "USER_AGENT"
_POINT: Final = "USER_POINT"
#: The field that makes each type of identifier.
_FIELDS: Final = {_ACCOUNT: "user_account_id", "USER_EMAIL": "hash", _AGENT: "user_agent_id"}
_POINT_FIELDS: Final = {**_FIELDS, _POINT: "user_point_id"}
_AGENT_FIELDS: Final = {_AGENT: _FIELDS[_AGENT]}


def check_association(line: Object) -> Iterator[Finding]:
    """Check a USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS line; a single identifier is fine."""
    identifiers = line.get("identifiers")
    if identifiers is None:
        yield missing(line, "identifiers", "Give the identifiers of one person, as an array.")
    elif not isinstance(identifiers, list):
        yield Finding("identifiers", f"must be an array, not {kind(identifiers)}", "Write it as [{...}, {...}].")
    elif not identifiers:
        yield Finding("identifiers", "is empty", "Give the identifiers of one person.")
    else:
        for index, item in enumerate(identifiers):
            yield from _check_element(item, f"identifiers[{index}]")


def check_identifier_deletion(line: Object) -> Iterator[Finding]:
    """Check a USER_IDENTIFIERS_DELETION line: a device point is none of the identifiers it deletes."""
    yield from check_element(line, _FIELDS)
    agent = line.get("user_agent_id")
    if line.get("type") == _AGENT and isinstance(agent, str) and agent.startswith(DEVICE_POINT):
        yield Finding(
            "user_agent_id",
            "is a device point (udp:), which this document type does not delete",
            "Give a technical id such as vec:..., or use USER_DEVICE_POINTS_DELETION.",
        )


def check_device_point_deletion(line: Object) -> Iterator[Finding]:
    """Check a USER_DEVICE_POINTS_DELETION line: a device point, or one of its technical ids."""
    yield from check_element(line, _AGENT_FIELDS)


def check_user_point_deletion(line: Object) -> Iterator[Finding]:
    """Check a USER_POINTS_DELETION line."""
    yield from check_element(line, _POINT_FIELDS)


def _check_element(item: Any, path: str) -> Iterator[Finding]:
    if isinstance(item, dict):
        yield from check_element(item, _FIELDS, f"{path}.")
    else:
        yield Finding(path, f"must be an object, not {kind(item)}", 'Write it as {"type": ...}.')


def check_element(item: Object, fields: Mapping[str, str], prefix: str = "") -> Iterator[Finding]:
    """Check a ``{"type": ...}`` object.

    :param fields: The types allowed, each with its mandatory field.
    :param prefix: What stands before field names in messages.
    """
    if item.get("type") is None:
        yield missing(item, "type", f"Write one of: {', '.join(sorted(fields))}.", prefix)
        return
    findings = list(check_word(item["type"], f"{prefix}type", fields))
    if findings:
        yield from findings
        return
    name = fields[item["type"]]
    if item.get(name) is None:
        yield missing(item, name, f"An identifier of type {item['type']} needs it.", prefix)
    elif name == "hash":
        yield from check_hash(item[name], prefix + name)
    elif name == "user_point_id":
        yield from _check_user_point(item[name], prefix + name)
    else:
        yield from check_id(item[name], prefix + name)
    if name == "user_account_id" and item.get("compartment_id") is not None:
        yield from check_id(item["compartment_id"], f"{prefix}compartment_id")


def _check_user_point(value: Any, field: str) -> Iterator[Finding]:
    if not isinstance(value, str) or not is_uuid(value):
        yield Finding(field, "is not a UUID", "Give the user point's id: 32 hexadecimal digits in five groups.")
