"""Runs the checks over texts, in blocks of any size, and has good lines of every document type."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.bulk.checks import MAX_LINE_BYTES, BadLine, Problem, checker_for

if TYPE_CHECKING:
    from collections.abc import Iterable

NDJSON: Final = "APPLICATION_X_NDJSON"
CSV: Final = "TEXT_CSV"

ACCOUNT = {"compartment_id": "1201", "user_account_id": "crm-77"}
UUID = "0f0f8a3e-9d1b-4a54-9a3b-3d6a4c2a1b10"
MOMENT = 1_718_000_000_000

#: Lines that the platform takes, by the pages or by the vendor's own samples.
GOOD: Final[dict[str, list[dict[str, Any]]]] = {
    "USER_PROFILE": [
        {"operation": "UPSERT", **ACCOUNT, "force_replace": False, "merge_objects": True, "user_profile": {"a": 1}},
        {"operation": "UPSERT", **ACCOUNT, "force_replace": True, "user_profile": {}},
        {"operation": "UPSERT", "user_account_id": "crm-77", "user_profile": {"$compartment_id": 1201, "b": None}},
        {"operation": "UPSERT", "compartment_id": 1201, "user_account_id": 77, "user_profile": {"é": ["ü", 1.5, True]}},
        {"operation": "UPSERT", "email_hash": "3f2a", "update_strategy": "PARTIAL_UPDATE", "user_profile": {"a": {}}},
        {"operation": "UPSERT", "user_agent_id": "vec:1", "update_strategy": "FORCE_REPLACE", "user_profile": {}},
        {
            "operation": "UPSERT",
            "compartment_id": None,
            "user_account_id": "crm-77",
            "email_hash": None,
            "user_agent_id": None,
            "update_strategy": "PARTIAL_DELETE",
            "force_replace": None,
            "merge_objects": None,
            "user_profile": {},
            "comment": [{"any": "thing"}],
        },
        {"operation": "DELETE", "email_hash": "3f2a"},
        {"operation": "DELETE", **ACCOUNT, "user_profile": None, "force_replace": None},
    ],
    "USER_SEGMENT": [
        {"operation": "UPDATE", **ACCOUNT, "segment_id": "9001", "expiration_duration": 43_200, "data_bag": '{"a":1}'},
        {"operation": "UPDATE", "user_account_id": "a", "segment_technical_name": "vip", "expiration_ts": MOMENT},
        {"operation": "UPDATE", "email_hash": "3f2a", "segment_id": 9001, "expiration_duration": 0, "data_bag": None},
        {"operation": "UPDATE", "user_agent_id": "web:321:a", "segment_id": "1", "expiration_ts": 0},
        {
            "operation": "UPDATE",
            "user_account_id": "a",
            "compartment_token": "main",
            "segment_id": "9001",
            "segment_technical_name": "vip",
            "expiration_duration": 5,
            "expiration_ts": None,
            "note": 1,
        },
        {"operation": "DELETE", "email_hash": "3f2a", "segment_technical_name": "vip", "expiration_duration": 0},
        {"operation": "DELETE", **ACCOUNT, "segment_id": "9001"},
    ],
    "USER_CHOICE": [
        {
            "operation": "UPSERT",
            **ACCOUNT,
            "force_replace": True,
            "user_choice": {"$processing_id": "450", "$choice_ts": MOMENT, "$choice_acceptance_value": True},
        },
        {
            "operation": "UPSERT",
            "email_hash": "3f2a",
            "force_replace": False,
            "user_choice": {"$processing_id": 450, "$choice_ts": 0, "$choice_acceptance_value": None, "source": "till"},
        },
        {"operation": "DELETE", "user_agent_id": "vec:1", "user_choice": {"$processing_id": "450", "$choice_ts": None}},
    ],
    "USER_ACTIVITY": [
        {
            "$type": "TOUCH",
            "$session_status": "NO_SESSION",
            "$ts": MOMENT,
            "$ttl": 0,
            "$user_identifiers": [
                {"$type": "USER_ACCOUNT", "$compartment_id": "1201", "$user_account_id": "crm-77"},
                {"$type": "USER_EMAIL", "$hash": "3f2a", "$email": "lea@example.com"},
                {"$type": "USER_EMAIL", "$email": "lea@example.com"},
                {"$type": "USER_AGENT", "$user_agent_id": "vec:1"},
                {"$type": "USER_AGENT", "$user_agent_id": "vec:2"},
            ],
            "$events": [{"$event_name": "store-visit", "$ts": MOMENT, "$properties": {"shop": "lyon-2"}}],
        },
        {
            "$type": "SITE_VISIT",
            "$session_status": None,
            "$ts": None,
            "$ttl": None,
            "$user_identifiers": None,
            "$user_agent_id": None,
            "$user_account_id": "crm-77",
            "$compartment_id": None,
            "$email_hash": None,
            "$site_id": "5",
            "$events": [],
            "$location": None,
            "$origin": {"$ts": None},
            "$unique_key": None,
        },
        {"$type": "EMAIL", "$user_identifiers": [], "$email_hash": {"$email": "lea@example.com"}, "$events": None},
        {"$type": "APP_VISIT", "$email_hash": {"$hash": "3f2a"}, "$user_agent_id": "vec:1", "custom": {"x": 1}},
        {
            "$type": "TOUCH",
            "$user_agent_id": "vec:1",
            "$events": [{"$event_name": "$transaction_confirmed", "$ts": None, "$properties": None}],
        },
    ],
    "USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS": [
        {"identifiers": [{"type": "USER_ACCOUNT", **ACCOUNT}, {"type": "USER_EMAIL", "hash": "3f2a"}]},
        {"identifiers": [{"type": "USER_AGENT", "user_agent_id": "vec:1"}], "extra": None},
        {"identifiers": [{"type": "USER_EMAIL", "hash": "3f2a", "email": "lea@example.com"}]},
        {"identifiers": [{"type": "USER_ACCOUNT", "user_account_id": 7, "compartment_id": None}]},
    ],
    "USER_IDENTIFIERS_DISSOCIATION_DECLARATIONS": [
        {"identifiers": [{"type": "USER_ACCOUNT", **ACCOUNT}]},
        {"whatever": "its format is not public"},
    ],
    "USER_IDENTIFIERS_DELETION": [
        {"type": "USER_ACCOUNT", **ACCOUNT},
        {"type": "USER_ACCOUNT", "compartment_id": 1201, "user_account_id": "crm-77"},
        {"type": "USER_EMAIL", "hash": "3f2a"},
        {"type": "USER_AGENT", "user_agent_id": "net:9:12345"},
    ],
    "USER_DEVICE_POINTS_DELETION": [
        {"type": "USER_AGENT", "user_agent_id": "udp:987654"},
        {"type": "USER_AGENT", "user_agent_id": "vec:123456"},
    ],
    "USER_DEVICE_POINT_DELETION": [{"type": "USER_AGENT", "user_agent_id": "udp:987654"}],
    "USER_POINTS_DELETION": [
        {"type": "USER_ACCOUNT", **ACCOUNT},
        {"type": "USER_EMAIL", "hash": "3f2a"},
        {"type": "USER_AGENT", "user_agent_id": "udp:1"},
        {"type": "USER_POINT", "user_point_id": UUID},
    ],
    "USER_MOODS": [{}, {"any": ["thing"]}],
}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a whole text's check found."""

    lines: int
    blank: int
    deletions: int
    bad: tuple[BadLine, ...]
    problems: tuple[Problem, ...]
    #: Number of the line behind the last.
    next_line: int


def check(
    document_type: str,
    text: bytes,
    *,
    mime_type: str = NDJSON,
    cuts: Iterable[int] = (),
    limit: int = 1_000_000,
    max_line_bytes: int = MAX_LINE_BYTES,
) -> Outcome:
    """Check a text that comes in blocks, cut at these offsets."""
    checker = checker_for(document_type, mime_type, max_line_bytes=max_line_bytes)
    problems: list[Problem] = []
    bad: list[BadLine] = []
    counts = [0, 0, 0]
    line = 1
    offset = 0
    ends = [*sorted(cut for cut in cuts if cut < len(text)), len(text)]
    for end in ends:
        result = checker.check_block(
            text[offset:end],
            first_line=line,
            offset=offset,
            problems=problems,
            limit=limit,
            final=end == len(text),
        )
        offset += result.consumed
        line = result.next_line
        bad += result.bad
        counts = [a + b for a, b in zip(counts, (result.lines, result.blank, result.deletions), strict=True)]
    assert offset == len(text)
    return Outcome(counts[0], counts[1], counts[2], tuple(bad), tuple(problems), line)


def check_lines(document_type: str, *lines: dict[str, Any] | bytes | str, **settings: Any) -> Outcome:
    """Check lines that are given as objects, texts or bytes."""
    return check(document_type, b"".join(encoded(line) for line in lines), **settings)


def encoded(line: dict[str, Any] | bytes | str) -> bytes:
    if isinstance(line, dict):
        line = json.dumps(line, ensure_ascii=False)
    if isinstance(line, str):
        line = line.encode()
    return line + b"\n"
