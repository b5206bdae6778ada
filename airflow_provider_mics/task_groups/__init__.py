"""Task groups: several tasks that belong together."""

from __future__ import annotations
