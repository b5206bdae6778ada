"""The quick look at profile, segment and choice lines: the rules of ``command_rules``, without reasons."""

from __future__ import annotations

from typing import Literal

import msgspec

from airflow_provider_mics.bulk.checks.quick import (
    DELETES,
    GOOD,
    REFUSED,
    Count,
    Moment,
    Opaque,
    QuickId,
    Text,
)
from airflow_provider_mics.bulk.checks.values import SECONDS_FROM, SECONDS_TO, decode_opaque
from airflow_provider_mics.bulk.formats.profile import UpdateStrategy


class ProfileShape(msgspec.Struct, gc=False):
    """USER_PROFILE. The order is the vendor's, in which fields are found soonest."""

    operation: Literal["UPSERT", "DELETE"]
    compartment_id: QuickId | None = None
    user_account_id: QuickId | None = None
    email_hash: Text | None = None
    user_agent_id: QuickId | None = None
    force_replace: bool | None = None
    merge_objects: bool | None = None
    update_strategy: UpdateStrategy | None = None
    user_profile: Opaque | None = None


class CommonProfileShape(msgspec.Struct, gc=False, kw_only=True):
    """The USER_PROFILE of most lines, which sets the profile of an account: good by its types alone."""

    operation: Literal["UPSERT"]
    compartment_id: QuickId | None = None
    user_account_id: QuickId
    email_hash: None = None
    user_agent_id: None = None
    force_replace: bool | None = None
    merge_objects: bool | None = None
    update_strategy: None = None
    user_profile: Opaque


class ChoiceBody(msgspec.Struct, rename=lambda name: f"${name}", gc=False):
    """The choice of a USER_CHOICE line."""

    processing_id: QuickId
    choice_ts: Moment | None = None
    choice_acceptance_value: bool | None = None


class ChoiceShape(msgspec.Struct, gc=False):
    """USER_CHOICE."""

    operation: Literal["UPSERT", "DELETE"]
    user_choice: ChoiceBody
    compartment_id: QuickId | None = None
    user_account_id: QuickId | None = None
    email_hash: Text | None = None
    user_agent_id: QuickId | None = None
    force_replace: bool | None = None


class SegmentShape(msgspec.Struct, gc=False):
    """USER_SEGMENT."""

    operation: Literal["UPDATE", "DELETE"]
    compartment_id: QuickId | None = None
    compartment_token: QuickId | None = None
    user_account_id: QuickId | None = None
    email_hash: Text | None = None
    user_agent_id: QuickId | None = None
    segment_id: QuickId | None = None
    segment_technical_name: Text | None = None
    expiration_duration: Count | None = None
    expiration_ts: Count | None = None
    data_bag: str | None = None


def judge_profile(line: ProfileShape) -> int:
    """Check what types do not say of a profile line."""
    # The commonest case is written out, as a call shows in the time.
    is_account = line.user_account_id is not None and line.email_hash is None and line.user_agent_id is None
    if not is_account and not _has_one_identifier(line):
        return REFUSED
    if line.operation == "DELETE":
        return DELETES
    if line.user_profile is None or (
        line.update_strategy is not None and (line.force_replace is not None or line.merge_objects is not None)
    ):
        return REFUSED
    return GOOD


def judge_choice(line: ChoiceShape) -> int:
    """Check what types do not say of a choice line."""
    if not _has_one_identifier(line):
        return REFUSED
    moment = line.user_choice.choice_ts
    if moment is not None and SECONDS_FROM <= moment < SECONDS_TO:
        return REFUSED
    if line.operation == "DELETE":
        return DELETES
    return REFUSED if line.force_replace is None or moment is None else GOOD


def judge_segment(line: SegmentShape) -> int:
    """Check what types do not say of a segment line.

    :raises msgspec.DecodeError: The data bag is not JSON.
    """
    if not _has_one_identifier(line) or (line.compartment_token is not None and line.user_account_id is None):
        return REFUSED
    if line.segment_id is None and line.segment_technical_name is None:
        return REFUSED
    moment = line.expiration_ts
    if moment is not None and SECONDS_FROM <= moment < SECONDS_TO:
        return REFUSED
    if line.data_bag is not None:
        decode_opaque(line.data_bag)
    if line.operation == "DELETE":
        return DELETES
    return REFUSED if line.expiration_duration is None and moment is None else GOOD


def _has_one_identifier(line: ProfileShape | ChoiceShape | SegmentShape) -> bool:
    """Tell whether there is exactly one; a compartment goes with an account only."""
    if line.user_account_id is not None:
        return line.email_hash is None and line.user_agent_id is None
    if line.compartment_id is not None:
        return False
    if line.email_hash is not None:
        return line.user_agent_id is None and "@" not in line.email_hash
    return line.user_agent_id is not None
