"""The night that a run loads, and the name that its document import bears.

The vendor recommends a new document import for each night: "you should create a new "User profiles from CRM - <date>"
document import every night" ("Bulk processing").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pendulum

if TYPE_CHECKING:
    import datetime as dt


def name_of_night(name: str, moment: dt.datetime, timezone: dt.tzinfo) -> str:
    """Return ``name`` with the date that ``moment`` has in ``timezone``: ``User profiles from CRM - 2026-11-23``.

    :param moment: An aware time: the run's logical date, or where it has none the time from which it may run.
    """
    return f"{name} - {pendulum.instance(moment).astimezone(timezone).strftime('%Y-%m-%d')}"
