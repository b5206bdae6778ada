"""Everything this provider raises.

None of it derives from ``AirflowException``: a sensor's ``soft_fail`` would turn those into a skip in deferrable mode
only, and a load that went wrong must look the same in every mode. ``retryable`` says whether running the same task
again can help; :class:`~airflow_provider_mics.retry_policy.MicsRetryPolicy` reads it.
"""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from typing import Final


class MicsError(Exception):
    """Base of all errors of this provider.

    :param message: What happened, with the ids needed to look it up.
    :param hint: What to do about it, one sentence.
    """

    #: Whether the same task, run again, may succeed.
    retryable: bool = True

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"{message} {hint}" if hint else message)


class MicsConfigurationError(MicsError):
    """The Airflow connection, or an argument of a task, cannot be right."""

    retryable = False


class MicsInputError(MicsError):
    """A file, or a line in it, cannot be sent as it is. The message names file, position and remedy."""

    retryable = False


class MicsSourceError(MicsError):
    """A file could not be found or read."""


class Outcome(StrEnum):
    """What is known of a request that got no usable answer."""

    #: The platform cannot have acted on it: it may be sent again.
    NOT_SENT = "not sent"
    #: The platform may have acted on it: sending it again may do it twice.
    UNKNOWN = "unknown"


class MicsCallError(MicsError):
    """A call to the API did not succeed.

    :param call: What the call was for, in words and ids, such as ``get execution 12 of document import 7``.
    """

    def __init__(self, message: str, *, call: str, hint: str | None = None) -> None:
        super().__init__(f"Could not {call}: {message}", hint=hint)
        self.call = call


class MicsTransportError(MicsCallError):
    """No whole answer came: connection refused, cut, or too slow.

    :param outcome: Whether the platform can have acted on the request.
    """

    def __init__(self, message: str, *, call: str, outcome: Outcome, hint: str | None = None) -> None:
        super().__init__(message, call=call, hint=hint)
        self.outcome = outcome


class MicsTLSError(MicsTransportError):
    """The server's certificate was not accepted, or the TLS handshake failed. Nothing was sent."""

    retryable = False


class MicsReplyError(MicsCallError):
    """An answer came that is not one of this API: not JSON, not its envelope, or a redirect."""


class MicsRedirectError(MicsReplyError):
    """The server sent us elsewhere. Redirects are refused: they would carry the token to another address."""

    retryable = False


#: Of a request that was refused for what it is, and would be again: HTTP 400, 405, 413, 414, 415, 422.
_REFUSED_AS_IT_IS: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.REQUEST_URI_TOO_LONG,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


class MicsAPIError(MicsCallError):
    """The API answered with an error.

    :param http_status: HTTP status code; an error envelope may also come with 200.
    :param error: The API's own text, with e-mails, hashes and tokens replaced.
    :param error_id: The id by which the vendor's support finds this error.
    :param error_code: The API's error code, if it gave one.
    :param retry_after_s: How long the API asked to be left alone, in s, if it did.
    :param has_envelope: Whether it came in the API's envelope; otherwise something before the API may have answered.
    """

    def __init__(
        self,
        *,
        call: str,
        http_status: int,
        error: str | None = None,
        error_id: str | None = None,
        error_code: str | None = None,
        retry_after_s: float | None = None,
        has_envelope: bool = True,
        hint: str | None = None,
    ) -> None:
        facts = [f"HTTP {http_status}"]
        if error_code:
            facts.append(error_code)
        message = f"the API answered {', '.join(facts)}: {error or 'no reason given'}"
        if error_id:
            message += f" (error id {error_id})"
        super().__init__(message if message.endswith((".", "!", "?")) else f"{message}.", call=call, hint=hint)
        if http_status in _REFUSED_AS_IT_IS:
            self.retryable = False
        self.http_status = http_status
        self.error = error
        self.error_id = error_id
        self.error_code = error_code
        self.retry_after_s = retry_after_s
        self.has_envelope = has_envelope


class MicsAuthenticationError(MicsAPIError):
    """The API does not know who is asking (HTTP 401)."""

    retryable = False


class MicsPermissionError(MicsAPIError):
    """The token's user may not do this (HTTP 403)."""

    retryable = False


class MicsNotFoundError(MicsAPIError):
    """The API knows no such thing, or hides it from this token's user (HTTP 404)."""

    retryable = False


class MicsServerError(MicsAPIError):
    """The API failed on its side (HTTP 5xx)."""


class MicsRateLimitError(MicsAPIError):
    """The API asked for fewer requests (HTTP 429). Such a request has not been acted on."""


class MicsStateError(MicsError):
    """What the next try of a task must know could not be written down or read. Another try may go better."""


class MicsUploadError(MicsError):
    """Some parts of a load could not be sent.

    :param execution_ids: The executions that parts already sent have created.
    """

    def __init__(self, message: str, *, execution_ids: list[str], retryable: bool, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.execution_ids = execution_ids
        self.retryable = retryable


class MicsLoadError(MicsError):
    """A load ended, and not well. Running the task again would find it ended in the same way."""

    retryable = False


class MicsRejectedLinesError(MicsLoadError):
    """More lines were rejected than the task allows."""


class MicsExecutionFailedError(MicsLoadError):
    """An execution ended in another state than success."""


class MicsCountMismatchError(MicsLoadError):
    """The platform does not account for every line that was sent."""


class MicsItemsError(MicsLoadError):
    """Items that were sent one by one did not all get in.

    :param retryable: Whether another try, which goes on from there, may bring in more.
    """

    def __init__(self, message: str, *, retryable: bool, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable


class MicsDoubledLinesError(MicsLoadError):
    """Lines that count again each time they are sent are in twice."""


class MicsWaitError(MicsError):
    """The end of a load could not be waited for; the load itself goes on at the platform.

    :param retryable: Whether another try may see it.
    """

    def __init__(self, message: str, *, hint: str | None = None, retryable: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable


class MicsExecutionLostError(MicsWaitError):
    """The platform has lost sight of an execution: nobody knows what became of its lines. It may come back."""
