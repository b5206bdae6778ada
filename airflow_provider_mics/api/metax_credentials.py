"""Access tokens for MetaX, got with client credentials.

Source: "Getting Access Tokens" on JunctionTV's API site. A token lasts for the time that the reply says, an hour in the
vendor's sample; on 401 the vendor has clients fetch a new one and repeat the call.
"""

from __future__ import annotations

import base64
import functools
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from airflow_provider_mics.api.call import Call
from airflow_provider_mics.api.credentials import RenewedCredentials, TokenCredentials
from airflow_provider_mics.api.metax import read_error
from airflow_provider_mics.api.models import AccessToken
from airflow_provider_mics.api.settings import checked_base_url

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_OAUTH_URL: Final = "https://cloud.junctiontv.net/ums/2.0/oauth/"

_HINTS: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "Check the connection's login, the client id, and its password, the client secret.",
    HTTPStatus.NOT_FOUND: "Check the connection's oauth_url.",
}

_decoder = msgspec.json.Decoder(AccessToken, strict=False)


def bearer(token: str) -> TokenCredentials:
    """Return the credentials that an access token makes, which nobody here can renew."""
    return TokenCredentials(f"{ClientCredentials.prefix}{token}")


def get_token(oauth_url: str, client_id: str, client_secret: str) -> Call[AccessToken]:
    """Get an access token.

    :param oauth_url: Where, an address that is checked.
    """
    address = urlsplit(oauth_url)
    basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode("ascii")
    return Call(
        what="get an access token with the connection's client id and secret",
        method="POST",
        base_url=f"{address.scheme}://{address.netloc}",
        path=address.path or "/",
        headers={"Authorization": f"Basic {basic}"},
        # The page names no arguments and the vendor's samples send none or this one, which RFC 6749 (4.4.2) demands.
        content=b"grant_type=client_credentials",
        content_type="application/x-www-form-urlencoded",
        read=lambda reply: _decoder.decode(reply.body),
        read_error=functools.partial(read_error, hints=_HINTS),
        repeatable=True,
    )


class ClientCredentials(RenewedCredentials):
    """A client id and secret, traded for access tokens.

    :param oauth_url: Where; https unless it is this machine.
    :param on_new_secret: Called with each token that is got, so that it can be masked in logs.
    :raises MicsConfigurationError: Secrets must not go to this address.
    """

    prefix = "Bearer "

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        oauth_url: str = DEFAULT_OAUTH_URL,
        on_new_secret: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__(on_new_secret)
        checked_base_url(oauth_url, "oauth_url", DEFAULT_OAUTH_URL)
        self._oauth_url = oauth_url.strip()
        self._client_id = client_id
        self._client_secret = client_secret

    def renewal(self) -> Call[AccessToken]:
        """Return the call that gets a new token."""
        return get_token(self._oauth_url, self._client_id, self._client_secret)

    def __eq__(self, other: object) -> bool:
        """Return whether the other is the same client with the same secret, at the same place."""
        return isinstance(other, ClientCredentials) and other._identity == self._identity

    def __hash__(self) -> int:
        """Return a hash, as what can be compared has one."""
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[str, str, str]:
        return self._oauth_url, self._client_id, self._client_secret
