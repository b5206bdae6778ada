"""What a stand-in is called and lets in unless it is told otherwise."""

from __future__ import annotations

import ipaddress
from typing import Final

DEFAULT_TOKEN: Final = "api:sandbox-token"  # noqa: S105 - opens nothing but this stand-in
DEFAULT_DATAMART: Final = "1509"
DEFAULT_ORGANISATION: Final = "1426"
DEFAULT_FORBIDDEN: Final = "1510"
DEFAULT_EMAIL: Final = "technical.user@example.com"
DEFAULT_PASSWORD: Final = "sandbox-password"  # noqa: S105 - opens nothing but this stand-in
#: MetaX, the other vendor.
DEFAULT_METAX_TOKEN: Final = "metax-sandbox-token"  # noqa: S105 - opens nothing but this stand-in
DEFAULT_METAX_CLIENT: Final = "sandbox-client"
DEFAULT_METAX_SECRET: Final = "sandbox-client-secret"  # noqa: S105 - opens nothing but this stand-in


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
