"""What lines have in common: they become one JSON object on one line, and most of them name one person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from collections.abc import Mapping

#: An id. The vendor's pages type the same ids as strings in one place and as numbers in another: both are sent as is.
Id = str | int

_encoder = msgspec.json.Encoder()


class Line(msgspec.Struct, kw_only=True):
    """One line of a document import, or an object inside it."""

    def to_line(self) -> bytes:
        """Return it as JSON in UTF-8, with the newline that ends it."""
        return encode_line(self)


class Command(Line, kw_only=True):
    """A line that changes one thing of one person, named by exactly one identifier.

    The pair of ``compartment_id`` and ``user_account_id`` is one identifier. Source: "Bulk processing", imports of
    profiles, segments and choices.
    """

    #: Which compartment the account is of; without it the datamart's default compartment.
    compartment_id: Id | UnsetType | None = UNSET
    user_account_id: Id | UnsetType | None = UNSET
    #: Hash of the e-mail address, always made with the same function within a datamart; never the address.
    email_hash: str | UnsetType | None = UNSET
    user_agent_id: Id | UnsetType | None = UNSET


def encode_line(line: Line | Mapping[str, Any]) -> bytes:
    """Return a line as JSON in UTF-8, with the newline that ends it.

    :param line: A structure of this package, or a mapping with the vendor's names. Fields left out of a structure are
        left out here; ``None`` becomes null. NaN and infinities, which JSON does not have, become null too.
    """
    return _encoder.encode(line) + b"\n"


def dollar(name: str) -> str:
    """Return the vendor's name of a field of an activity, of an event or of a choice."""
    return f"${name}"
