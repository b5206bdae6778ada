"""MetaX of JunctionTV, another vendor: activity histories of subscribers, under paths of its own."""

from __future__ import annotations
