"""Which user point is meant: the selector in ``/v1/datamarts/:datamartId/user_points/<selector>``.

Source: "Tracking API" (user point selector) and "UserPoint API". Values are escaped as a whole; the ``=`` and the comma
that parts compartment and account are the selector's own and stay.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from airflow_provider_mics.api.identifiers import numeric_id, path_segment
from airflow_provider_mics.exceptions import MicsConfigurationError

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
#: Control characters, and halves of surrogate pairs, which no UTF-8 can carry.
_NEVER_IN_AN_IDENTIFIER = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class UserPointSelector:
    """Names one user point by one identifier. Its ``repr`` shows only which kind: the values are personal.

    The arguments are named as in the lines of bulk imports.

    :param user_point_id: UUID of the user point.
    :param user_agent_id: A device's, such as ``vec:89998434``.
    :param email_hash: Hash of an e-mail address.
    :param user_account_id: An account's.
    :param compartment_id: The account's compartment; without it the account is sought in the datamart's default one.
    :raises MicsConfigurationError: It is not exactly one identifier, or one that cannot be.
    """

    user_point_id: str | None = None
    user_agent_id: str | None = None
    email_hash: str | None = None
    user_account_id: str | None = None
    compartment_id: str | int | None = None

    def __post_init__(self) -> None:
        """Check the identifier before it can enter a URL."""
        given = [field for field in _KINDS if getattr(self, field) is not None]
        if len(given) != 1 or (self.compartment_id is not None and given != ["user_account_id"]):
            raise MicsConfigurationError(
                f"A user point is selected by one of {', '.join(_KINDS)}, "
                f"and compartment_id goes with user_account_id only; given: {', '.join(self._given()) or 'nothing'}."
            )
        value = getattr(self, given[0])
        if given == ["user_point_id"]:
            if not isinstance(value, str) or not _UUID.fullmatch(value):
                raise MicsConfigurationError("A user_point_id must be a UUID; this one is not.")
        else:
            identifier(value, given[0])
        if self.compartment_id is not None:
            object.__setattr__(self, "compartment_id", numeric_id(self.compartment_id, "compartment_id"))

    @property
    def segment(self) -> str:
        """The selector as one segment of a path, escaped."""
        return ",".join(self._pairs())

    @property
    def segments(self) -> str:
        """The selector as the flat routes write it, escaped: a slash parts compartment and account."""
        return "/".join(self._pairs())

    def __repr__(self) -> str:
        """Show no identifier."""
        return f"UserPointSelector({', '.join(self._given())})"

    def _given(self) -> list[str]:
        return [field for field in ("compartment_id", *_KINDS) if getattr(self, field) is not None]

    def _pairs(self) -> list[str]:
        if self.user_point_id is not None:
            # Some routes know user points by the bare id only; all of them know it so.
            return [self.user_point_id]
        return [f"{field}={path_segment(str(getattr(self, field)))}" for field in self._given()]


_KINDS = ("user_point_id", "user_agent_id", "email_hash", "user_account_id")


def identifier(value: Any, name: str) -> str:
    """Return an identifier of a user, which may hold anything but nothing, control characters and broken Unicode.

    :param name: What it identifies, for the message, in which the value itself is not shown.
    :raises MicsConfigurationError: It is none.
    """
    if not isinstance(value, str) or not value.strip() or _NEVER_IN_AN_IDENTIFIER.search(value):
        raise MicsConfigurationError(
            f"A {name} must be a text that is not empty and holds no control characters.",
            hint="Templates that were not rendered and upstream tasks that returned nothing look like this.",
        )
    return value


def user_point_path(datamart_id: str, selector: UserPointSelector) -> str:
    """Return the path of a user point."""
    return f"/v1/datamarts/{numeric_id(datamart_id, 'datamart id')}/user_points/{selector.segment}"
