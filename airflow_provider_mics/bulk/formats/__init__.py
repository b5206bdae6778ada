r"""The lines of document imports, as typed structures with the vendor's field names.

A DAG author builds lines with them; a dict with the same names does as well wherever lines are taken::

    line = UserProfile(operation="UPSERT", user_account_id="crm-77", user_profile={"city": "Lyon"})
    line.to_line()  # b'{"operation":"UPSERT","user_account_id":"crm-77","user_profile":{"city":"Lyon"}}\n'

A field that is not given is not sent; a field that is ``None`` is sent as null. Names that begin with ``$`` at the
vendor are written without it: ``ts`` is ``$ts``. Nothing is checked here beyond the types of what is decoded: see
:mod:`airflow_provider_mics.bulk.checks`.
"""

from __future__ import annotations

from airflow_provider_mics.bulk.formats.activity import (
    ActivityAccount,
    ActivityAgent,
    ActivityEmail,
    ActivityEvent,
    ActivityIdentifier,
    ActivityLocation,
    ActivityOrigin,
    LegacyEmailHash,
    UserActivity,
)
from airflow_provider_mics.bulk.formats.by_document_type import decode_line, line_type
from airflow_provider_mics.bulk.formats.choice import Choice, UserChoice
from airflow_provider_mics.bulk.formats.identifiers import (
    Identifier,
    IdentifiersAssociation,
    IdentifiersDissociation,
    UserAccount,
    UserAgent,
    UserEmail,
    UserPoint,
)
from airflow_provider_mics.bulk.formats.line import Line, encode_line
from airflow_provider_mics.bulk.formats.profile import UserProfile
from airflow_provider_mics.bulk.formats.segment import SEGMENT_CSV_COLUMNS, UserSegment

__all__ = [
    "SEGMENT_CSV_COLUMNS",
    "ActivityAccount",
    "ActivityAgent",
    "ActivityEmail",
    "ActivityEvent",
    "ActivityIdentifier",
    "ActivityLocation",
    "ActivityOrigin",
    "Choice",
    "Identifier",
    "IdentifiersAssociation",
    "IdentifiersDissociation",
    "LegacyEmailHash",
    "Line",
    "UserAccount",
    "UserActivity",
    "UserAgent",
    "UserChoice",
    "UserEmail",
    "UserPoint",
    "UserProfile",
    "UserSegment",
    "decode_line",
    "encode_line",
    "line_type",
]
