"""User points: what the unit API writes and reads, in memory."""

from __future__ import annotations
