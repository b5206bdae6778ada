"""Some rows of a query or file, column by column."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Rows at a time: enough to make each round cheap, few enough for a processor's cache to keep what is made of them.
CHUNK_ROWS: Final = 500


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

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]], wanted: Sequence[int], first_row: int) -> Self:
        """Return rows by column.

        :param wanted: Positions of the columns that it shall have.
        """
        columns = list(zip(*rows, strict=True))
        return cls([columns[index] for index in wanted], len(rows), first_row)
