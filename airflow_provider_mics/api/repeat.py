"""Which failed calls may be sent again, and when."""

from __future__ import annotations

import datetime as dt
import email.utils
import random
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsRateLimitError,
    MicsRedirectError,
    MicsReplyError,
    MicsServerError,
    MicsTLSError,
    MicsTransportError,
    Outcome,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_mics.api.call import Call

#: Attempts at one call, the first included.
MAX_ATTEMPTS: Final = 5
#: The longest that a server's Retry-After is obeyed, in s; a longer one is cut to this.
MAX_RETRY_AFTER_S: Final = 900.0
_FIRST_BACKOFF_S: Final = 0.5
_MAX_BACKOFF_S: Final = 30.0


def may_repeat(call: Call[Any], error: BaseException) -> bool:
    """Return whether ``call``, having failed with ``error``, can be sent again without being done twice.

    What was certainly not acted on may be repeated always; what may have been acted on, only where twice is as good
    as once.
    """
    match error:
        case MicsTLSError() | MicsRedirectError():
            return False
        case MicsTransportError():
            return call.repeatable or error.outcome is Outcome.NOT_SENT
        case MicsRateLimitError():
            return True
        case MicsServerError() | MicsReplyError():
            return call.repeatable
        case _:
            return False


def is_outcome_open(error: BaseException) -> bool:
    """Return whether the platform may have acted on a call that failed so, or not."""
    if isinstance(error, MicsTransportError):
        return error.outcome is Outcome.UNKNOWN
    if isinstance(error, MicsAPIError) and error.http_status < HTTPStatus.BAD_REQUEST:
        # It says both yes and no.
        return True
    return isinstance(error, MicsServerError | MicsReplyError)


def delay_before_repeat(attempt: int, retry_after_s: float | None, rng: random.Random | None = None) -> float:
    """Return how long to wait before the next attempt, in s.

    :param attempt: Number of attempts made so far, from 1.
    :param retry_after_s: What the server asked for, if it did.
    """
    ceiling = min(_FIRST_BACKOFF_S * 2 ** (attempt - 1), _MAX_BACKOFF_S)
    # Full jitter, so that many tasks which failed together do not come back together.
    jitter = (rng or random).uniform(0, ceiling)
    return jitter if retry_after_s is None else retry_after_s + jitter


def retry_after(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """Return the seconds that a reply's Retry-After asks for, cut to :data:`MAX_RETRY_AFTER_S`.

    :param headers: With names in lower case. Both forms of RFC 9110 section 10.2.3 are read; anything else is None.
    :param now: An aware time.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or dt.UTC) - now).total_seconds()
    if seconds != seconds:  # noqa: PLR0124 - not a number
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)
