"""Repetitions in regular expressions that never give back what they took, whatever the version of Python.

Up to Python 3.11.4, a possessive repetition of a group keeps the half of the group that matched before it failed, and
so matches what it must not (https://github.com/python/cpython/issues/106052). Debian 12 has such a version. There, an
atomic group stands in, which is slower. Possessive repetitions of single characters, such as ``[a-z]++``, are right in
all versions.
"""

from __future__ import annotations

import re
from typing import Final

_probe = re.match(b"(?:ab?c)*+", b"aca")
_IS_POSSESSIVE_RIGHT: Final = _probe is not None and _probe.group() == b"ac"


def any_number_of(pattern: bytes) -> bytes:
    """Match a pattern again and again, as often as it does."""
    return b"(?:" + pattern + b")*+" if _IS_POSSESSIVE_RIGHT else b"(?>(?:" + pattern + b")*)"


def at_most_one(pattern: bytes) -> bytes:
    """Match a pattern once, or nothing if it does not match."""
    return b"(?:" + pattern + b")?+" if _IS_POSSESSIVE_RIGHT else b"(?>(?:" + pattern + b")?)"
