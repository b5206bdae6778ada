"""Which checks a document type has."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import msgspec

from airflow_provider_mics.api.constants import DELETION_DOCUMENT_TYPES, DocumentType
from airflow_provider_mics.bulk.checks import quick_activities, quick_commands, quick_identifiers
from airflow_provider_mics.bulk.checks.activity_rules import check_activity
from airflow_provider_mics.bulk.checks.command_rules import DELETE, check_choice, check_profile, check_segment
from airflow_provider_mics.bulk.checks.identifier_rules import (
    check_association,
    check_device_point_deletion,
    check_identifier_deletion,
    check_user_point_deletion,
)
from airflow_provider_mics.bulk.checks.quick import Hunch, Opaque, judge_any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_mics.bulk.checks.findings import Finding, Object, Rule


def _nothing(_: Object) -> Iterator[Finding]:
    yield from ()


@dataclasses.dataclass(frozen=True, slots=True)
class DocumentRules:
    """The checks of a document type, twice: slow and with reasons, quick and without.

    :param common: Takes good lines only, of one kind that most are of; none of them deletes anything.
    """

    check: Rule = _nothing
    shape: Any = Opaque
    judge: Callable[[Any], int] = judge_any
    #: Every line deletes something.
    deletes: bool = False
    #: A line whose operation is DELETE deletes something.
    has_operation: bool = False
    common: Any = None

    def decoder(self) -> Callable[[bytes], Any]:
        """Return what decodes a line for the judge."""
        return msgspec.json.Decoder(self.shape).decode

    def hunch(self) -> Hunch | None:
        """Return a guess at what most lines are; None: there is nothing to be won."""
        return Hunch(msgspec.json.Decoder(self.common).decode) if self.common else None

    def is_deletion(self, line: Object) -> bool:
        """Tell whether a good line deletes something."""
        return self.deletes or (self.has_operation and line.get("operation") == DELETE)


_RULES: Final[dict[str, DocumentRules]] = {
    DocumentType.USER_PROFILE: DocumentRules(
        check_profile,
        quick_commands.ProfileShape,
        quick_commands.judge_profile,
        has_operation=True,
        common=quick_commands.CommonProfileShape,
    ),
    DocumentType.USER_SEGMENT: DocumentRules(
        check_segment, quick_commands.SegmentShape, quick_commands.judge_segment, has_operation=True
    ),
    DocumentType.USER_CHOICE: DocumentRules(
        check_choice, quick_commands.ChoiceShape, quick_commands.judge_choice, has_operation=True
    ),
    DocumentType.USER_ACTIVITY: DocumentRules(
        check_activity, quick_activities.ActivityShape, quick_activities.judge_activity
    ),
    DocumentType.USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS: DocumentRules(
        check_association, quick_identifiers.AssociationShape, quick_identifiers.judge_association
    ),
    DocumentType.USER_IDENTIFIERS_DELETION: DocumentRules(
        check_identifier_deletion,
        quick_identifiers.IdentifierShape,
        quick_identifiers.judge_identifier_deletion,
        deletes=True,
    ),
    DocumentType.USER_DEVICE_POINTS_DELETION: DocumentRules(
        check_device_point_deletion,
        quick_identifiers.DeviceShape,
        quick_identifiers.judge_device_point_deletion,
        deletes=True,
    ),
    DocumentType.USER_POINTS_DELETION: DocumentRules(
        check_user_point_deletion,
        quick_identifiers.IdentifierShape | quick_identifiers.PointShape,
        quick_identifiers.judge_user_point_deletion,
        deletes=True,
    ),
}
_DEVICE_POINTS_IN_THE_SINGULAR: Final = "USER_DEVICE_POINT_DELETION"


def rules_for(document_type: str) -> DocumentRules:
    """Return the checks of a document type.

    Types that are new to us, and dissociations, whose format is not public, take any JSON object.
    """
    if document_type in DELETION_DOCUMENT_TYPES and document_type not in _RULES:
        return _RULES[DocumentType.USER_DEVICE_POINTS_DELETION]
    return _RULES.get(document_type, DocumentRules())
