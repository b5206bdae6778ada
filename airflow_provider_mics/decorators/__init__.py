"""Decorators of TaskFlow."""

from __future__ import annotations
