"""How people are named: identifiers, and the selectors that carry them in a path."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from airflow_provider_mics.sandbox.messages import HttpError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Compartment of an account for which none is named. Every datamart has a default one; this id is ours.
DEFAULT_COMPARTMENT: Final = "1000"
#: Prefix of a device point among user agent ids.
DEVICE_POINT: Final = "udp:"
_FIELDS: Final = {"USER_AGENT": "user_agent_id", "USER_EMAIL": "hash", "USER_POINT": "user_point_id"}


class Identifier(NamedTuple):
    """One name of a person.

    :param kind: the vendor's word: USER_ACCOUNT, USER_EMAIL, USER_AGENT or USER_POINT.
    :param compartment_id: of an account.
    """

    kind: str
    value: str
    compartment_id: str | None = None

    @property
    def selector(self) -> str:
        """The identifier as a selector, in one form for all its spellings."""
        if self.kind == "USER_ACCOUNT":
            return f"compartment_id={self.compartment_id},user_account_id={self.value}"
        return f"{_SELECTOR_NAMES[self.kind]}={self.value}"


_SELECTOR_NAMES: Final = {"USER_AGENT": "user_agent_id", "USER_EMAIL": "email_hash", "USER_POINT": "user_point_id"}


def parse_selector(selector: str) -> Identifier:
    """Read a selector: a UUID, ``name=value``, or ``compartment_id=c,user_account_id=a`` with a comma.

    UNKNOWN at the vendor: how a selector of another form is refused (we answer 400).
    """
    try:
        return Identifier("USER_POINT", str(uuid.UUID(value_of(selector, "user_point_id") or selector)))
    except ValueError:
        pass
    # Ids may hold commas themselves: only the comma before the account's name parts the pair.
    first, comma, account = selector.partition(",user_account_id=")
    compartment = value_of(first, "compartment_id")
    if comma and compartment and account:
        return Identifier("USER_ACCOUNT", account, compartment)
    for name, kind in (("user_agent_id", "USER_AGENT"), ("email_hash", "USER_EMAIL")):
        if value := value_of(selector, name):
            return Identifier(kind, value)
    if value := value_of(selector, "user_account_id"):
        return Identifier("USER_ACCOUNT", value, DEFAULT_COMPARTMENT)
    raise HttpError(HTTPStatus.BAD_REQUEST, f"Not a user point selector: {selector}")


def parse_flat_selector(segments: list[str]) -> Identifier:
    """Read the selector of a flat route such as ``user_segments/<selector>``, where a slash parts the pair."""
    return parse_selector(",".join(segments))


def value_of(item: str, name: str) -> str | None:
    """Read the value of ``name=value``; None for another name or no value."""
    found, _, value = item.partition("=")
    return value if found == name and value else None


def of_element(element: Mapping[str, Any]) -> Identifier | None:
    """Read a ``{"type": ..., ...}`` element of an association, or one of an activity with its ``$`` removed.

    None: an e-mail without its hash, by which nobody can be found.
    """
    kind = str(element["type"])
    if kind == "USER_ACCOUNT":
        compartment = element.get("compartment_id")
        named = DEFAULT_COMPARTMENT if compartment is None else str(compartment)
        return Identifier(kind, str(element["user_account_id"]), named)
    value = element.get(_FIELDS[kind])
    return None if value is None else Identifier(kind, str(value))


def of_command(line: Mapping[str, Any]) -> Identifier:
    """Read the one identifier of a line of a bulk import, which was checked before."""
    if line.get("user_account_id") is not None:
        return Identifier(
            "USER_ACCOUNT", str(line["user_account_id"]), str(line.get("compartment_id") or DEFAULT_COMPARTMENT)
        )
    if line.get("email_hash") is not None:
        return Identifier("USER_EMAIL", str(line["email_hash"]))
    return Identifier("USER_AGENT", str(line["user_agent_id"]))


def of_activity(activity: Mapping[str, Any]) -> Iterator[Identifier]:
    """Read the identifiers of an activity, the array first, then the older ones at its root."""
    for item in activity.get("$user_identifiers") or ():
        found = of_element({name.removeprefix("$"): value for name, value in item.items()})
        if found is not None:
            yield found
    email = activity.get("$email_hash")
    if isinstance(email, dict) and email.get("$hash") is not None:
        yield Identifier("USER_EMAIL", str(email["$hash"]))
    if activity.get("$user_agent_id") is not None:
        yield Identifier("USER_AGENT", str(activity["$user_agent_id"]))
    if activity.get("$user_account_id") is not None:
        compartment = activity.get("$compartment_id")
        named = DEFAULT_COMPARTMENT if compartment is None else str(compartment)
        yield Identifier("USER_ACCOUNT", str(activity["$user_account_id"]), named)
