"""The parts of a compiled mapping: each makes the values that one place of the command has in the rows of a chunk."""

from __future__ import annotations

import itertools
from types import NoneType
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec import UNSET

from airflow_provider_mics.bulk.mapping.converter import RefusedError
from airflow_provider_mics.bulk.rows import ENCODER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from airflow_provider_mics.bulk.mapping.chunk import Chunk
    from airflow_provider_mics.bulk.mapping.columns import ColumnValue


class BadValueError(Exception):
    """A value of a chunk does not fit.

    :param offset: Of its row in the chunk.
    :param reason: What is wrong, beginning with the column.
    """

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


class Node(Protocol):
    """A place of the command."""

    @property
    def may_be_unset(self) -> bool:
        """Whether there may be nothing in it."""

    def values(self, chunk: Chunk) -> Iterable[Any]:
        """Return what is in it in each row, ``UNSET`` for nothing.

        :raises BadValueError: A value does not fit.
        """


class Constant:
    """The same in every row, encoded once."""

    may_be_unset = False

    def __init__(self, value: Any) -> None:
        self._encoded = msgspec.Raw(ENCODER.encode(value))

    def values(self, chunk: Chunk) -> Iterable[Any]:
        """Return it for each row."""
        return itertools.repeat(self._encoded, chunk.size)


class ColumnNode:
    """What a column says.

    :param index: The column's among those of the chunks.
    """

    def __init__(self, column: ColumnValue, index: int) -> None:
        self._name = column.name
        self._null = column.null
        self._index = index
        self._converter = column.converter()
        self._as_is = frozenset(self._converter.as_is)
        self.may_be_unset = column.null == "omit"

    def values(self, chunk: Chunk) -> Iterable[Any]:
        """Return the column's values, converted; all at once where their types allow it."""
        values = chunk.columns[self._index]
        kinds = set(map(type, values))
        has_nulls = NoneType in kinds
        kinds.discard(NoneType)
        if not kinds <= self._as_is or not self._all_fit(values, has_nulls=has_nulls):
            values = self._converted(values)
            has_nulls = any(value is None for value in values)
        if not has_nulls or self._null == "null":
            return values
        if self._null == "fail":
            offset = next(offset for offset, value in enumerate(values) if value is None)
            raise BadValueError(offset, f"column {self._name} is null")
        return [UNSET if value is None else value for value in values]

    def _all_fit(self, values: Sequence[Any], *, has_nulls: bool) -> bool:
        if has_nulls:
            values = [value for value in values if value is not None]
        return self._converter.all_fit(values)

    def _converted(self, values: Sequence[Any]) -> list[Any]:
        convert = self._converter.convert
        converted: list[Any] = []
        try:
            # Goes on where it was stopped, if it was: one set-up for the whole column, not one for each value.
            converted.extend(None if value is None else convert(value) for value in values)
        except RefusedError as refused:
            reason = f"column {self._name} must be {self._converter.expected}, but is {refused}"
            raise BadValueError(len(converted), reason) from None
        return converted


class ObjectNode:
    """An object with a member for each node.

    :param members: By their names in JSON.
    """

    may_be_unset = False

    def __init__(self, members: Mapping[str, Node]) -> None:
        # Structs are made and encoded faster than dicts, and leave out what is unset.
        names = {f"field_{index}": name for index, name in enumerate(members)}
        self._make: Callable[..., Any] = msgspec.defstruct(
            "Members", [(field, Any) for field in names], rename=names, gc=False
        )
        self._members = tuple(members.values())

    def values(self, chunk: Chunk) -> Iterable[Any]:
        """Return an object for each row."""
        return list(map(self._make, *(member.values(chunk) for member in self._members)))


class IfPresentNode(ObjectNode):
    """An object, unless one of its members is unset."""

    may_be_unset = True

    def values(self, chunk: Chunk) -> Iterable[Any]:
        """Return an object or nothing for each row."""
        return [
            UNSET if any(value is UNSET for value in row) else self._make(*row)
            for row in zip(*(member.values(chunk) for member in self._members), strict=True)
        ]


class ListNode:
    """A list with an item for each node, without those that are unset."""

    may_be_unset = False

    def __init__(self, items: Sequence[Node]) -> None:
        self._items = items
        self._is_whole = not any(item.may_be_unset for item in items)

    def values(self, chunk: Chunk) -> Iterable[Any]:
        """Return a list for each row."""
        rows = zip(*(item.values(chunk) for item in self._items), strict=True)
        if self._is_whole:
            return list(rows)
        return [[item for item in row if item is not UNSET] for row in rows]


class TextNode:
    """Another node's values as JSON in text."""

    may_be_unset = False

    def __init__(self, inner: Node) -> None:
        self._inner = inner

    def values(self, chunk: Chunk) -> Iterable[Any]:
        """Return text for each row."""
        texts: list[str] = []
        try:
            texts.extend(ENCODER.encode(value).decode() for value in self._inner.values(chunk))
        except UnicodeEncodeError:
            reason = "a column in a data bag holds text with half a character in it (a lone surrogate)"
            raise BadValueError(len(texts), reason) from None
        return texts
