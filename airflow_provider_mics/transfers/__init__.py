"""Operators that load rows of other systems."""

from __future__ import annotations
