"""What goes into the Authorization header, and how it is renewed."""

from __future__ import annotations

import dataclasses
import logging
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from airflow_provider_mics.api import authentication
from airflow_provider_mics.exceptions import MicsAPIError, MicsAuthenticationError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.api.conversation import Exchange
    from airflow_provider_mics.api.models import AccessToken

T = TypeVar("T")

log = logging.getLogger(__name__)

#: Access tokens are renewed this long before they end, in s; the vendor's own web UI does so.
RENEWAL_MARGIN_S: Final = 600


class Credentials(Protocol):
    """What proves who is asking."""

    def header(self, now: float) -> str | None:
        """Return the Authorization header, or None if a new one must be got first.

        :param now: Time in s since the epoch.
        """

    def renewal(self) -> Call[AccessToken] | None:
        """Return the call that gets a new token, or None if there is no such way."""

    def accept(self, token: AccessToken, now: float) -> str:
        """Keep a new token, and return the Authorization header that it makes."""

    def refuse(self, header: str) -> None:
        """Forget the token that the API has just refused."""


class TokenCredentials:
    """A long-term API token, sent as it is, with whatever prefix it has, never with ``Bearer`` before it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def header(self, now: float) -> str | None:  # noqa: ARG002 - the protocol's
        """Return the token."""
        return self._token

    def renewal(self) -> Call[AccessToken] | None:
        """Return None: nothing but its owner can renew it."""
        return None

    def accept(self, token: AccessToken, now: float) -> str:  # noqa: ARG002 - the protocol's
        """Return the token that there is: there is never a new one."""
        return self._token

    def refuse(self, header: str) -> None:
        """Do nothing: there is no other."""

    def __eq__(self, other: object) -> bool:
        """Return whether the other is the same token."""
        return isinstance(other, TokenCredentials) and other._token == self._token

    def __hash__(self) -> int:
        """Return a hash, as what can be compared has one."""
        return hash(self._token)


class RenewedCredentials(ABC):
    """Credentials that are traded for tokens which end.

    Shared by all threads that send for one connection.

    :param on_new_secret: Called with each token that is got, so that it can be masked in logs.
    """

    #: What comes before the token in the Authorization header.
    prefix = ""

    def __init__(self, on_new_secret: Callable[[str], None] = lambda _: None) -> None:
        self._on_new_secret = on_new_secret
        self._lock = threading.Lock()
        self._header: str | None = None
        self._renew_at = 0.0

    @abstractmethod
    def renewal(self) -> Call[AccessToken]:
        """Return the call that gets a new token."""

    def header(self, now: float) -> str | None:
        """Return the Authorization header while its token is not about to end."""
        with self._lock:
            return self._header if now < self._renew_at else None

    def accept(self, token: AccessToken, now: float) -> str:
        """Keep a new token, and return the Authorization header that it makes."""
        self._on_new_secret(token.access_token)
        header = f"{self.prefix}{token.access_token}"
        with self._lock:
            self._header = header
            # A token that lives shorter than the margin is used for half of its life.
            self._renew_at = now + max(token.expires_in - RENEWAL_MARGIN_S, token.expires_in / 2)
        return header

    def refuse(self, header: str) -> None:
        """Forget the token, unless another thread has renewed it meanwhile."""
        with self._lock:
            if self._header == header:
                self._header, self._renew_at = None, 0.0


class LoginCredentials(RenewedCredentials):
    """An e-mail and password, traded for tokens of one hour.

    :param on_new_secret: Called with each token that is got, so that it can be masked in logs.
    """

    def __init__(self, email: str, password: str, on_new_secret: Callable[[str], None] = lambda _: None) -> None:
        super().__init__(on_new_secret)
        self._email = email
        self._password = password
        self._refresh_token: str | None = None

    def renewal(self) -> Call[AccessToken]:
        """Return the call that trades the refresh token, where one was given, or else the password."""
        with self._lock:
            # A refresh token serves once: if it is refused, the next renewal uses the password.
            refresh_token, self._refresh_token = self._refresh_token, None
        return (
            authentication.refresh(refresh_token)
            if refresh_token
            else authentication.log_in(self._email, self._password)
        )

    def accept(self, token: AccessToken, now: float) -> str:
        """Keep a new token, and the refresh token that comes with it."""
        header = super().accept(token, now)
        if token.refresh_token:
            self._on_new_secret(token.refresh_token)
        with self._lock:
            self._refresh_token = token.refresh_token
        return header

    def __eq__(self, other: object) -> bool:
        """Return whether the other is the same account with the same password."""
        return isinstance(other, LoginCredentials) and (other._email, other._password) == (self._email, self._password)

    def __hash__(self) -> int:
        """Return a hash, as what can be compared has one."""
        return hash((self._email, self._password))


@dataclasses.dataclass(frozen=True, slots=True)
class Renewal:
    """A step that gets a new token. A transport takes one at a time: of many, a server may let only the newest live.

    :param clock: Gives the time in s since the epoch.
    """

    credentials: Credentials
    clock: Callable[[], float]

    def calls(self) -> Exchange[str]:
        """Make its calls, if nobody has renewed them meanwhile, and return the Authorization header."""
        return self.credentials.header(self.clock()) or (yield from _renewed(self.credentials, self.clock))


def authorized(
    call: Call[T], credentials: Credentials, clock: Callable[[], float]
) -> Generator[Call[T] | Renewal, Any, T]:
    """Send ``call`` with credentials; where they are about to end, or are refused, renew them, once.

    A call that was refused with 401 has not been acted on, so any call may be sent again then.

    :param clock: Gives the time in s since the epoch.
    """
    header = credentials.header(clock())
    if header is None:
        header = yield Renewal(credentials, clock)
    try:
        result: T = yield call.with_authorization(header)
    except MicsAuthenticationError:
        credentials.refuse(header)
        newer = credentials.header(clock())
        if newer == header:
            raise
        header = newer or (yield Renewal(credentials, clock))
        result = yield call.with_authorization(header)
    return result


def tell_not_read_again(error: Exception) -> None:
    """Say that refused credentials could not be read again; the refusal is what the caller is told."""
    # Its text may be of any store of connections, and so may hold anything.
    log.warning("The credentials were refused, and could not be read again: %s", type(error).__name__)


def _renewed(credentials: Credentials, clock: Callable[[], float]) -> Exchange[str]:
    renewal = credentials.renewal()
    if renewal is None:
        raise RuntimeError("Credentials that cannot be renewed have a header")
    try:
        token: AccessToken = yield renewal
    except MicsAPIError:
        # Another thread may have renewed them meanwhile; else, where a refresh token was refused, the password may do.
        if header := credentials.header(clock()):
            return header
        fallback = credentials.renewal()
        if fallback is None or fallback.what == renewal.what:
            raise
        token = yield fallback
    return credentials.accept(token, clock())
