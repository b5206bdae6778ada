"""What the two transports have in common."""

from __future__ import annotations

import logging
import os
import re
import ssl
from typing import TYPE_CHECKING, Any, Final

import tenacity

import airflow_provider_mics
from airflow_provider_mics.api.repeat import MAX_ATTEMPTS, delay_before_repeat, may_repeat
from airflow_provider_mics.exceptions import MicsReplyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.api.call import Call

log = logging.getLogger(__name__)

USER_AGENT: Final = f"airflow-provider-mics/{airflow_provider_mics.__version__}"
#: The largest reply that is read into memory, in bytes. A page of 500 executions is well under 1 MiB.
MAX_REPLY_BYTES: Final = 64 * 1024 * 1024

#: What to do where a server cannot be reached, or does not answer.
UNREACHED_HINT: Final = "Check the connection's host and proxy, and that this machine may reach them."
UNANSWERED_HINT: Final = "If the platform is well and just slow, raise timeout in the connection's extra."

#: What the HTTP libraries' errors that carry no words of the system's mean, by the class's name.
_WORDS: Final = {
    "RemoteDisconnected": "the server closed the connection before it answered",
    "ServerDisconnectedError": "the server closed the connection before it answered",
    "IncompleteRead": "the reply was cut",
    "ClientPayloadError": "the reply was cut",
}
#: What http.client says when a proxy refuses to connect to a https address.
_TUNNEL_REFUSED: Final = re.compile(r"Tunnel connection failed: (\d{3})")


def headers_of(call: Call[Any]) -> dict[str, str]:
    """Return the headers of a call."""
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json", **call.headers}
    if call.content_type:
        headers["Content-Type"] = call.content_type
    return headers


def too_large(call: Call[Any]) -> MicsReplyError:
    """Return the error for a reply that is too large to be one of this API."""
    return MicsReplyError(
        f"the reply is larger than {MAX_REPLY_BYTES // 1024**2} MiB.",
        call=call.what,
        hint="Check the connection's host: what answers there may not be this API.",
    )


def repeating(call: Call[Any]) -> dict[str, Any]:
    """Return the arguments that make tenacity repeat ``call`` as far as it may be repeated."""
    return {
        "stop": tenacity.stop_after_attempt(MAX_ATTEMPTS),
        "retry": tenacity.retry_if_exception(lambda error: may_repeat(call, error)),
        "wait": _wait,
        "before_sleep": lambda state: _tell(call, state),
        "reraise": True,
    }


def links(error: BaseException) -> Iterator[BaseException]:
    """Return an error and those behind it, the outermost first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        nested = next((item for item in current.args if isinstance(item, BaseException)), None)
        # urllib3 keeps the cause in ``reason``, aiohttp in ``os_error``; the others chain it.
        reason = getattr(current, "reason", None) or getattr(current, "os_error", None)
        current = nested or (reason if isinstance(reason, BaseException) else current.__cause__ or current.__context__)


def cause_of(error: BaseException) -> str:
    """Return in a few words why a connection failed, without the address, which may carry personal data."""
    best = type(error).__name__
    for link in links(error):
        # aiohttp's own subclasses of these lack what they are asked for here.
        if isinstance(link, ssl.SSLCertVerificationError) and (message := getattr(link, "verify_message", None)):
            return f"certificate not accepted ({message})"
        if isinstance(link, ssl.SSLError) and (reason := getattr(link, "reason", None)):
            return f"TLS failed ({reason})"
        if refusal := _TUNNEL_REFUSED.search(str(link)):
            return f"the proxy answered HTTP {refusal[1]}"
        strerror = link.strerror if isinstance(link, OSError) else None
        if strerror and isinstance(link, ConnectionError) and link.errno is not None:
            # asyncio's words hold the address.
            strerror = os.strerror(link.errno)
        best = strerror or _WORDS.get(type(link).__name__, best)
    return best


def is_tls_refusal(error: BaseException) -> bool:
    """Return whether TLS failed for a reason that the next attempt would meet too; a connection that ended is none."""
    ends = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
    return any(isinstance(link, ssl.SSLError) and not isinstance(link, ends) for link in links(error))


def is_timeout(error: BaseException) -> bool:
    """Return whether our own timeout ended a call, not the system's, which has an error number."""
    return any(isinstance(link, TimeoutError) and link.errno is None for link in links(error))


def _wait(state: tenacity.RetryCallState) -> float:
    return delay_before_repeat(state.attempt_number, getattr(_error(state), "retry_after_s", None))


def _tell(call: Call[Any], state: tenacity.RetryCallState) -> None:
    delay_s = state.next_action.sleep if state.next_action else 0.0
    log.warning("Attempt %d to %s failed; next in %.1f s. %s", state.attempt_number, call.what, delay_s, _error(state))


def _error(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
