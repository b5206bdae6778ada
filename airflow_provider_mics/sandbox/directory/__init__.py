"""What an organisation has besides people: segments, compartments, channels, processings, labels, API tokens."""

from __future__ import annotations
