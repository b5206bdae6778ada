"""What the leaves of a column mapping can be, and what can stand around them."""

from __future__ import annotations

import abc
import dataclasses
import zoneinfo
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, get_args

from airflow_provider_mics.bulk.mapping.converter import (
    ColumnType,
    Converter,
    NullPolicy,
    boolean_converter,
    check_choice,
    integer_converter,
    is_nan,
    json_converter,
    number_converter,
    string_converter,
)
from airflow_provider_mics.bulk.mapping.milliseconds import milliseconds_converter
from airflow_provider_mics.exceptions import MicsConfigurationError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class ColumnValue(abc.ABC):
    """Base of what takes its value from a column.

    :param name: The column. Where none has exactly this name, one that differs in case only is taken.
    :param null: What becomes of a null: ``omit`` leaves the field out, ``null`` writes null, ``fail`` fails the load.
    """

    name: str
    _: dataclasses.KW_ONLY
    null: NullPolicy = "omit"

    def __post_init__(self) -> None:
        if not self.name:
            raise MicsConfigurationError(f"{type(self).__name__} needs the name of a column.")
        check_choice("null", self.null, get_args(NullPolicy))

    @abc.abstractmethod
    def converter(self) -> Converter:
        """Return what converts the column's values."""


@dataclasses.dataclass(frozen=True)
class Column(ColumnValue):
    """A column's values as text, integers, numbers or booleans.

    What would lose or guess something is refused: decimals for an integer, a float as text, ``yes`` as a boolean.
    Integers make text, and text that is an integer makes one; decimals keep their digits. Dates and time stamps make
    ISO 8601 text.

    :param type: ``string``, ``integer``, ``number`` or ``boolean``.
    :param nan: What becomes of NaN, which some tools write for a missing number: ``fail`` fails the load, ``null``
        takes it for a null. Infinity always fails it.
    :param timezone: Zone of time stamps that name none, such as ``Europe/Paris``; without, they are refused.
    """

    _: dataclasses.KW_ONLY
    type: ColumnType
    nan: Literal["fail", "null"] = "fail"
    timezone: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("type", self.type, get_args(ColumnType))
        check_choice("nan", self.nan, ("fail", "null"))
        zone(self.timezone)

    def converter(self) -> Converter:
        """Return what converts the column's values."""
        converter = string_converter(zone(self.timezone)) if self.type == "string" else _CONVERTERS[self.type]()
        if self.nan == "fail":
            return converter
        convert = converter.convert
        return dataclasses.replace(converter, convert=lambda value: None if is_nan(value) else convert(value))


@dataclasses.dataclass(frozen=True)
class Milliseconds(ColumnValue):
    """A column of moments as milliseconds since the epoch: time stamps, dates, ISO 8601 text, or milliseconds.

    Integers that look like seconds, microseconds or nanoseconds are refused.

    :param timezone: Zone of dates, and of time stamps and text that name none, such as ``Europe/Paris``; without, they
        are refused.
    """

    _: dataclasses.KW_ONLY
    timezone: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        zone(self.timezone)

    def converter(self) -> Converter:
        """Return what converts the column's values."""
        return milliseconds_converter(zone(self.timezone))


@dataclasses.dataclass(frozen=True)
class Json(ColumnValue):
    """A column of JSON, of a database's JSON type or as text, put into the command as it is. JSON's null is a null."""

    def converter(self) -> Converter:
        """Return what converts the column's values."""
        return json_converter()


@dataclasses.dataclass
class DataBag:
    """An object that goes into the command as text, as ``data_bag`` wants it.

    :param members: A mapping, as for the command itself.
    """

    members: Mapping[str, Any]

    template_fields: ClassVar[tuple[str, ...]] = ("members",)


@dataclasses.dataclass
class IfPresent:
    """An object that is left out, whole, where one of its own columns is null and has the policy ``omit``.

    For an identifier that not every row has, in a list of identifiers.

    :param members: A mapping, as for the command itself.
    """

    members: Mapping[str, Any]

    template_fields: ClassVar[tuple[str, ...]] = ("members",)


_CONVERTERS: Final = {"integer": integer_converter, "number": number_converter, "boolean": boolean_converter}


def zone(name: str | None) -> dt.tzinfo | None:
    """Return a zone of the time zone database."""
    if name is None:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError):
        raise MicsConfigurationError(
            f"timezone {name!r} is not known.", hint="Name one of the time zone database, such as Europe/Paris or UTC."
        ) from None
