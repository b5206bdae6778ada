"""What USER_PROFILE, USER_SEGMENT and USER_CHOICE lines must hold. Source: "Bulk processing", their import pages.

These rules say what is wrong with a line; they are the authority. The quick checks of ``quick_commands`` refuse the
same lines without saying why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from airflow_provider_mics.bulk.checks.findings import Finding
from airflow_provider_mics.bulk.checks.values import (
    check_boolean,
    check_data_bag,
    check_hash,
    check_id,
    check_minutes,
    check_moment,
    check_object,
    check_text,
    check_word,
    missing,
)
from airflow_provider_mics.bulk.formats.profile import UpdateStrategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_mics.bulk.checks.findings import Object

DELETE: Final = "DELETE"
_IDENTIFIERS: Final = ("user_account_id", "email_hash", "user_agent_id")
_COMPARTMENTS: Final = ("compartment_id", "compartment_token")
_STRATEGIES: Final = get_args(UpdateStrategy)
_ONE_IDENTIFIER: Final = (
    "Give exactly one of: user_account_id (with compartment_id, if it is not the default one), email_hash, "
    "user_agent_id."
)


def check_profile(line: Object) -> Iterator[Finding]:
    """Check a USER_PROFILE line. ``force_replace`` may be absent, as in the newest pages' own example."""
    yield from _check_operation(line, "UPSERT", other="UPDATE")
    yield from _check_identifier(line, _COMPARTMENTS[:1])
    yield from _optional(line, "user_profile", check_object)
    yield from _optional(line, "force_replace", check_boolean)
    yield from _optional(line, "merge_objects", check_boolean)
    if line.get("update_strategy") is not None:
        yield from check_word(line["update_strategy"], "update_strategy", _STRATEGIES)
    if line.get("operation") == DELETE:
        return
    if line.get("user_profile") is None:
        yield missing(line, "user_profile", "UPSERT needs the profile, as an object.")
    # The newer field takes the place of the two older ones: both at once contradict each other.
    older = [name for name in ("force_replace", "merge_objects") if line.get(name) is not None]
    if line.get("update_strategy") is not None and older:
        yield Finding(
            "update_strategy",
            f"is given together with {' and '.join(older)}",
            "Keep either update_strategy, or force_replace and merge_objects.",
        )


def check_choice(line: Object) -> Iterator[Finding]:
    """Check a USER_CHOICE line; ``$processing_id`` is wanted for DELETE too, by the wording of the page."""
    yield from _check_operation(line, "UPSERT", other="UPDATE")
    yield from _check_identifier(line, _COMPARTMENTS[:1])
    yield from _optional(line, "force_replace", check_boolean)
    choice = line.get("user_choice")
    if choice is None:
        yield missing(line, "user_choice", "Give the choice, as an object with $processing_id.")
    elif not isinstance(choice, dict):
        yield from check_object(choice, "user_choice")
        choice = None
    else:
        yield from _check_choice(choice)
    if line.get("operation") == DELETE:
        return
    if line.get("force_replace") is None:
        yield missing(line, "force_replace", "UPSERT needs it: true replaces the stored choice, false merges.")
    if choice is not None and choice.get("$choice_ts") is None:
        yield missing(choice, "$choice_ts", "UPSERT needs the moment of the choice, in milliseconds.", "user_choice.")


def _check_choice(choice: Object) -> Iterator[Finding]:
    if choice.get("$processing_id") is None:
        yield missing(choice, "$processing_id", "Say which processing the choice is about.", "user_choice.")
    else:
        yield from check_id(choice["$processing_id"], "user_choice.$processing_id")
    yield from _optional(choice, "$choice_ts", check_moment, "user_choice.")
    yield from _optional(choice, "$choice_acceptance_value", check_boolean, "user_choice.")


def check_segment(line: Object) -> Iterator[Finding]:
    """Check a USER_SEGMENT line.

    ``expiration_duration`` is mandatory by its page, but the web UI's template leaves it empty beside a time stamp: one
    of the two is wanted here, and none for DELETE.
    """
    yield from _check_operation(line, "UPDATE", other="UPSERT")
    yield from _check_identifier(line, _COMPARTMENTS)
    yield from _optional(line, "segment_id", check_id)
    yield from _optional(line, "segment_technical_name", check_text)
    if line.get("segment_id") is None and line.get("segment_technical_name") is None:
        yield Finding(None, "no segment is named", "Give segment_id or segment_technical_name.")
    yield from _optional(line, "expiration_duration", check_minutes)
    if line.get("expiration_ts") is not None:
        yield from check_moment(line["expiration_ts"], "expiration_ts", minimum=0)
    yield from _optional(line, "data_bag", check_data_bag)
    is_limited = line.get("expiration_duration") is not None or line.get("expiration_ts") is not None
    if line.get("operation") != DELETE and not is_limited:
        yield missing(
            line,
            "expiration_duration",
            "UPDATE needs expiration_duration, in minutes, or expiration_ts; 0 means without end.",
        )


def _check_operation(line: Object, word: str, other: str) -> Iterator[Finding]:
    operation = line.get("operation")
    if operation is None:
        yield missing(line, "operation", f"Write {word} or {DELETE}.")
    elif operation == other:
        yield Finding(
            "operation",
            f"is {other}, which is a word of other document types",
            f"Write {word}: segments take UPDATE and DELETE, profiles and choices UPSERT and DELETE.",
        )
    else:
        yield from check_word(operation, "operation", (word, DELETE))


def _check_identifier(line: Object, compartments: tuple[str, ...]) -> Iterator[Finding]:
    """Exactly one identifier; the pair of compartment and account is one, and a compartment alone is none."""
    given = [name for name in _IDENTIFIERS if line.get(name) is not None]
    for name in given:
        yield from (check_hash if name == "email_hash" else check_id)(line[name], name)
    for name in compartments:
        yield from _optional(line, name, check_id)
    if not given:
        yield Finding(None, "there is no identifier", _ONE_IDENTIFIER)
    elif len(given) > 1:
        yield Finding(None, f"there are {len(given)} identifiers: {', '.join(given)}", _ONE_IDENTIFIER)
    elif given != ["user_account_id"]:
        for name in compartments:
            if line.get(name) is not None:
                yield Finding(name, "is given without user_account_id", f"Remove it beside {given[0]}.")


def _optional(
    holder: Object, name: str, check: Callable[[Any, str], Iterator[Finding]], prefix: str = ""
) -> Iterator[Finding]:
    """Check a field that may be absent or null."""
    if holder.get(name) is not None:
        yield from check(holder[name], prefix + name)
