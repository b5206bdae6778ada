"""How a call for one item ended, and whether it is worth going on."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsAuthenticationError,
    MicsItemsError,
    MicsRateLimitError,
    MicsRedirectError,
    MicsReplyError,
    MicsServerError,
    MicsStateError,
    MicsTLSError,
    MicsTransportError,
    Outcome,
)

if TYPE_CHECKING:
    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.exceptions import MicsError

#: After so many failures without a success in between, sending stops.
MAX_FAILURES_IN_A_ROW: Final = 50


class Ending(StrEnum):
    """How a call for one item ended."""

    #: The platform has refused the item: it is not in.
    REFUSED = "refused"
    #: The platform could not be reached or could not do it: the item is not in, or may be sent again without harm.
    FAILED = "failed"
    #: Nobody knows whether the item is in, and it would count twice.
    UNKNOWN = "unknown"


def ending_of(call: Call[Any] | None, error: MicsError) -> Ending:
    """Return how a call that ended in an error, after all its repeats, has ended.

    :param call: None: none could be made.
    """
    match error:
        case MicsRedirectError() | MicsRateLimitError() | MicsAuthenticationError():
            return Ending.FAILED
        case MicsTransportError(outcome=Outcome.NOT_SENT):
            return Ending.FAILED
        case MicsTransportError() | MicsServerError() | MicsReplyError():
            return Ending.FAILED if call and call.repeatable else Ending.UNKNOWN
        case MicsAPIError():
            return Ending.REFUSED
        case _:
            # Such as an identifier that cannot be in a URL: found before anything was sent.
            return Ending.REFUSED


class Health:
    """Watches whether it is worth going on: not when nothing gets through."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._has_succeeded = False
        #: Why to stop; None: go on.
        self.stop: MicsError | None = None

    def end(self, why: str) -> None:
        """Stop from outside."""
        self.stop = self.stop or MicsItemsError(why, retryable=True)

    def succeeded(self) -> None:
        """Take note of a call that succeeded."""
        self._in_a_row = 0
        self._has_succeeded = True

    def ended(self, ending: Ending, error: MicsError) -> None:
        """Take note of a call that did not."""
        # Once one item has got through, those that are refused are so for what they hold.
        if ending is not Ending.REFUSED or not self._has_succeeded:
            self._in_a_row += 1
        is_for_all = isinstance(error, MicsAuthenticationError | MicsRedirectError | MicsTLSError | MicsStateError)
        if self.stop is None and (is_for_all or self._in_a_row >= MAX_FAILURES_IN_A_ROW):
            self.stop = error
