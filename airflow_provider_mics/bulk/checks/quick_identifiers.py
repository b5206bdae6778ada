"""The quick look at lines of typed identifiers: the rules of ``identifier_rules``, without reasons."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from airflow_provider_mics.bulk.checks.identifier_rules import DEVICE_POINT
from airflow_provider_mics.bulk.checks.quick import DELETES, GOOD, REFUSED, QuickId, Text
from airflow_provider_mics.bulk.checks.values import is_uuid


class AccountShape(msgspec.Struct, tag_field="type", tag="USER_ACCOUNT", gc=False):
    """USER_ACCOUNT."""

    user_account_id: QuickId
    compartment_id: QuickId | None = None


class EmailShape(msgspec.Struct, tag_field="type", tag="USER_EMAIL", gc=False):
    """USER_EMAIL."""

    hash: Text


class AgentShape(msgspec.Struct, tag_field="type", tag="USER_AGENT", gc=False):
    """USER_AGENT."""

    user_agent_id: QuickId


class PointShape(msgspec.Struct, tag_field="type", tag="USER_POINT", gc=False):
    """USER_POINT."""

    user_point_id: Text


class DeviceShape(msgspec.Struct, gc=False):
    """USER_AGENT where it is the only type: only where there are several, a missing tag is an error."""

    type: Literal["USER_AGENT"]
    user_agent_id: QuickId


IdentifierShape = AccountShape | EmailShape | AgentShape


class AssociationShape(msgspec.Struct):
    """USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS."""

    identifiers: Annotated[list[IdentifierShape], msgspec.Meta(min_length=1)]


def judge_association(line: AssociationShape) -> int:
    """Check what types do not say of an association line."""
    for item in line.identifiers:
        if type(item) is EmailShape and "@" in item.hash:
            return REFUSED
    return GOOD


def judge_identifier_deletion(line: IdentifierShape) -> int:
    """Check what types do not say of a deletion of an identifier."""
    if type(line) is EmailShape:
        return REFUSED if "@" in line.hash else DELETES
    if type(line) is AgentShape and str(line.user_agent_id).startswith(DEVICE_POINT):
        return REFUSED
    return DELETES


def judge_user_point_deletion(line: IdentifierShape | PointShape) -> int:
    """Check what types do not say of a deletion of a person."""
    if type(line) is EmailShape:
        return REFUSED if "@" in line.hash else DELETES
    if type(line) is PointShape and not is_uuid(line.user_point_id):
        return REFUSED
    return DELETES


def judge_device_point_deletion(_: DeviceShape) -> int:
    """Take what the types let through."""
    return DELETES
