"""Identifiers of a person with a ``type``: whole lines of deletions, and what declarations are made of.

Source: "Bulk processing", identifiers association and deletions.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from airflow_provider_mics.bulk.formats.line import Id, Line


class UserAccount(Line, tag_field="type", tag="USER_ACCOUNT", kw_only=True):
    """An account of a compartment; without ``compartment_id``, of the datamart's default compartment."""

    user_account_id: Id
    compartment_id: Id | UnsetType | None = UNSET


class UserEmail(Line, tag_field="type", tag="USER_EMAIL", kw_only=True):
    """An e-mail address, by its hash."""

    hash: str
    email: str | UnsetType | None = UNSET


class UserAgent(Line, tag_field="type", tag="USER_AGENT", kw_only=True):
    """A device, such as ``vec:123456``, ``net:9:12345`` or, for a device point, ``udp:987654``."""

    user_agent_id: Id


class UserPoint(Line, tag_field="type", tag="USER_POINT", kw_only=True):
    """A person, by the platform's own id; only USER_POINTS_DELETION takes it."""

    #: A UUID.
    user_point_id: str


#: An identifier that declarations take.
Identifier = UserAccount | UserEmail | UserAgent


class IdentifiersAssociation(Line, kw_only=True):
    """A USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS line: makes one user point that has all these identifiers.

    One identifier alone is enough.
    """

    identifiers: list[Identifier]


class IdentifiersDissociation(Line, kw_only=True):
    """A USER_IDENTIFIERS_DISSOCIATION_DECLARATIONS line.

    No public page has the format of these lines: this one mirrors the association.
    """

    identifiers: list[Any]
