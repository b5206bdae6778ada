"""Rows of Python objects become lines of JSON, strictly: what JSON cannot say is an error, never something similar.

The encoder by itself writes NaN as null, bytes as base64 and a time stamp without its zone. So each row is looked
through before it is encoded. That costs little, as values are not looked at one by one: the set of a container's types
is compared with those that are always fine, and only a container with something else in it is gone through in Python.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import itertools
import math
import re
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from airflow_provider_mics.bulk.block import Block
from airflow_provider_mics.exceptions import MicsInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Most bytes of a block of several lines.
BLOCK_BYTES: Final = 64 * 1024
#: Most rows that are encoded at once.
_MOST_ROWS: Final = 500
#: What the encoder raises for a value that it does not take.
_REFUSALS: Final = (TypeError, ValueError, OverflowError, RecursionError)

_TEXT: Final = frozenset({str})
_PLAIN: Final = frozenset({str, int, bool, NoneType})
#: A field of a struct that is unset is left out by the encoder.
_PLAIN_FIELDS: Final = _PLAIN | {msgspec.UnsetType}
#: Keys that may be shown. Others may be data themselves, such as e-mail addresses.
_FIELD_NAME: Final = re.compile(r"[$A-Za-z_][$\w-]{0,63}", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class Unwritable:
    """A value that a line cannot hold.

    :param reason: Why, without the value; the sentence begins with what it is: "NaN or infinity, which ...".
    :param path: The keys and indexes that lead to it.
    """

    reason: str
    path: tuple[str | int, ...] = ()

    def inside(self, key: object) -> Self:
        """Return the same, seen from one container further out."""
        return dataclasses.replace(self, path=(key if isinstance(key, int) else str(key), *self.path))

    @property
    def field(self) -> str:
        """The path as text, such as ``user_profile.tags[2]``."""
        text = ""
        for step in self.path:
            if isinstance(step, int):
                text += f"[{step}]"
            else:
                name = step if _FIELD_NAME.fullmatch(step) else "<key>"
                text += f".{name}" if text else name
        return text


def find_unwritable(value: Any) -> Unwritable | None:  # noqa: PLR0911 - one line for each kind
    """Return what in a value a line cannot hold, or None.

    Fine are None, booleans, text, integers, finite numbers (``Decimal`` keeps its digits), UUIDs, dates, time stamps
    with an offset or zone, and dicts with text as keys, lists, tuples, enums and msgspec structs of these.
    """
    kind = type(value)
    if kind in _PLAIN:
        return None
    if kind is float:
        return None if math.isfinite(value) else Unwritable("NaN or infinity, which JSON does not have")
    if isinstance(value, dict):
        if not _TEXT.issuperset(map(type, value)):
            return Unwritable("an object with a key that is no text")
        if _PLAIN.issuperset(map(type, value.values())):
            return None
        return _first_in(value.items())
    if isinstance(value, list | tuple):
        return None if _PLAIN.issuperset(map(type, value)) else _first_in(enumerate(value))
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.astuple(value)
        if _PLAIN_FIELDS.issuperset(map(type, fields)):
            return None
        set_fields = zip(value.__struct_encode_fields__, fields, strict=True)
        return _first_in((name, field) for name, field in set_fields if field is not msgspec.UNSET)
    return _unwritable_scalar(value)


def _first_in(members: Iterable[tuple[object, Any]]) -> Unwritable | None:
    for key, member in members:
        if type(member) not in _PLAIN and (found := find_unwritable(member)):
            return found.inside(key)
    return None


def _unwritable_scalar(value: Any) -> Unwritable | None:  # noqa: PLR0911 - one line for each type
    match value:
        case enum.Enum():
            return find_unwritable(value.value)
        case str() | int() | uuid.UUID():
            return None
        case float():
            return None if math.isfinite(value) else Unwritable("NaN or infinity, which JSON does not have")
        case Decimal():
            return None if is_number(value) else Unwritable("a number that is not finite, which JSON does not have")
        case dt.datetime():
            if value.utcoffset() is None:
                return Unwritable("a time stamp without a time zone; give it one, such as datetime.now(tz=UTC)")
            return None
        case dt.date():
            return None
        case bytes() | bytearray() | memoryview():
            return Unwritable("bytes, which JSON does not have; decode them to text")
        case _:
            return Unwritable(f"of the type {type(value).__name__}, which JSON does not have")


def is_number(value: Decimal) -> bool:
    """Return whether JSON and the platform's numbers can say it: finite, and no infinity as a float."""
    return value.is_finite() and math.isfinite(float(value))


def _encode_subclass(value: Any) -> Any:
    """Give the encoder what it takes for subclasses that it does not know, such as pendulum's ``DateTime``."""
    match value:
        case dt.date():
            return value.isoformat()
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case float():
            return float(value)
        case _:
            raise NotImplementedError


ENCODER: Final = msgspec.json.Encoder(enc_hook=_encode_subclass, decimal_format="number")


def encode_rows(
    rows: Iterable[Any], *, source: str, max_line_bytes: int, are_checked: bool = False, first_row: int = 1
) -> Iterator[Block]:
    """Encode rows as lines, one each, in blocks of 64 KiB at most, except for a line that is longer by itself.

    :param rows: Dicts or msgspec structs; taken when their block is asked for.
    :param source: What they are called in messages.
    :param max_line_bytes: Largest line, in bytes.
    :param are_checked: Whether they are known to hold nothing that a line cannot.
    :param first_row: Number of the first one, for messages.
    :raises MicsInputError: A row is no object, holds what JSON cannot say, or is too large. It names the row and the
        field, and shows no value.
    """
    block_bytes = min(BLOCK_BYTES, max_line_bytes)
    remaining = iter(rows)
    # Nobody knows how large they are.
    count = 1
    while batch := list(itertools.islice(remaining, count)):
        if not are_checked:
            for number, row in enumerate(batch, first_row):
                _check_row(row, source, number)
        content = _encode(batch)
        if content is not None and len(content) <= block_bytes:
            yield Block(content, len(batch))
            # Rows differ: what usually fills three quarters of a block seldom overflows it.
            count = max(1, min(_MOST_ROWS, 3 * block_bytes * len(batch) // (4 * len(content))))
        else:
            yield from _encode_singly(batch, source, first_row, block_bytes, max_line_bytes)
            count = max(1, len(batch) // 2)
        first_row += len(batch)


def _encode(batch: list[Any]) -> bytes | None:
    """Return rows as lines; None: there is one that cannot be."""
    try:
        return ENCODER.encode_lines(batch)
    except _REFUSALS:
        return None


def _encode_singly(
    batch: list[Any], source: str, first_row: int, block_bytes: int, max_line_bytes: int
) -> Iterator[Block]:
    """Encode rows that do not fit into one block, or of which one cannot be a line."""
    encode = ENCODER.encode_into
    buffer = bytearray()
    lines = 0
    for number, row in enumerate(batch, first_row):
        start = len(buffer)
        try:
            encode(row, buffer, start)
        except _REFUSALS:
            # Not from the error: it may quote the value.
            raise _row_error(source, number, _find_unencodable(row)) from None
        buffer += b"\n"
        lines += 1
        if len(buffer) > block_bytes:
            if start:
                yield Block(bytes(buffer[:start]), lines - 1)
                del buffer[:start]
                lines = 1
            if len(buffer) > max_line_bytes:
                raise MicsInputError(
                    f"{source}: row {number} makes a line of {len(buffer)} bytes; a part may have {max_line_bytes}.",
                    hint="Raise max_part_bytes (the platform takes about 100 MB), or mend the row.",
                )
    if buffer:
        yield Block(bytes(buffer), lines)


def _check_row(row: Any, source: str, number: int) -> None:
    is_object = isinstance(row, dict) or (isinstance(row, msgspec.Struct) and not row.__struct_config__.array_like)
    if not is_object:
        raise MicsInputError(
            f"{source}: row {number} is of the type {type(row).__name__}; a line is made of a dict or a msgspec.Struct."
        )
    try:
        found = find_unwritable(row)
    except RecursionError:
        found = Unwritable("nested too deeply")
    if found:
        raise _row_error(source, number, found)


def _row_error(source: str, number: int, found: Unwritable) -> MicsInputError:
    where = f"field {found.field}" if found.path else "it"
    return MicsInputError(f"{source}: row {number} cannot be a line: {where} is {found.reason}.")


def _find_unencodable(row: Any) -> Unwritable:
    """Find what the encoder refused, which is a value and no type: text beyond what UTF-8 can say."""
    try:
        return next(filter(None, map(_unencodable, _scalars(row, ()))), Unwritable("not to be written as JSON"))
    except RecursionError:
        return Unwritable("nested too deeply")


def _scalars(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, msgspec.Struct):
        value = dict(zip(value.__struct_encode_fields__, msgspec.structs.astuple(value), strict=True))
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield (*path, "<key>"), key
            yield from _scalars(member, (*path, key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, member in enumerate(value):
            yield from _scalars(member, (*path, index))
    elif value is not msgspec.UNSET:
        yield path, value


def _unencodable(found: tuple[tuple[str | int, ...], Any]) -> Unwritable | None:
    path, value = found
    try:
        ENCODER.encode(value)
    except UnicodeEncodeError:
        return Unwritable("text with half a character in it (a lone surrogate)", path)
    except (TypeError, ValueError, OverflowError):
        return Unwritable(f"of the type {type(value).__name__}, with a value that cannot be written", path)
    return None
