"""What the API sends back, as frozen structures.

Field names and types follow the samples of "Bulk processing" and "Sending documents". Only what identifies a thing is
mandatory: every other field may be null or absent, and fields unknown to us are ignored. Ids come as strings at the
top level and as numbers inside ``parameters``; here they are strings everywhere. Times come in ms since the epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgspec

from airflow_provider_mics.api.constants import (
    CANCELED_STATUSES,
    SUCCESS_STATUSES,
    TERMINAL_STATUSES,
    ExecutionStatus,
    Priority,
)

if TYPE_CHECKING:
    import pendulum

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list.

    :param items: The elements of this page.
    :param total: Number of elements of the whole list, where the route tells.
    :param max_results: Size of a full page, where the route tells.
    """

    items: tuple[T, ...]
    total: int | None = None
    max_results: int | None = None


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """Something with an id."""

    id: str | int

    def __post_init__(self) -> None:
        """Make every id a string."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if name.endswith("id") and isinstance(value, int):
                msgspec.structs.force_setattr(self, name, str(value))


class Secretive(msgspec.Struct, frozen=True):
    """Something secret: only the fields named in ``SHOWN`` are ever shown."""

    SHOWN: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        """Show no secret."""
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show no secret to rich, which does not ask for the text above and prints the variables of tracebacks."""
        return [(name, getattr(self, name)) for name in self.SHOWN]


class DocumentImport(Resource, frozen=True, kw_only=True):
    """What the platform does with the files that are uploaded under it."""

    id: str | int
    name: str = ""
    #: One of ``DocumentType``, or a word that is new to us.
    document_type: str = ""
    #: One of ``MimeType``.
    mime_type: str = ""
    encoding: str | None = None
    priority: str | None = Priority.MEDIUM
    datamart_id: str | int | None = None
    datafarm_key: str | None = None


class ExecutionParameters(msgspec.Struct, frozen=True, kw_only=True):
    """What an execution works on; the platform fills it some time after the upload."""

    number_of_lines: int | None = None
    input_file_name: str | None = None
    file_uri: str | None = None


class ExecutionResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an execution's lines."""

    total_success: int | None = None
    total_failure: int | None = None
    input_file_uri: str | None = None
    #: Present even when no line failed; the file may then be absent.
    error_file_uri: str | None = None
    possible_issue_on_identifiers: bool | None = None


class ExecutionError(msgspec.Struct, frozen=True, kw_only=True):
    """The platform's account of lines that failed; also present on executions that SUCCEEDED."""

    message: str | None = None


class Execution(Resource, frozen=True, kw_only=True):
    """The run of one uploaded file."""

    id: str | int
    #: One of ``ExecutionStatus``, or a word that is new to us.
    status: str
    parameters: ExecutionParameters | None = None
    #: May be filled while the status is still PENDING: the status alone says whether it is final.
    result: ExecutionResult | None = None
    error: ExecutionError | None = None
    creation_date: int | None = None
    start_date: int | None = None
    end_date: int | None = None
    #: Time from start to end, in ms.
    duration: int | None = None
    organisation_id: str | int | None = None
    cancel_status: str | None = None
    is_retryable: bool | None = None

    @property
    def execution_id(self) -> str:
        """The id, a string of digits."""
        return str(self.id)

    @property
    def is_ended(self) -> bool:
        """Whether the platform has finished with it, well or badly. A status unknown to us is not an end."""
        return self.status in TERMINAL_STATUSES

    @property
    def has_succeeded(self) -> bool:
        """Whether it ran to its end; its lines may still have been rejected."""
        return self.status in SUCCESS_STATUSES

    @property
    def is_canceled(self) -> bool:
        """Whether it was cancelled, which the platform does only before it has taken a line."""
        return self.status in CANCELED_STATUSES

    @property
    def is_known_status(self) -> bool:
        """Whether the status is a word we know."""
        return self.is_ended or self.status in set(ExecutionStatus)

    @property
    def input_file(self) -> str | None:
        """Address of the file that was uploaded, as the platform keeps it; None: it does not say yet."""
        return (self.result and self.result.input_file_uri) or (self.parameters and self.parameters.file_uri) or None

    @property
    def created_at(self) -> pendulum.DateTime | None:
        """When the upload was accepted, in UTC."""
        return _moment(self.creation_date)

    @property
    def started_at(self) -> pendulum.DateTime | None:
        """When the platform began to work on it, in UTC."""
        return _moment(self.start_date)

    @property
    def ended_at(self) -> pendulum.DateTime | None:
        """When the platform finished, in UTC."""
        return _moment(self.end_date)


class Datamart(Resource, frozen=True, kw_only=True):
    """A customer's data store."""

    id: str | int
    name: str | None = None
    organisation_id: str | int | None = None
    archived: bool | None = None


class Compartment(Resource, frozen=True, kw_only=True):
    """What user accounts belong to."""

    #: Id of the datamart's use of the compartment.
    id: str | int
    #: Id of the compartment itself, as lines and selectors take it.
    compartment_id: str | int
    name: str | None = None
    token: str | None = None
    #: Whether it is that of accounts for which none is named.
    default: bool | None = None


class Channel(Resource, frozen=True, kw_only=True):
    """A site or application of a datamart."""

    id: str | int
    name: str | None = None
    #: ``SITE`` or ``MOBILE_APPLICATION``.
    type: str | None = None
    token: str | None = None
    domain: str | None = None


class AudienceSegment(Resource, frozen=True, kw_only=True):
    """A set of user points."""

    id: str | int
    name: str | None = None
    technical_name: str | None = None
    #: ``USER_LIST`` for those that imports fill; also ``USER_QUERY`` and more.
    type: str | None = None
    #: ``FILE_IMPORT``, ``TAG``, ``SCENARIO``.
    feed_type: str | None = None
    datamart_id: str | int | None = None
    organisation_id: str | int | None = None


class Processing(Resource, frozen=True, kw_only=True):
    """A purpose for which data is used, which users consent or object to."""

    id: str | int
    name: str | None = None
    technical_name: str | None = None
    purpose: str | None = None
    legal_basis: str | None = None
    community_id: str | int | None = None
    token: str | None = None
    archived: bool | None = None


class Label(Resource, frozen=True, kw_only=True):
    """A word to group document imports by."""

    id: str | int
    name: str | None = None
    organisation_id: str | int | None = None


class ApiToken(Secretive, Resource, frozen=True, kw_only=True):
    """A long-term token of a user.

    :param value: The secret itself; given once, when it is created.
    """

    SHOWN: ClassVar[tuple[str, ...]] = ("id", "name", "expiration_date")

    id: str | int
    name: str | None = None
    creation_date: int | None = None
    expiration_date: int | None = None
    value: str | None = None

    @property
    def expires_at(self) -> pendulum.DateTime | None:
        """When it ends, in UTC."""
        return _moment(self.expiration_date)


class ConnectedUser(Resource, frozen=True, kw_only=True):
    """The user whose token is used."""

    id: str | int


class AccessToken(Secretive, frozen=True, kw_only=True):
    """A token got by logging in.

    :param expires_in: Lifetime in s.
    :param refresh_token: Where given, the way to get the next one.
    """

    SHOWN: ClassVar[tuple[str, ...]] = ("expires_in",)

    access_token: str
    # The vendor's own client takes one hour where the field is missing.
    expires_in: int = 3600
    refresh_token: str | None = None


class RefreshToken(Secretive, frozen=True, kw_only=True):
    """A token that can be traded for access tokens."""

    refresh_token: str


def _moment(milliseconds: int | None) -> pendulum.DateTime | None:
    import pendulum  # a fifth of what the client takes to be imported, and few ask for a moment

    return None if milliseconds is None else pendulum.from_timestamp(milliseconds / 1000)
