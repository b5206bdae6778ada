"""Counts in sentences."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """Return a number and what it is of, such as "1 part" and "2 parts".

    :param thing: One of them; its plural takes an "s".
    """
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
