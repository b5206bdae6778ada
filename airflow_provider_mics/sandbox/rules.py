"""What a line must hold, by document type.

Written from the public pages on each document type, and on purpose not shared with the provider's own checks: the two
find each other's mistakes. Only one failure text of the vendor is public (``NO_PROFILE``); the others are ours.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from airflow_provider_mics.api.constants import DocumentType

Line = Mapping[str, Any]
#: Says why a line fails; None: it is good.
Rule = Callable[[Line], str | None]

NO_PROFILE: Final = "No profile id found while upserting a user profile"
NO_IDENTIFIER: Final = "No user identifier found"
SEVERAL_IDENTIFIERS: Final = "Several user identifiers found, only one is allowed"

_ACTIVITY_TYPES: Final = frozenset(
    [
        "SITE_VISIT",
        "APP_VISIT",
        "DISPLAY_AD",
        "EMAIL",
        "TOUCH",
        "RECOMMENDER",
        "USER_SCENARIO_START",
        "USER_SCENARIO_STOP",
        "USER_SCENARIO_NODE_ENTER",
        "USER_SCENARIO_NODE_EXIT",
    ]
)
_SESSION_STATUSES: Final = frozenset({"NO_SESSION", "IN_SESSION", "CLOSED_SESSION", "SESSION_SNAPSHOT"})
_UPDATE_STRATEGIES: Final = frozenset({"PARTIAL_UPDATE", "PARTIAL_DELETE", "FORCE_REPLACE"})
#: Prefix of a device point among user agent ids.
_DEVICE_POINT: Final = "udp:"


def _is_id(value: Any) -> bool:
    """Tell whether it serves as an id. INFERRED: numbers are taken too, as the pages type compartment_id both ways."""
    return (isinstance(value, str) and bool(value)) or (isinstance(value, int) and not isinstance(value, bool))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def identifier_problem(line: Line) -> str | None:
    """Check for exactly one identifier, the pair of compartment and account counting as one; null is absent."""
    kinds = [name for name in ("user_account_id", "email_hash", "user_agent_id") if line.get(name) is not None]
    if not kinds:
        return NO_IDENTIFIER
    compartment = line.get("compartment_id")
    # INFERRED: a compartment beside an e-mail hash or an agent is half of a second identifier.
    if len(kinds) > 1 or (compartment is not None and kinds != ["user_account_id"]):
        return SEVERAL_IDENTIFIERS
    if not _is_id(line[kinds[0]]):
        return f"{kinds[0]} is not valid"
    if compartment is not None and not _is_id(compartment):
        return "compartment_id is not valid"
    return None


def _operation_problem(line: Line, *allowed: str) -> str | None:
    operation = line.get("operation")
    if operation is None:
        return "operation is missing"
    if operation not in allowed:
        return f"operation must be {' or '.join(allowed)}"
    return None


def _boolean_problem(line: Line, *names: str) -> str | None:
    for name in names:
        if line.get(name) is not None and not isinstance(line[name], bool):
            return f"{name} must be a boolean"
    return None


def user_profile(line: Line) -> str | None:
    """Check a USER_PROFILE line. ``force_replace`` may be absent, as in the newest pages' own example."""
    problem = _operation_problem(line, "UPSERT", "DELETE")
    if problem is not None:
        return problem
    upsert = line["operation"] == "UPSERT"
    problem = identifier_problem(line)
    if problem is not None:
        return NO_PROFILE if upsert and problem == NO_IDENTIFIER else problem
    return _upserted_profile(line) if upsert else None


def _upserted_profile(line: Line) -> str | None:
    if not isinstance(line.get("user_profile"), dict):
        return "user_profile is missing or is not an object"
    strategy = line.get("update_strategy")
    if strategy is not None:
        if strategy not in _UPDATE_STRATEGIES:
            return "update_strategy is not valid"
        # INFERRED: the newer field replaces the two older ones, so both at once contradict each other.
        if line.get("force_replace") is not None or line.get("merge_objects") is not None:
            return "update_strategy cannot be used with force_replace or merge_objects"
    return _boolean_problem(line, "force_replace", "merge_objects")


def user_choice(line: Line) -> str | None:
    """Check a USER_CHOICE line; ``$processing_id`` is needed for DELETE too, by the wording of the page."""
    problem = _operation_problem(line, "UPSERT", "DELETE") or identifier_problem(line)
    if problem is not None:
        return problem
    choice = line.get("user_choice")
    if not isinstance(choice, dict):
        return "user_choice is missing or is not an object"
    if not _is_id(choice.get("$processing_id")):
        return "$processing_id is missing in user_choice"
    if line["operation"] == "DELETE":
        return None
    if not isinstance(line.get("force_replace"), bool):
        return "force_replace is missing or is not a boolean"
    if not _is_number(choice.get("$choice_ts")):
        return "$choice_ts is missing in user_choice or is not a number"
    return _boolean_problem(choice, "$choice_acceptance_value")


def user_segment(line: Line) -> str | None:
    """Check a USER_SEGMENT line."""
    problem = _operation_problem(line, "UPDATE", "DELETE")
    if problem is None and line.get("compartment_token") is not None:
        # The UI's CSV template lets a token stand for the compartment's id.
        line = {**line, "compartment_id": line.get("compartment_id") or line["compartment_token"]}
    problem = problem or identifier_problem(line)
    if problem is not None:
        return problem
    # INFERRED: each of the two is optional by the page, but without any there is no segment.
    if not _is_id(line.get("segment_id")) and not _is_id(line.get("segment_technical_name")):
        return "segment_id or segment_technical_name is missing"
    return _expiration_problem(line) or _data_bag_problem(line.get("data_bag"))


def _expiration_problem(line: Line) -> str | None:
    duration, at = line.get("expiration_duration"), line.get("expiration_ts")
    # The page calls the duration mandatory, the UI's template leaves it empty beside a time stamp. UNKNOWN what the
    # vendor does: we want one of the two, and none for DELETE.
    if duration is None and at is None and line["operation"] == "UPDATE":
        return "expiration_duration is missing"
    if duration is not None and (not isinstance(duration, int) or isinstance(duration, bool) or duration < 0):
        return "expiration_duration must be an integer number of minutes"
    if at is not None and not _is_number(at):
        return "expiration_ts must be a number"
    return None


def _data_bag_problem(bag: Any) -> str | None:
    if bag is None:
        return None
    if not isinstance(bag, str):
        return "data_bag must be a string that holds JSON"
    try:
        msgspec.json.decode(bag)
    except msgspec.DecodeError:
        # INFERRED: the page wants "an escaped JSON string"; whether it is parsed at import is not said.
        return "data_bag is not valid JSON"
    return None


def user_activity(line: Line) -> str | None:
    """Check a USER_ACTIVITY line.

    Nulls pass wherever the vendor's own fixture has them. INFERRED: which words are known and that one identifier is
    needed; the vendor may be milder.
    """
    if line.get("$type") not in _ACTIVITY_TYPES:
        return "$type is missing or is not valid"
    if line.get("$session_status") is not None and line["$session_status"] not in _SESSION_STATUSES:
        return "$session_status is not valid"
    if line.get("$ts") is not None and not _is_number(line["$ts"]):
        return "$ts must be a number of milliseconds"
    return _events_problem(line.get("$events")) or _activity_identifiers_problem(line)


def _events_problem(events: Any) -> str | None:
    if events is None:
        return None
    if not isinstance(events, list):
        return "$events must be an array"
    for event in events:
        if not isinstance(event, dict) or not isinstance(event.get("$event_name"), str):
            return "$event_name is missing in $events"
    return None


def _activity_identifiers_problem(line: Line) -> str | None:
    listed = line.get("$user_identifiers")
    if listed is not None and not isinstance(listed, list):
        return "$user_identifiers must be an array"
    found = bool(listed)
    for item in listed or ():
        plain = {name.removeprefix("$"): value for name, value in item.items()} if isinstance(item, dict) else item
        problem = element_problem(plain)
        if problem is not None:
            return problem
    email = line.get("$email_hash")
    if email is not None:
        found = True
        if not isinstance(email, dict) or not (_is_id(email.get("$hash")) or _is_id(email.get("$email"))):
            return "$email_hash must be an object with $hash or $email"
    for name in ("$user_agent_id", "$user_account_id"):
        if line.get(name) is not None:
            found = True
            if not _is_id(line[name]):
                return f"{name} is not valid"
    return None if found else NO_IDENTIFIER


#: Field that makes each type of identifier element.
_ELEMENT_FIELDS: Final = {
    "USER_ACCOUNT": ("user_account_id",),
    "USER_EMAIL": ("hash", "email"),
    "USER_AGENT": ("user_agent_id",),
    "USER_POINT": ("user_point_id",),
}
_ELEMENT_TYPES: Final = frozenset({"USER_ACCOUNT", "USER_EMAIL", "USER_AGENT"})


def element_problem(item: Any, types: frozenset[str] = _ELEMENT_TYPES) -> str | None:
    """Check one ``{"type": ...}`` identifier."""
    if not isinstance(item, dict):
        return "an identifier must be an object"
    kind = item.get("type")
    if kind is None:
        return "type is missing in an identifier"
    if kind not in types:
        return f"type must be {' or '.join(sorted(types))}"
    names = _ELEMENT_FIELDS[kind]
    if not any(_is_id(item.get(name)) for name in names):
        return f"{names[0]} is missing in an identifier"
    compartment = item.get("compartment_id")
    if compartment is not None and not _is_id(compartment):
        return "compartment_id is not valid"
    return None


def association(line: Line) -> str | None:
    """Check a USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS line; a single identifier is fine."""
    identifiers = line.get("identifiers")
    if not isinstance(identifiers, list) or not identifiers:
        return "identifiers is missing or empty"
    return next((problem for item in identifiers if (problem := element_problem(item)) is not None), None)


def identifier_deletion(line: Line) -> str | None:
    """Check a USER_IDENTIFIERS_DELETION line: a device point is not one of the identifiers it deletes."""
    problem = element_problem(line)
    if problem is None and line["type"] == "USER_AGENT" and str(line["user_agent_id"]).startswith(_DEVICE_POINT):
        return "user_agent_id must not be a device point"
    return problem


def device_point_deletion(line: Line) -> str | None:
    """Check a USER_DEVICE_POINTS_DELETION line."""
    return element_problem(line, frozenset({"USER_AGENT"}))


def user_point_deletion(line: Line) -> str | None:
    """Check a USER_POINTS_DELETION line."""
    problem = element_problem(line, _ELEMENT_TYPES | {"USER_POINT"})
    if problem is not None or line["type"] != "USER_POINT":
        return problem
    try:
        uuid.UUID(str(line["user_point_id"]))
    except ValueError:
        return "user_point_id is not a UUID"
    return None


#: Rules by document type. Types that are not here, such as dissociations, whose format is UNKNOWN, take any object.
RULES: Final[Mapping[str, Rule]] = {
    DocumentType.USER_ACTIVITY: user_activity,
    DocumentType.USER_PROFILE: user_profile,
    DocumentType.USER_CHOICE: user_choice,
    DocumentType.USER_SEGMENT: user_segment,
    DocumentType.USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS: association,
    DocumentType.USER_IDENTIFIERS_DELETION: identifier_deletion,
    DocumentType.USER_DEVICE_POINTS_DELETION: device_point_deletion,
    # The singular form is what one of the vendor's examples sends.
    "USER_DEVICE_POINT_DELETION": device_point_deletion,
    DocumentType.USER_POINTS_DELETION: user_point_deletion,
}
