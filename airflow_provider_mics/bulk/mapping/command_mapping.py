"""Compiling a column mapping, once for a load, into what makes commands of rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.bulk.mapping.columns import ColumnValue, DataBag, IfPresent
from airflow_provider_mics.bulk.mapping.nodes import (
    BadValueError,
    ColumnNode,
    Constant,
    IfPresentNode,
    ListNode,
    Node,
    ObjectNode,
    TextNode,
)
from airflow_provider_mics.bulk.rows import find_unwritable
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_mics.bulk.mapping.chunk import Chunk

# What the encoder takes for the name of a struct's field.
_NAME: Final = re.compile(r"[^\x00-\x1f\"\\\ud800-\udfff]+")
# What may be shown of what should be names of columns.
_COLUMN_NAME: Final = re.compile(r"[^\W\d][\w $.;-]{0,63}")


class CommandMapping:
    """A column mapping, checked as far as that is possible without columns.

    :param command: A dict in the form of the command. Its leaves are constants, :class:`Column`,
        :class:`EmailHash`, :class:`Milliseconds`, :class:`Json`; around them dicts, lists, :class:`DataBag` and
        :class:`IfPresent`.
    :raises MicsConfigurationError: It means nothing.
    """

    def __init__(self, command: Mapping[str, Any]) -> None:
        # What users type, or a template made, may be anything.
        self._command: Any = command
        names: dict[str, int] = {}
        self._compile(lambda column: names.setdefault(column.name, len(names)))
        #: The columns it names.
        self.columns: Sequence[str] = tuple(names)

    def bind(self, available: Sequence[str], source: str) -> BoundMapping:
        """Return it, ready for the rows of a source.

        :param available: The source's columns, in order.
        :param source: What the source is called in messages.
        :raises MicsConfigurationError: A column does not exist, or exists twice.
        """
        wanted: dict[int, int] = {}

        def index_of(column: ColumnValue) -> int:
            return wanted.setdefault(_position(column.name, available, source), len(wanted))

        return BoundMapping(self._compile(index_of), tuple(wanted), source)

    def _compile(self, index_of: Callable[[ColumnValue], int]) -> Node:
        if not isinstance(self._command, Mapping) or not self._command:
            raise MicsConfigurationError(
                f"command must be a dict with the command's fields, not {_kind(self._command)}.",
            )
        return _compile(self._command, "", index_of)


class BoundMapping:
    """Makes commands of a source's rows.

    :param wanted: Positions of the columns it needs among the source's, in the order that chunks have them in.
    """

    def __init__(self, root: Node, wanted: Sequence[int], source: str) -> None:
        self._root = root
        self._source = source
        self.wanted = wanted

    def commands(self, chunk: Chunk) -> Iterable[Any]:
        """Return a command for each row, which the encoder takes as it is.

        :raises MicsInputError: A value does not fit. The message names row and column, and not the value.
        """
        try:
            return self._root.values(chunk)
        except BadValueError as bad:
            raise MicsInputError(f"{self._source}: row {chunk.first_row + bad.offset}: {bad.reason}.") from None


def _compile(template: Any, path: str, index_of: Callable[[ColumnValue], int]) -> Node:
    match template:
        case ColumnValue():
            return ColumnNode(template, index_of(template))
        case DataBag():
            return TextNode(_compile(_members(template, path), path, index_of))
        case IfPresent():
            return IfPresentNode(_nodes(_members(template, path), path, index_of))
        case Mapping() if _has_column(template):
            return ObjectNode(_nodes(template, path, index_of))
        case list() | tuple() if _has_column(template):
            return ListNode([_compile(item, f"{path}[{index}]", index_of) for index, item in enumerate(template)])
        case _:
            return _constant(template, path)


def _nodes(members: Mapping[Any, Any], path: str, index_of: Callable[[ColumnValue], int]) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    for name, member in members.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise MicsConfigurationError(f"command: {name!r} cannot be the name of a field.")
        nodes[name] = _compile(member, f"{path}.{name}" if path else name, index_of)
    return nodes


def _members(around: DataBag | IfPresent, path: str) -> Mapping[str, Any]:
    members: Any = around.members
    if not isinstance(members, Mapping) or not members:
        raise MicsConfigurationError(f"command: {type(around).__name__} at {path} needs a dict, not {_kind(members)}.")
    return members


def _has_column(template: Any) -> bool:
    match template:
        case ColumnValue() | DataBag() | IfPresent():
            return True
        case Mapping():
            return any(map(_has_column, template.values()))
        case list() | tuple():
            return any(map(_has_column, template))
        case _:
            return False


def _constant(value: Any, path: str) -> Node:
    if found := find_unwritable(value):
        where = f"{path}.{found.field}" if path and found.path else path or found.field
        raise MicsConfigurationError(f"command: {where or 'it'} is {found.reason}.")
    try:
        return Constant(value)
    except (TypeError, ValueError, OverflowError):
        raise MicsConfigurationError(f"command: {path or 'it'} cannot be written as JSON.") from None


def _position(name: str, available: Sequence[str], source: str) -> int:
    same = [index for index, column in enumerate(available) if column == name] or [
        index for index, column in enumerate(available) if column.lower() == name.lower()
    ]
    if len(same) == 1:
        return same[0]
    problem = f"{len(same)} columns {name}" if same else f"no column {name}"
    raise MicsConfigurationError(
        f"{source} has {problem}. Its columns are: {', '.join(map(_shown, available))}.",
        hint="Mend the name in the command mapping, or give each column a name of its own.",
    )


def _shown(column: str) -> str:
    # The first record of a CSV file without a header is one of data.
    return column if _COLUMN_NAME.fullmatch(column) else "<no name>"


def _kind(value: Any) -> str:
    return "an empty one" if isinstance(value, Mapping) else type(value).__name__
