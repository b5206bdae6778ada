"""USER_PROFILE lines."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from airflow_provider_mics.bulk.formats.line import Command

#: What a PARTIAL_DELETE does to arrays is not public.
UpdateStrategy = Literal["PARTIAL_UPDATE", "PARTIAL_DELETE", "FORCE_REPLACE"]


class UserProfile(Command, kw_only=True):
    """Creates, changes or deletes a profile.

    How an UPSERT meets a stored profile is said in one of two ways, never both: by ``force_replace`` and
    ``merge_objects`` (older pages), or by ``update_strategy`` (newest pages). Source: "Bulk processing", imports of
    profiles.
    """

    operation: Literal["UPSERT", "DELETE"]
    #: For UPSERT: any properties. ``$compartment_id`` and ``$user_account_id`` are not taken from the identifier of the
    #: line: without them in here, the profile lands in the default compartment.
    user_profile: dict[str, Any] | UnsetType | None = UNSET
    #: True replaces the whole profile, False merges.
    force_replace: bool | UnsetType | None = UNSET
    #: With ``force_replace=False``: True merges objects property by property, False overwrites them.
    merge_objects: bool | UnsetType | None = UNSET
    update_strategy: UpdateStrategy | UnsetType | None = UNSET
