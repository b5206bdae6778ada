"""Links to Navigator, the vendor's web UI."""

from __future__ import annotations
