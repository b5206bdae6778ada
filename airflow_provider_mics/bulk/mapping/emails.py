"""E-mail addresses as hashes.

A datamart matches people only if all its hashes are made in the same way, so the mapping names the way, and there is no
default.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from airflow_provider_mics.bulk.mapping.columns import ColumnValue
from airflow_provider_mics.bulk.mapping.converter import Converter, RefusedError, check_choice, describe

if TYPE_CHECKING:
    from collections.abc import Callable

#: ``none``: the address as it is. ``trim_lower``: without white space around it, in lower case. ``gmail``: that, and
#: for gmail.com and googlemail.com the dots, and the plus sign with what follows, are taken out of the part before the
#: at sign, as Google's Data Manager API wants it, and for gmail.com Unified ID 2.0.
Normalization = Literal["none", "trim_lower", "gmail"]
Algorithm = Literal["md5", "sha1", "sha256"]

# Digests in hexadecimal digits of MD5, SHA-1 and SHA-256.
_DIGEST: Final = re.compile(r"\s*(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})\s*", re.ASCII)
_ADDRESS: Final = re.compile(r"[^\s@]+@[^\s@]+")
_GOOGLE: Final = frozenset({"gmail.com", "googlemail.com"})


@dataclasses.dataclass(frozen=True)
class EmailHash(ColumnValue):
    """The hash of a column's e-mail addresses, in lower-case hexadecimal digits.

    An empty address counts as null. What is a hash already is refused: hashed twice it would match nobody.

    :param algorithm: ``sha256``, ``sha1`` or ``md5``: what the datamart uses.
    :param normalization: What is done to an address before it is hashed: ``none``, ``trim_lower`` or ``gmail``. Use
        what the datamart's other sources use.
    :param invalid: What becomes of text that is no e-mail address, such as ``n/a``, whose hash many people would
        share: ``fail`` fails the load, ``null`` takes it for a null.
    """

    _: dataclasses.KW_ONLY
    algorithm: Algorithm
    normalization: Normalization
    invalid: Literal["fail", "null"] = "fail"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("algorithm", self.algorithm, get_args(Algorithm))
        check_choice("normalization", self.normalization, get_args(Normalization))
        check_choice("invalid", self.invalid, ("fail", "null"))

    def converter(self) -> Converter:
        """Return what converts the column's values."""
        make = _digest(self.algorithm)
        normalize = NORMALIZATIONS[self.normalization]

        def convert(value: Any) -> str | None:
            if not isinstance(value, str):
                raise RefusedError(describe(value))
            if not value or value.isspace():
                return None
            if _DIGEST.fullmatch(value):
                raise RefusedError("a hash already; map it with Column(..., type='string')")
            address = normalize(value)
            if not _ADDRESS.fullmatch(address.strip()):
                if self.invalid == "null":
                    return None
                raise RefusedError("another text; invalid='null' takes such values for null")
            try:
                return make(address.encode())
            except UnicodeEncodeError:
                raise RefusedError("text with half a character in it (a lone surrogate)") from None

        return Converter(expected="an e-mail address", convert=convert)


def _digest(algorithm: Algorithm) -> Callable[[bytes], str]:
    """Return what makes a digest's hexadecimal digits."""
    # Here, as it brings OpenSSL: memory that a mapping without hashes does without.
    import hashlib

    make = {"md5": hashlib.md5, "sha1": hashlib.sha1, "sha256": hashlib.sha256}[algorithm]
    return lambda data: make(data, usedforsecurity=False).hexdigest()


def _unchanged(address: str) -> str:
    return address


def _trim_lower(address: str) -> str:
    return address.strip().lower()


def _gmail(address: str) -> str:
    trimmed = _trim_lower(address)
    local, at, domain = trimmed.rpartition("@")
    if domain not in _GOOGLE:
        return trimmed
    return local.partition("+")[0].replace(".", "") + at + domain


NORMALIZATIONS: Final[dict[Normalization, Callable[[str], str]]] = {
    "none": _unchanged,
    "trim_lower": _trim_lower,
    "gmail": _gmail,
}
