"""Some rows of a query or file, column by column."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows in a row.

    They are kept by column because what is done with the values of a column can then mostly be done with all at once.

    :param columns: The values of each column that was asked for, in the order in which they were.
    :param size: Rows in it.
    :param first_row: Number of the first one in its source, from 1.
    """

    columns: Sequence[Sequence[Any]]
    size: int
    first_row: int
