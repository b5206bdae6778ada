"""The unit calls of mediarithmics: which call sends a line of a bulk import by itself.

Lines are those of bulk imports, so that the same file may be sent either way. What a line says of its own handling
(identifier, ``force_replace``) goes into the address of the call; what it says of the person is the body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.api import user_activities, user_choices, user_profiles
from airflow_provider_mics.api.constants import DocumentType
from airflow_provider_mics.api.selectors import UserPointSelector
from airflow_provider_mics.bulk.checks.findings import Finding
from airflow_provider_mics.bulk.items.item import ItemKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_provider_mics.api.call import Call

#: "Bulk processing": use document imports above this number of records.
BULK_IS_BETTER_ABOVE: Final = 1000


def activities(datamart_id: str, *, processing_pipeline: bool | None = None) -> ItemKind:
    """Return activities, each sent by a POST."""

    def call(line: Mapping[str, Any]) -> Call[None]:
        return user_activities.post(datamart_id, line, processing_pipeline=processing_pipeline)

    return ItemKind(
        noun="user activities",
        document_type=DocumentType.USER_ACTIVITY,
        rules=_nothing_more,
        call=call,
        identity=(datamart_id, str(processing_pipeline)),
        bulk_hint=_hint(DocumentType.USER_ACTIVITY)
        + " It skips the processing pipeline (event rules, analyzers, automations), which these calls do not.",
    )


def profiles(datamart_id: str) -> ItemKind:
    """Return profiles, each sent by a PUT."""

    def call(line: Mapping[str, Any]) -> Call[None]:
        compartment_id, user_account_id = _profile_key(line)
        replace = line.get("force_replace")
        if line.get("update_strategy") == _FORCE_REPLACE:
            replace = True
        return user_profiles.put(
            datamart_id,
            _selector(line),
            line["user_profile"],
            compartment_id=compartment_id,
            user_account_id=user_account_id,
            force_replace=replace,
            merge_objects=line.get("merge_objects"),
        )

    return ItemKind(
        noun="user profiles",
        document_type=DocumentType.USER_PROFILE,
        rules=_profile_rules,
        call=call,
        identity=(datamart_id,),
        bulk_hint=_hint(DocumentType.USER_PROFILE),
    )


def choices(datamart_id: str) -> ItemKind:
    """Return choices, each sent by a PUT."""

    def call(line: Mapping[str, Any]) -> Call[None]:
        choice = line["user_choice"]
        return user_choices.put(datamart_id, _selector(line), str(choice["$processing_id"]), choice)

    return ItemKind(
        noun="user choices",
        document_type=DocumentType.USER_CHOICE,
        rules=_choice_rules,
        call=call,
        identity=(datamart_id,),
        bulk_hint=_hint(DocumentType.USER_CHOICE),
    )


#: By its name the same as ``force_replace``; what the others do in a unit call is not public.
_FORCE_REPLACE: Final = "FORCE_REPLACE"


def _nothing_more(_: Mapping[str, Any]) -> Iterator[Finding]:
    yield from ()


def _upserts_only(line: Mapping[str, Any]) -> Iterator[Finding]:
    if line.get("operation") == "DELETE":
        yield Finding("operation", "is DELETE, which this task does not do", "Load deletions with a bulk import.")


def _choice_rules(line: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _upserts_only(line)
    choice = line.get("user_choice")
    if not isinstance(choice, dict) or choice.get("$processing_id") is None:
        yield Finding("user_choice", "is no object with $processing_id", "Give the choice, and what it is about.")


def _profile_rules(line: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _upserts_only(line)
    if not isinstance(line.get("user_profile"), dict):
        yield Finding("user_profile", "is no object", "Give the profile.")
        return
    if line.get("update_strategy") not in [None, _FORCE_REPLACE]:
        yield Finding(
            "update_strategy",
            "has no counterpart in the call for one profile",
            "Give force_replace and merge_objects, or load the file with a bulk import.",
        )
    if _profile_key(line)[0] is None:
        yield Finding(
            "user_profile",
            "does not say which profile is meant",
            "Give it $compartment_id, and $user_account_id for the profile of an account.",
        )


def _profile_key(line: Mapping[str, Any]) -> tuple[Any, str | None]:
    """Return compartment and account of the profile: its own or, unlike in bulk imports, those of the line.

    The call cannot do without a compartment; a bulk import falls back on the datamart's default one.
    """
    profile = line["user_profile"]
    if profile.get("$compartment_id") is not None or profile.get("$user_account_id") is not None:
        compartment_id, account = profile.get("$compartment_id"), profile.get("$user_account_id")
        if compartment_id is None and account == line.get("user_account_id"):
            compartment_id = line.get("compartment_id")
    else:
        compartment_id, account = line.get("compartment_id"), line.get("user_account_id")
    return compartment_id, None if account is None else str(account)


def _selector(line: Mapping[str, Any]) -> UserPointSelector:
    def text(name: str) -> str | None:
        return None if line.get(name) is None else str(line[name])

    return UserPointSelector(
        user_agent_id=text("user_agent_id"),
        email_hash=text("email_hash"),
        user_account_id=text("user_account_id"),
        compartment_id=line.get("compartment_id"),
    )


def _hint(document_type: str) -> str:
    return (
        f'Load the same file with MicsImportFilesOperator(document_type="{document_type}", name=..., path=...): the '
        "vendor advises bulk imports for more than about 1,000 records."
    )
