"""The quick look at USER_ACTIVITY lines: the rules of ``activity_rules``, without reasons."""

from __future__ import annotations

import msgspec

from airflow_provider_mics.bulk.checks.quick import GOOD, REFUSED, Count, Moment, Opaque, QuickId, Text
from airflow_provider_mics.bulk.checks.values import SECONDS_FROM, SECONDS_TO
from airflow_provider_mics.bulk.formats.activity import ActivityType, SessionStatus
from airflow_provider_mics.bulk.formats.line import dollar


class AccountShape(msgspec.Struct, rename=dollar, tag_field="$type", tag="USER_ACCOUNT", gc=False):
    """USER_ACCOUNT."""

    user_account_id: QuickId
    compartment_id: QuickId | None = None


class EmailShape(msgspec.Struct, rename=dollar, tag_field="$type", tag="USER_EMAIL", gc=False):
    """USER_EMAIL."""

    hash: Text | None = None
    email: Text | None = None


class AgentShape(msgspec.Struct, rename=dollar, tag_field="$type", tag="USER_AGENT", gc=False):
    """USER_AGENT."""

    user_agent_id: QuickId


class RootEmailShape(msgspec.Struct, rename=dollar, gc=False):
    """An e-mail address at the root."""

    hash: Text | None = None
    email: Text | None = None


class EventShape(msgspec.Struct, rename=dollar, gc=False):
    """An event."""

    event_name: Text
    ts: Moment | None = None
    properties: Opaque | None = None


class ActivityShape(msgspec.Struct, rename=dollar):
    """USER_ACTIVITY."""

    type: ActivityType
    session_status: SessionStatus | None = None
    ts: Moment | None = None
    ttl: Count | None = None
    user_identifiers: list[AccountShape | EmailShape | AgentShape] | None = None
    user_agent_id: QuickId | None = None
    user_account_id: QuickId | None = None
    compartment_id: QuickId | None = None
    email_hash: RootEmailShape | None = None
    events: list[EventShape] | None = None


def judge_activity(line: ActivityShape) -> int:
    """Check what types do not say of an activity line."""
    if line.ts is not None and SECONDS_FROM <= line.ts < SECONDS_TO:
        return REFUSED
    if line.user_identifiers:
        for item in line.user_identifiers:
            if type(item) is EmailShape and _is_bad(item):
                return REFUSED
    elif line.email_hash is None and line.user_account_id is None and line.user_agent_id is None:
        return REFUSED
    if line.email_hash is not None and _is_bad(line.email_hash):
        return REFUSED
    if line.events:
        for event in line.events:
            if event.ts is not None and SECONDS_FROM <= event.ts < SECONDS_TO:
                return REFUSED
    return GOOD


def _is_bad(email: EmailShape | RootEmailShape) -> bool:
    return email.email is None if email.hash is None else "@" in email.hash
