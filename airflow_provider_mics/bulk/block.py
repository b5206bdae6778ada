"""What lines come in between the stages that make, check and write them."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """Some whole lines, each with its line end.

    :param lines: How many; blank ones do not count.
    """

    content: bytes
    lines: int
