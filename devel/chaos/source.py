"""The lines of a load of the chaos run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from devel.chaos.plans import REJECTED

if TYPE_CHECKING:
    from devel.chaos.plans import LoadPlan


def lines_of(load: LoadPlan) -> list[bytes]:
    """Return the lines of a load's source."""
    if load.alike:
        return [line(load, 0)] * load.lines
    return [line(load, number, is_rejected=number < load.rejected) for number in range(load.lines)]


def line(load: LoadPlan, number: int, *, is_rejected: bool = False) -> bytes:
    """Return a line that the platform takes, unless it is to be rejected."""
    account = f"crm-{load.seed}-{number}" + (f"-{REJECTED}" if is_rejected else "")
    if load.document_type == "USER_PROFILE":
        value: dict[str, Any] = {
            "operation": "UPSERT",
            "compartment_id": "1201",
            "user_account_id": account,
            "user_profile": {"$compartment_id": "1201", "$user_account_id": account, "city": "Lyon"},
        }
    else:
        who = {"$type": "USER_ACCOUNT", "$compartment_id": "1201", "$user_account_id": account}
        value = {
            "$type": "TOUCH",
            "$session_status": "NO_SESSION",
            "$ts": 1718000000000,
            "$user_identifiers": [who],
            "$events": [],
        }
    return json.dumps(value, separators=(",", ":")).encode()
