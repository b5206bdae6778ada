"""The words of the mediarithmics API that several layers share.

Every set here is open: the platform may answer with a value that is not listed, and such a value passes through.
Sources: "Bulk processing" and "Sending documents" on developer.mediarithmics.io, the document type pages beside them,
and the status list of the vendor's own web UI (Navigator).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

#: API base URL; the vendor asks integrators to keep it configurable ("API overview").
DEFAULT_BASE_URL: Final = "https://api.mediarithmics.com"
#: Address of the web UI ("Navigator").
DEFAULT_NAVIGATOR_URL: Final = "https://navigator.mediarithmics.com"
#: Largest part of a file, in bytes. The vendor asks to split files "larger than 100Mbytes", which may mean 10^8 or
#: 2^20 * 100 ("Bulk processing"); its web UI refuses the latter.
DEFAULT_MAX_PART_BYTES: Final = 95_000_000
#: Page size of the vendor's sample lists.
DEFAULT_PAGE_SIZE: Final = 50
#: The vendor's web UI asks for pages of up to so many where it wants many things at once.
MAX_PAGE_SIZE: Final = 500
#: How long after an upload the lists of the platform may not show it yet, in s. No lag is documented; it is long beside
#: those of comparable services, and is only spent when nobody knows what became of an upload.
DEFAULT_LIST_LAG_S: Final = 60.0


class DocumentType(StrEnum):
    """What the lines of a document import are."""

    USER_ACTIVITY = "USER_ACTIVITY"
    USER_PROFILE = "USER_PROFILE"
    USER_SEGMENT = "USER_SEGMENT"
    USER_CHOICE = "USER_CHOICE"
    USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS = "USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS"
    USER_IDENTIFIERS_DISSOCIATION_DECLARATIONS = "USER_IDENTIFIERS_DISSOCIATION_DECLARATIONS"
    USER_IDENTIFIERS_DELETION = "USER_IDENTIFIERS_DELETION"
    USER_DEVICE_POINTS_DELETION = "USER_DEVICE_POINTS_DELETION"
    USER_POINTS_DELETION = "USER_POINTS_DELETION"


#: Document types whose lines may be sent twice without harm: they set, delete or relate. A line of any other type, an
#: activity above all, counts again each time it is sent.
REPEATABLE_DOCUMENT_TYPES: Final = frozenset(DocumentType) - {DocumentType.USER_ACTIVITY}


#: Document types whose every line erases something for good. The singular device form is what one of the vendor's
#: own examples sends.
DELETION_DOCUMENT_TYPES: Final = frozenset(
    {
        DocumentType.USER_IDENTIFIERS_DELETION,
        DocumentType.USER_DEVICE_POINTS_DELETION,
        DocumentType.USER_POINTS_DELETION,
        "USER_DEVICE_POINT_DELETION",
    }
)


class MimeType(StrEnum):
    """Format of a document import's lines, in the vendor's spelling."""

    NDJSON = "APPLICATION_X_NDJSON"
    CSV = "TEXT_CSV"


#: What an upload's Content-Type header must be for each mime type of the document import.
CONTENT_TYPES: Final = {MimeType.NDJSON: "application/x-ndjson", MimeType.CSV: "text/csv"}


class Priority(StrEnum):
    """How urgently the platform runs the executions of a document import."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class ExecutionStatus(StrEnum):
    """States of a document import execution."""

    PENDING = "PENDING"
    SCHEDULED = "SCHEDULED"
    WAITING_DEPENDENT_JOB = "WAITING_DEPENDENT_JOB"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    #: Older word for SUCCEEDED.
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    EXECUTOR_NOT_RESPONDING = "EXECUTOR_NOT_RESPONDING"
    LOST = "LOST"


#: The state of an execution that was cancelled; "CANCELLED" is accepted beside the vendor's spelling.
CANCELED_STATUSES: Final = frozenset({ExecutionStatus.CANCELED, "CANCELLED"})
#: States that end an execution well (its lines may still have been rejected) and those that end it badly. Everything
#: else, words unknown to us included, is not an end.
SUCCESS_STATUSES: Final = frozenset({ExecutionStatus.SUCCEEDED, ExecutionStatus.SUCCESS})
FAILURE_STATUSES: Final = frozenset(
    {
        ExecutionStatus.FAILED,
        *CANCELED_STATUSES,
        ExecutionStatus.EXECUTOR_NOT_RESPONDING,
        ExecutionStatus.LOST,
    }
)
#: Those among them that tell of the platform's own trouble, not of the file. Its web UI shows both as errors; whether
#: an execution comes back from them is not documented.
LOST_STATUSES: Final = frozenset({ExecutionStatus.EXECUTOR_NOT_RESPONDING, ExecutionStatus.LOST})
TERMINAL_STATUSES: Final = SUCCESS_STATUSES | FAILURE_STATUSES
