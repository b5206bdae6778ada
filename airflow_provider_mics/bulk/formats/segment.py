"""USER_SEGMENT lines, as NDJSON or CSV."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import UNSET, UnsetType

from airflow_provider_mics.bulk.formats.line import Command, Id


class UserSegment(Command, kw_only=True):
    """Puts a person into a segment, or takes them out. The word is UPDATE, not UPSERT.

    Source: "Bulk processing", imports of segments.
    """

    operation: Literal["UPDATE", "DELETE"]
    #: One of these two says which segment; it must be a user list fed by files.
    segment_id: Id | UnsetType | None = UNSET
    segment_technical_name: str | UnsetType | None = UNSET
    #: Minutes until the person leaves the segment; 0: never.
    expiration_duration: int | UnsetType | None = UNSET
    #: When the person leaves the segment, in milliseconds since 1970; 0: never.
    expiration_ts: int | UnsetType | None = UNSET
    #: A string that holds JSON, not an object.
    data_bag: str | UnsetType | None = UNSET
    #: Can stand for ``compartment_id`` in the CSV template of the vendor's web UI.
    compartment_token: Id | UnsetType | None = UNSET


#: The columns of a CSV file of segment lines, in any order and any case. The public pages show none: these are the ones
#: of the CSV template of the vendor's web UI, and the names that the NDJSON form adds.
SEGMENT_CSV_COLUMNS: Final = (
    "operation",
    "user_agent_id",
    "user_account_id",
    "compartment_id",
    "compartment_token",
    "email_hash",
    "segment_id",
    "segment_technical_name",
    "expiration_duration",
    "expiration_ts",
    "data_bag",
)
