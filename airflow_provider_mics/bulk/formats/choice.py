"""USER_CHOICE lines."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from airflow_provider_mics.bulk.formats.line import Command, Id, Line, dollar


class Choice(Line, rename=dollar, kw_only=True):
    """What a person chose about a processing of their data.

    Custom properties are fields of a subclass: ``class ShopChoice(Choice, rename=None)``.
    """

    #: Which processing; wanted for DELETE too.
    processing_id: Id
    #: When it was chosen, in milliseconds since 1970; wanted for UPSERT.
    choice_ts: int | UnsetType | None = UNSET
    choice_acceptance_value: bool | UnsetType | None = UNSET
    choice_source_id: Id | UnsetType | None = UNSET
    choice_source_token: str | UnsetType | None = UNSET
    channel_id: Id | UnsetType | None = UNSET


class UserChoice(Command, kw_only=True):
    """Records or deletes a choice. Source: "Bulk processing", imports of user choices."""

    operation: Literal["UPSERT", "DELETE"]
    user_choice: Choice
    #: Wanted for UPSERT. True replaces the whole choice, False merges.
    force_replace: bool | UnsetType | None = UNSET
