"""Where the API is and how to talk to it."""

from __future__ import annotations

import dataclasses
import ipaddress
import math
import os
import urllib.request
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from airflow_provider_mics.api.constants import DEFAULT_BASE_URL
from airflow_provider_mics.exceptions import MicsConfigurationError

#: Time to reach the server, in s.
CONNECT_TIMEOUT_S: Final = 10.0
#: Time without any progress while sending or receiving, in s. It bounds no whole upload: each block has it anew.
DEFAULT_TIMEOUT_S: Final = 120.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class APISettings:
    """Where the API is and how to talk to it.

    :param base_url: Address of the API, https unless the host is this machine.
    :param timeout_s: Time without any progress after which a call is given up, in s.
    :param verify: Whether to check the server's certificate, or the path of a file of CA certificates to check it by.
    :param proxy: URL of the HTTP proxy; None: the one that the environment names for the API's host, if any.
    :param rate_limit: Most requests per second, of each process; None: no limit.
    """

    base_url: str = DEFAULT_BASE_URL
    timeout_s: float = DEFAULT_TIMEOUT_S
    verify: bool | str = True
    proxy: str | None = dataclasses.field(default=None, repr=False)
    rate_limit: float | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without asking anybody."""
        object.__setattr__(self, "base_url", checked_base_url(self.base_url))
        if self.proxy is not None:
            object.__setattr__(self, "proxy", checked_proxy(self.proxy))
        if not (math.isfinite(self.timeout_s) and self.timeout_s > 0):
            raise MicsConfigurationError(f"timeout must be more than 0 seconds, not {self.timeout_s}.")
        if self.rate_limit is not None and not (math.isfinite(self.rate_limit) and self.rate_limit > 0):
            raise MicsConfigurationError(f"rate_limit must be more than 0 requests per second, not {self.rate_limit}.")

    @property
    def effective_proxy(self) -> str | None:
        """The proxy to use for the API, from the settings or else from the environment.

        :raises MicsConfigurationError: The environment names one that cannot be used.
        """
        return self.proxy_for(self.base_url)

    def proxy_for(self, url: str) -> str | None:
        """Return the proxy to use for an address.

        :raises MicsConfigurationError: The environment names one that cannot be used.
        """
        if self.proxy:
            return self.proxy
        address = urlsplit(url)
        if urllib.request.proxy_bypass(address.hostname or ""):
            return None
        named = urllib.request.getproxies().get(address.scheme)
        return checked_proxy(named) if named else None

    @property
    def effective_verify(self) -> bool | str:
        """How to check the certificate; the environment's CA file serves where the settings name none.

        :raises MicsConfigurationError: The file that the settings name does not exist.
        """
        if isinstance(self.verify, str) and not Path(self.verify).exists():
            raise MicsConfigurationError(
                f"The CA file of the connection's verify, {self.verify}, does not exist here.",
                hint="Put the file there on every worker and triggerer, or name another.",
            )
        if self.verify is not True:
            return self.verify
        named = (os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"))
        return next((path for path in named if path and Path(path).exists()), True)


def checked_base_url(url: str, name: str = "host", example: str = DEFAULT_BASE_URL) -> str:
    """Return ``url`` without trailing slash if tokens may be sent to it.

    :param name: The field of the connection that it comes from, for the message.
    :param example: What such an address may look like.
    :raises MicsConfigurationError: It is no address, or not https and not this machine, or carries a password or query.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
        # Labels that are empty or too long; the transports would fail on them in ways of their own.
        (host or "").encode("idna")
    except ValueError:
        raise MicsConfigurationError(f"The {name} of the connection is not an address.") from None
    if parts.scheme not in {"https", "http"} or not host:
        raise MicsConfigurationError(f"The {name} of the connection must be an address such as {example}.")
    if "@" in parts.netloc:
        raise MicsConfigurationError(
            f"The {name} of the connection carries a user name or password.",
            hint="Put the API token into the connection's password.",
        )
    if parts.query or parts.fragment:
        raise MicsConfigurationError(f"The {name} of the connection must have no ? or # in it.")
    if parts.scheme == "http" and not is_loopback(host):
        raise MicsConfigurationError(
            f"The connection's {name} is http://{host}: tokens and customer data travel only over https.",
            hint="Plain http is for a server on this same machine.",
        )
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def checked_proxy(url: str) -> str:
    """Return the address of a proxy, with a scheme, which many leave out.

    :raises MicsConfigurationError: It is no address, or that of another kind of proxy; a password in it is not shown.
    """
    text = url.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or True)
    except ValueError:
        usable = False
        parts = urlsplit("")
    if not usable:
        raise MicsConfigurationError(
            "The proxy must be an HTTP proxy's address, such as http://proxy.example.com:3128.",
            hint="It comes from the connection's extra or, without one there, from the environment.",
        )
    return urlunsplit(parts)


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
