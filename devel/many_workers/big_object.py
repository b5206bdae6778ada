"""A large file of profiles, no two lines alike: what is missing, doubled or misplaced changes its hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from devel.crm_export import COMPARTMENT_ID

if TYPE_CHECKING:
    from pathlib import Path

#: Lines are of one length, near that of the profiles of a small shop, in bytes.
LINE_BYTES: Final = 500
_LINES_AT_ONCE: Final = 20_000


@dataclass(frozen=True)
class BigObject:
    """What was written."""

    path: Path
    bytes: int
    lines: int
    sha256: str


def write_object(path: Path, size: int) -> BigObject:
    """Write a file of at least ``size`` bytes, in whole lines."""
    lines = -(-size // LINE_BYTES)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for first in range(0, lines, _LINES_AT_ONCE):
            block = b"".join(_LINE % (number, number) for number in range(first, min(first + _LINES_AT_ONCE, lines)))
            digest.update(block)
            file.write(block)
    return BigObject(path, lines * LINE_BYTES, lines, digest.hexdigest())


_PROFILE: Final = (
    b'{"operation":"UPSERT","compartment_id":"%(compartment)s","user_account_id":"crm-%%010d",'
    b'"user_profile":{"$compartment_id":"%(compartment)s","$user_account_id":"crm-%%010d","interests":"%(interests)s"}}\n'
)
_COMPARTMENT: Final = {b"compartment": COMPARTMENT_ID.encode()}
_OTHER_BYTES: Final = len(_PROFILE % {**_COMPARTMENT, b"interests": b""} % (0, 0))
_LINE: Final = _PROFILE % {**_COMPARTMENT, b"interests": b"x" * (LINE_BYTES - _OTHER_BYTES)}
