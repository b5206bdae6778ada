"""Which structure the lines of a document type have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from airflow_provider_mics.api.constants import DocumentType
from airflow_provider_mics.bulk.formats.activity import UserActivity
from airflow_provider_mics.bulk.formats.choice import UserChoice
from airflow_provider_mics.bulk.formats.identifiers import (
    Identifier,
    IdentifiersAssociation,
    IdentifiersDissociation,
    UserAgent,
    UserPoint,
)
from airflow_provider_mics.bulk.formats.profile import UserProfile
from airflow_provider_mics.bulk.formats.segment import UserSegment

if TYPE_CHECKING:
    from types import UnionType

_LINE_TYPES: Final[dict[str, type | UnionType]] = {
    DocumentType.USER_ACTIVITY: UserActivity,
    DocumentType.USER_PROFILE: UserProfile,
    DocumentType.USER_SEGMENT: UserSegment,
    DocumentType.USER_CHOICE: UserChoice,
    DocumentType.USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS: IdentifiersAssociation,
    DocumentType.USER_IDENTIFIERS_DISSOCIATION_DECLARATIONS: IdentifiersDissociation,
    DocumentType.USER_IDENTIFIERS_DELETION: Identifier,
    DocumentType.USER_DEVICE_POINTS_DELETION: UserAgent,
    # As one of the vendor's own examples spells it.
    "USER_DEVICE_POINT_DELETION": UserAgent,
    DocumentType.USER_POINTS_DELETION: Identifier | UserPoint,
}


def line_type(document_type: str) -> type | UnionType:
    """Return the structure of a document type's lines, a union of several, or ``dict`` if the type is new to us."""
    return _LINE_TYPES.get(document_type, dict)


def decode_line(document_type: str, line: bytes) -> Any:
    """Return an NDJSON line as the structure of its document type; properties unknown to us are left out.

    :raises msgspec.DecodeError: It is not JSON, or its fields have other types than the document type's.
    """
    return msgspec.json.decode(line, type=line_type(document_type))
