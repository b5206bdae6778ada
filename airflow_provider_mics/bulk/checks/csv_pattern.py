"""A regular expression that takes good CSV records of segment lines, as many as there are, in one call.

It is made for a header, and says everything the rules say: cells by their column's type, exactly one identifier, one of
two columns filled. It never backtracks over a record. What it does not take may still be good: data bags nested deeper
than it looks, for example.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.bulk.checks.no_backtracking import any_number_of, at_most_one

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NUL: Final = rb"\x00"
#: An empty cell, quoted or not.
_EMPTY: Final = at_most_one(rb'""')
_RECORD_END: Final = rb"\r?\n"


def _text(without: bytes = b"") -> bytes:
    """Return a cell that is not empty and has none of the characters ``without``."""
    inside = rb'[^"' + _NUL + without + rb"]"
    quoted = rb'"(?:' + inside + rb'|"")' + any_number_of(inside + rb'++|""') + rb'"'
    return rb'(?:[^,"\r\n' + _NUL + without + rb"]++|" + quoted + rb")"


def _either_way(plain: bytes) -> bytes:
    """Return a cell without any character that would need quotes, in quotes or not."""
    return rb"(?:" + plain + rb'|"' + plain + rb'")'


def _json(depth: int) -> bytes:
    """JSON as it stands in a quoted cell, its quotes doubled, with at most so many levels of objects and arrays."""
    space = rb"[ \t\r\n]*+"
    # Of escapes, those that stand for half a surrogate pair are left to the slow look.
    plain = rb'[^"\\\x00-\x1f]*+'
    escape = rb'\\(?:[\\/bfnrt]|""|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})'
    string = rb'""' + plain + any_number_of(escape + plain) + rb'""'
    number = rb"-?(?:0|[1-9][0-9]{0,17}+)" + at_most_one(rb"\.[0-9]{1,17}+")
    value = rb"|".join((string, number, rb"true|false|null"))
    for _ in range(depth - 1):
        value = rb"|".join((value, _object(space, string, value), _array(space, value)))
    return _object(space, string, value)


def _object(space: bytes, string: bytes, value: bytes) -> bytes:
    member = string + space + rb":" + space + rb"(?:" + value + rb")" + space
    return rb"\{" + space + any_number_of(member + rb"(?:," + space + rb'(?=")|(?=\}))') + rb"\}"


def _array(space: bytes, value: bytes) -> bytes:
    element = rb"(?:" + value + rb")" + space
    return rb"\[" + space + any_number_of(element + rb"(?:," + space + rb"(?=[^\]])|(?=\]))") + rb"\]"


#: What a filled cell of a column looks like; a time stamp is not ten digits long, which would be seconds.
_FILLED: Final = {
    "user_account_id": _text(),
    "user_agent_id": _text(),
    "email_hash": _text(without=b"@"),
    "compartment_id": _text(),
    "compartment_token": _text(),
    "segment_id": _text(),
    "segment_technical_name": _text(),
    "expiration_duration": _either_way(rb"[0-9]{1,18}+"),
    "expiration_ts": _either_way(rb"(?:0|[1-9](?:[0-9]{10,17}+|[0-9]{0,8}+))"),
    "data_bag": rb'"[ \t\r\n]*+' + _json(depth=3) + rb'[ \t\r\n]*+"',
}
_STATE = str


@dataclasses.dataclass(frozen=True, slots=True)
class _Constraint:
    """A rule over several columns, as a machine that walks over a record.

    :param steps: From a state, by a filled column, to the next; where there is none the record is bad. Empty cells and
        other columns leave the state as it is. The first state is "".
    :param good: States in which a record may end.
    """

    steps: Mapping[tuple[_STATE, str], _STATE]
    good: frozenset[_STATE]

    @property
    def columns(self) -> set[str]:
        return {column for _, column in self.steps}


def _exactly_one_identifier() -> _Constraint:
    """Count the pair of compartment and account as one; ``?`` is a compartment that waits for its account."""
    steps = {("", "email_hash"): "other", ("", "user_agent_id"): "other"}
    for compartment in ("compartment_id", "compartment_token"):
        steps |= {("", compartment): "?", ("?", compartment): "?", ("account", compartment): "account"}
    steps |= {("", "user_account_id"): "account", ("?", "user_account_id"): "account"}
    return _Constraint(steps, frozenset({"account", "other"}))


def _at_least_one(*columns: str) -> _Constraint:
    steps = {(state, column): "filled" for state in ("", "filled") for column in columns}
    return _Constraint(steps, frozenset({"filled"}))


_ALWAYS: Final = (_exactly_one_identifier(), _at_least_one("segment_id", "segment_technical_name"))
_LIMITED: Final = _at_least_one("expiration_duration", "expiration_ts")


def segment_pattern(columns: Sequence[str]) -> re.Pattern[bytes]:
    """Return what matches, from the start of a record, updates and then one deletion.

    The match ends behind the last record taken. Its group 1 is the deletion; without one, there is no good record (or
    none that it takes) behind the match. At most one match ends at a deletion, so that they can be counted.

    :param columns: Names in lower case, all of them known, none twice, the mandatory ones among them.
    """
    update = _record(columns, b"UPDATE", (*_ALWAYS, _LIMITED))
    delete = _record(columns, b"DELETE", _ALWAYS)
    updates = any_number_of(update) if update else b""
    return re.compile(updates + (rb"(" + delete + rb")?" if delete else rb"((?!))?"))


def any_pattern(width: int) -> re.Pattern[bytes]:
    """Return what matches well-formed records of so many cells, whatever is in them."""
    quoted = rb'"' + any_number_of(rb'[^"' + _NUL + rb']++|""') + rb'"'
    cell = rb"(?:" + quoted + rb'|[^,"\r\n' + _NUL + rb"]*+)"
    # A line without anything is no record.
    not_blank = rb"(?![ \t\r]*+\n)"
    return re.compile(any_number_of(not_blank + rb",".join([cell] * width) + _RECORD_END) + rb"((?!))?")


def _record(columns: Sequence[str], operation: bytes, constraints: Sequence[_Constraint]) -> bytes | None:
    """Put the pieces of a record together: runs of columns that constraints tie together, and cells between them."""
    pieces = []
    start = 0
    while start < len(columns):
        end = _end_of_run(columns, start, constraints)
        run = _Run(columns, start, end, operation, constraints)
        piece = run.pattern(start, tuple("" for _ in constraints))
        if piece is None:
            return None
        pieces.append(piece)
        start = end
    if any("" not in c.good and not c.columns.intersection(columns) for c in constraints):
        return None
    return b"".join(pieces)


def _end_of_run(columns: Sequence[str], start: int, constraints: Sequence[_Constraint]) -> int:
    """Return where the columns end that share a constraint with the one at ``start``, directly or through others."""
    end = start + 1
    position = start
    while position < end:
        for constraint in constraints:
            if columns[position] in constraint.columns:
                end = max(end, *(index + 1 for index, name in enumerate(columns) if name in constraint.columns))
        position += 1
    return end


@dataclasses.dataclass(frozen=True, slots=True)
class _Run:
    """Columns from ``start`` to before ``end``, and the constraints, all of whose columns are inside or outside."""

    columns: Sequence[str]
    start: int
    end: int
    operation: bytes
    constraints: Sequence[_Constraint]

    def pattern(self, position: int, states: tuple[_STATE, ...]) -> bytes | None:
        """Return what matches the columns from ``position`` to the run's end, or None if nothing can."""
        if position == self.end:
            return b"" if self._is_good(states) else None
        column = self.columns[position]
        separator = _RECORD_END if position == len(self.columns) - 1 else b","
        if column == "operation":
            return self._with_rest(_either_way(self.operation) + separator, position, states)
        filled = self._step(column, states)
        if filled == states:
            cell = rb"(?:" + _FILLED[column] + rb"|" + _EMPTY + rb")"
            return self._with_rest(cell + separator, position, states)
        branches = [self._with_rest(_EMPTY + separator, position, states)]
        if filled is not None:
            branches.append(self._with_rest(_FILLED[column] + separator, position, filled))
        possible = [branch for branch in branches if branch is not None]
        return rb"(?:" + rb"|".join(possible) + rb")" if possible else None

    def _with_rest(self, cell: bytes, position: int, states: tuple[_STATE, ...]) -> bytes | None:
        rest = self.pattern(position + 1, states)
        return None if rest is None else cell + rest

    def _step(self, column: str, states: tuple[_STATE, ...]) -> tuple[_STATE, ...] | None:
        after = []
        for constraint, state in zip(self.constraints, states, strict=True):
            if column not in constraint.columns:
                after.append(state)
            elif (state, column) in constraint.steps:
                after.append(constraint.steps[state, column])
            else:
                return None
        return tuple(after)

    def _is_good(self, states: tuple[_STATE, ...]) -> bool:
        """Ask only the constraints of this run."""
        inside = set(self.columns[self.start : self.end])
        return all(
            state in constraint.good
            for constraint, state in zip(self.constraints, states, strict=True)
            if inside & constraint.columns
        )
