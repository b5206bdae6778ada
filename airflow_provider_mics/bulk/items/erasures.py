"""Erasing user points one by one: the right to erasure ("Deleting user data")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.api import user_points
from airflow_provider_mics.api.constants import DocumentType
from airflow_provider_mics.api.selectors import UserPointSelector
from airflow_provider_mics.bulk.items.item import ItemKind
from airflow_provider_mics.exceptions import MicsNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.bulk.checks.findings import Finding
    from airflow_provider_mics.exceptions import MicsError


def erasures(datamart_id: str) -> ItemKind:
    """Return user points to erase, each by a DELETE; lines are those of USER_POINTS_DELETION imports."""

    def call(line: Mapping[str, Any]) -> Call[None]:
        return user_points.delete(datamart_id, _selector(line))

    return ItemKind(
        noun="erasures of user points",
        document_type=DocumentType.USER_POINTS_DELETION,
        rules=_nothing_more,
        call=call,
        identity=(datamart_id,),
        bulk_hint=f'Load the same file with MicsImportFilesOperator(document_type="{DocumentType.USER_POINTS_DELETION}"'
        ", allow_deletions=True, name=..., path=...): the vendor advises bulk imports for more than about 1,000 "
        "records.",
        is_done=_is_gone,
    )


def _nothing_more(_: Mapping[str, Any]) -> Iterator[Finding]:
    yield from ()


def _is_gone(error: MicsError) -> bool:
    """Tell whether there is no such user point, which is what an erasure is for; a repeated one is answered so too."""
    return isinstance(error, MicsNotFoundError) and error.has_envelope


def _selector(line: Mapping[str, Any]) -> UserPointSelector:
    """Return who is meant: by the identifier that the line's type names, whatever else is in it.

    :raises MicsConfigurationError: It is none; only a line that was not checked can be such.
    """
    field = _FIELDS.get(str(line.get("type")), "")
    value = line.get(field)
    selector = {_SELECTORS.get(field, field): None if value is None else str(value)} if field else {}
    if field == "user_account_id":
        selector["compartment_id"] = line.get("compartment_id")
    return UserPointSelector(**selector)


#: The field of each type of identifier; those that the selector calls otherwise.
_FIELDS: Final = {
    "USER_ACCOUNT": "user_account_id",
    "USER_EMAIL": "hash",
    "USER_AGENT": "user_agent_id",
    "USER_POINT": "user_point_id",
}
_SELECTORS: Final = {"hash": "email_hash"}
