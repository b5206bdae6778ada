"""Counts in sentences."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """Return a number and what it is of, such as "1 part" and "2 parts".

    :param thing: One of them; its plural takes an "s".
    """
    return f"{number} {by_count(number, thing, f'{thing}s')}"


def by_count(number: int, one: str, others: str) -> str:
    """Return the word that goes with a number, such as "was" and "were"."""
    return one if number == 1 else others
