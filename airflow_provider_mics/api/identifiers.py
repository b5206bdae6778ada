"""Ids and names on their way into a URL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_provider_mics.exceptions import MicsConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMERIC_ID = re.compile(r"[0-9]{1,19}")


def numeric_id(value: Any, name: str) -> str:
    """Return a numeric id as the API writes it, a string of digits.

    Anything else is refused before it can reach a URL, where a slash or a question mark would address another resource.

    :param value: The id, str or int.
    :param name: What it identifies, for the message.
    :raises MicsConfigurationError: It is not 1 to 19 digits.
    """
    text = str(value).strip()
    if isinstance(value, bool) or not _NUMERIC_ID.fullmatch(text):
        raise MicsConfigurationError(
            f"The {name} must be a number of at most 19 digits, not {_shown(text)}.",
            hint="Templates that were not rendered and upstream tasks that returned nothing look like this.",
        )
    return text


def path_segment(value: str) -> str:
    """Return ``value`` escaped to be one segment of a path."""
    return quote(value, safe="")


def flags(values: Mapping[str, bool | None]) -> tuple[tuple[str, str], ...]:
    """Return Boolean query arguments as the API writes them; those that are None are left out."""
    return tuple((name, str(value).lower()) for name, value in values.items() if value is not None)


def _shown(text: str) -> str:
    # A value that landed in the wrong argument may be a token or an e-mail address: only its shape is shown.
    if text in {"", "None"}:
        return "empty"
    return f"{len(text)} characters that are not all digits"
