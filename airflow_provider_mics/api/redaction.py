"""Taking personal data and secrets out of texts before they are logged, raised or stored.

The API's own error texts quote what was in the line: e-mail addresses, hashes, account ids (``mics-api`` trap: they
appear in ``error.message`` and in URLs).
"""

from __future__ import annotations

import re

# These texts come from outside and may be long: a pattern that begins with a run of characters starts only where the
# run does, as trying every position of it would take time that grows with its square.
_QUOTED = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`\n]*`")
_TOKEN = re.compile(r"(?:api:|Bearer\s|access_token=)\s*[^\s\"',;&]+", re.IGNORECASE)
_WORD = r"[^\s@<>\"'(),;:=\[\]{}]"
# One apostrophe, as in o'neil@example.com: two would have been taken for quotes.
_EMAIL = re.compile(rf"(?<!{_WORD}){_WORD}+(?:'{_WORD}+)?(?:@|%40){_WORD}+")
#: Addresses of unusual characters: all that touches an at sign.
_AROUND_AT = re.compile(r"(?<!\S)(?!@(?!\S))\S*@\S*")
_UUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_HEX = re.compile(r"\b(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{16,}\b")
_KEY_VALUE = re.compile(r"(?<=[=:])\s*[^\s,;\"'<>\]})]+")
_LONG_OPAQUE = re.compile(r"(?<![\w-])(?=[\w-]*[0-9])[\w-]{6,}")
_NUMBER = re.compile(r"\b\d+\b")

#: Longest text taken from a reply, in characters.
MAX_TEXT_LENGTH = 500


def redact(text: str) -> str:
    """Return ``text`` with everything replaced that may be personal data or a secret.

    E-mail addresses, tokens, UUIDs, hashes, quoted values, values after ``=`` or ``:``, and words of six or more
    characters that contain a digit go; the wording stays. The result is cut at :data:`MAX_TEXT_LENGTH` characters.
    """
    text = _QUOTED.sub("<value>", text)
    text = _TOKEN.sub("<token>", text)
    text = _EMAIL.sub("<email>", text)
    text = _AROUND_AT.sub("<email>", text)
    text = _UUID.sub("<uuid>", text)
    text = _HEX.sub("<hash>", text)
    text = _KEY_VALUE.sub(_value_after_key, text)
    text = _LONG_OPAQUE.sub("<id>", text)
    return text if len(text) <= MAX_TEXT_LENGTH else text[:MAX_TEXT_LENGTH] + "..."


def template_of(text: str) -> str:
    """Return the redacted wording of an error text, equal for errors that differ only in ids and numbers."""
    return " ".join(_NUMBER.sub("<n>", redact(text)).split())


def _value_after_key(match: re.Match[str]) -> str:
    found = match.group()
    # "Error id = <uuid>" and "mime type: expected NDJSON" keep their words; what carries digits or length does not.
    bare = found.strip()
    if bare.startswith("<") or bare.isalpha():
        return found
    return found.replace(bare, "<value>")
