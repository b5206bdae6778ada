"""What was sent."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SentPart:
    """A part that the platform has accepted.

    :param file: Name of the file it was cut from.
    :param number: Position among the parts of this file, from 1.
    :param lines: Commands in it.
    :param bytes: Size of what was sent.
    :param ranges: Byte offset and length, in the file, of each range of it; None: not known, or no range of the file.
    :param version: The version of the file that they are of.
    """

    execution_id: str
    file: str
    number: int
    lines: int
    bytes: int
    ranges: tuple[tuple[int, int], ...] | None = None
    version: tuple[str, ...] | None = None
