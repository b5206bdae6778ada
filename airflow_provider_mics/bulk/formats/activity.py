"""USER_ACTIVITY lines.

Activities that come in by files skip the processing pipeline of the platform, so they are sent in their final form.
Source: "Bulk processing", offline activities, and "User activities".
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from airflow_provider_mics.bulk.formats.line import Id, Line, dollar

#: What an activity is; TOUCH for whatever is none of the others. The platform makes the scenario ones itself.
ActivityType = Literal[
    "SITE_VISIT",
    "APP_VISIT",
    "DISPLAY_AD",
    "EMAIL",
    "TOUCH",
    "RECOMMENDER",
    "USER_SCENARIO_START",
    "USER_SCENARIO_STOP",
    "USER_SCENARIO_NODE_ENTER",
    "USER_SCENARIO_NODE_EXIT",
]
#: NO_SESSION is the one for history; IN_SESSION goes through the aggregation of sessions.
SessionStatus = Literal["NO_SESSION", "IN_SESSION", "CLOSED_SESSION", "SESSION_SNAPSHOT"]


class ActivityAccount(Line, rename=dollar, tag_field="$type", tag="USER_ACCOUNT", kw_only=True):
    """An account of a compartment; without ``compartment_id``, of the datamart's default compartment."""

    user_account_id: Id
    compartment_id: Id | UnsetType | None = UNSET


class ActivityEmail(Line, rename=dollar, tag_field="$type", tag="USER_EMAIL", kw_only=True):
    """An e-mail address, by its hash."""

    hash: str | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET


class ActivityAgent(Line, rename=dollar, tag_field="$type", tag="USER_AGENT", kw_only=True):
    """A device, such as ``vec:123456``."""

    user_agent_id: Id


ActivityIdentifier = ActivityAccount | ActivityEmail | ActivityAgent


class LegacyEmailHash(Line, rename=dollar, kw_only=True):
    """The older way to say the e-mail address of an activity, at its root."""

    hash: str | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET


class ActivityEvent(Line, rename=dollar, kw_only=True):
    """Something that happened in the course of an activity."""

    #: Any name, or a predefined one such as ``$transaction_confirmed`` or ``$set_user_profile_properties``.
    event_name: str
    #: Milliseconds since 1970.
    ts: int | UnsetType | None = UNSET
    properties: dict[str, Any] | UnsetType | None = UNSET


class ActivityOrigin(Line, rename=dollar, kw_only=True):
    """Where a visit came from."""

    #: Milliseconds since 1970.
    ts: int | UnsetType | None = UNSET
    source: str | UnsetType | None = UNSET
    channel: str | UnsetType | None = UNSET
    campaign_id: Id | UnsetType | None = UNSET
    campaign_name: str | UnsetType | None = UNSET
    campaign_technical_name: str | UnsetType | None = UNSET
    sub_campaign_id: Id | UnsetType | None = UNSET
    sub_campaign_technical_name: str | UnsetType | None = UNSET
    message_id: Id | UnsetType | None = UNSET
    message_technical_name: str | UnsetType | None = UNSET
    keywords: str | UnsetType | None = UNSET
    creative_id: Id | UnsetType | None = UNSET
    creative_name: str | UnsetType | None = UNSET
    creative_technical_name: str | UnsetType | None = UNSET
    engagement_content_id: Id | UnsetType | None = UNSET
    social_network: str | UnsetType | None = UNSET
    referral_path: str | UnsetType | None = UNSET
    log_id: Id | UnsetType | None = UNSET
    gclid: str | UnsetType | None = UNSET


class ActivityLocation(Line, rename=dollar, kw_only=True):
    """Where an activity took place."""

    source: Literal["GPS", "IP", "OTHER"] | UnsetType | None = UNSET
    #: ISO 3166-1 alpha-2.
    country: str | UnsetType | None = UNSET
    region: str | UnsetType | None = UNSET
    iso_region: str | UnsetType | None = UNSET
    city: str | UnsetType | None = UNSET
    iso_city: str | UnsetType | None = UNSET
    zip_code: str | UnsetType | None = UNSET
    latlon: Any = UNSET


class UserActivity(Line, rename=dollar, kw_only=True):
    """A visit, a purchase, or anything else that a person did.

    Custom properties are fields of a subclass: ``class Purchase(UserActivity, rename=None)``.
    """

    type: ActivityType
    session_status: SessionStatus | UnsetType | None = UNSET
    #: Start, in milliseconds since 1970.
    ts: int | UnsetType | None = UNSET
    #: Minutes that the platform keeps it; 0: for ever.
    ttl: int | UnsetType | None = UNSET
    #: All that is known of the person; several of one kind are allowed.
    user_identifiers: list[ActivityIdentifier] | UnsetType | None = UNSET
    #: Channel of a SITE_VISIT.
    site_id: Id | UnsetType | None = UNSET
    #: Channel of an APP_VISIT.
    app_id: Id | UnsetType | None = UNSET
    #: Of visits; the pages do not give the unit.
    session_duration: float | UnsetType | None = UNSET
    topics: dict[str, Any] | UnsetType | None = UNSET
    origin: ActivityOrigin | UnsetType | None = UNSET
    location: ActivityLocation | UnsetType | None = UNSET
    events: list[ActivityEvent] | UnsetType | None = UNSET
    #: A UUID of version 1; the platform makes one where there is none.
    unique_key: str | UnsetType | None = UNSET
    #: Identifiers at the root, as older clients send them.
    user_agent_id: Id | UnsetType | None = UNSET
    user_account_id: Id | UnsetType | None = UNSET
    compartment_id: Id | UnsetType | None = UNSET
    email_hash: LegacyEmailHash | UnsetType | None = UNSET
