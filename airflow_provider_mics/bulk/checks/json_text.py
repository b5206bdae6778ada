"""Why a line is not one JSON object."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any, Final, NoReturn

from airflow_provider_mics.bulk.checks.findings import Finding

_BLANK: Final = " \t\r\n"
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ONE_OBJECT_A_LINE: Final = "NDJSON has one whole JSON object on each line, without enclosing brackets or commas."
#: Ends of a line that leave an object or an array open, and beginnings that go on with one.
_OPEN_ENDS: Final = ("{", "[", ",", ":")
_CONTINUATIONS: Final = ('"', "}", "]", ",", ":")
#: Half of a pair, written as an escape, that has not the other half behind it or before it.
_LONE_SURROGATE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)

TOO_DEEP: Final = Finding(None, "objects or arrays are nested too deep", "Flatten them.")


class _NotANumberError(Exception):
    """NaN or an infinity was met."""


def _refuse_constant(_: str) -> NoReturn:
    raise _NotANumberError


def _number(_: str) -> int:
    # Only whether it is JSON matters here, and large numbers take long to read.
    return 0


_lenient: Final = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_number, parse_float=_number)


def why_not_an_object(line: bytes) -> Finding:
    """Say why a line is not one JSON object in UTF-8. Call it only for such a line."""
    encoding = _encoding_problem(line)
    if encoding is not None:
        return encoding
    text = line.decode()
    bare = text.strip(_BLANK)
    if bare.startswith("["):
        return Finding(None, "this is a JSON array, not NDJSON", _ONE_OBJECT_A_LINE, is_layout=True)
    try:
        _, end = _lenient.raw_decode(bare)
    except _NotANumberError:
        return Finding(None, "NaN or Infinity is not JSON", "Write null, or leave the property out.")
    except RecursionError:
        return TOO_DEEP
    except json.JSONDecodeError as error:
        return _broken(text, bare, error)
    return _text_behind(bare, end) if end < len(bare) else _other(bare)


def _other(bare: str) -> Finding:
    if not bare.startswith("{"):
        return Finding(None, "is JSON, but not an object", _ONE_OBJECT_A_LINE, is_layout=bare.startswith('"'))
    if _LONE_SURROGATE.search(bare):
        return Finding(
            None,
            r"half of a surrogate pair (\ud800 to \udfff) is no character",
            "Write the whole pair, or the character itself in UTF-8.",
        )
    return Finding(None, "is not valid JSON", _ONE_OBJECT_A_LINE)


def _encoding_problem(line: bytes) -> Finding | None:
    utf_8 = "Save the file in UTF-8, without byte order mark."
    if line.startswith(_UTF_16) or (line.count(0) > len(line) // 4):
        return Finding(None, "is not UTF-8: it looks like UTF-16", utf_8, is_layout=True)
    if line.startswith(codecs.BOM_UTF8):
        return Finding(
            None,
            "begins with a byte order mark in the middle of the file",
            "Remove these three bytes (EF BB BF), which stay behind where files are put together.",
        )
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return Finding(None, f"is not UTF-8 at byte {error.start} of the line", utf_8)
    if b"\0" in line:
        return Finding(None, f"has a NUL at byte {line.index(0)} of the line", "Remove it.")
    return None


def _broken(text: str, bare: str, error: json.JSONDecodeError) -> Finding:
    is_cut = error.pos >= len(bare) or error.msg.startswith("Unterminated string")
    if bare.startswith("{") and is_cut:
        return Finding(
            None,
            "the object does not end on this line",
            "Write each object on one line: NDJSON has no pretty-printing, and newlines in strings are \\n.",
            is_layout=bare.endswith(_OPEN_ENDS),
        )
    if bare.startswith(_CONTINUATIONS):
        return Finding(
            None,
            "is a piece of JSON, not an object: the file seems to be pretty-printed",
            _ONE_OBJECT_A_LINE,
            is_layout=True,
        )
    position = len((text[: len(text) - len(text.lstrip(_BLANK))] + bare[: error.pos]).encode())
    return Finding(None, f"is not valid JSON at byte {position} of the line ({error.msg})", _hint(bare, error))


def _hint(bare: str, error: json.JSONDecodeError) -> str:
    if bare[error.pos : error.pos + 1] == "'" or bare[:2] == "{'":
        return "JSON has double quotes only: use json.dumps(...), not str(...)."
    if error.msg.startswith("Illegal trailing comma") or bare[error.pos : error.pos + 1] in {"}", "]"}:
        return "Look for a comma before the closing bracket."
    if not bare.startswith("{"):
        return _ONE_OBJECT_A_LINE
    return "Encode lines with a JSON library."


def _text_behind(bare: str, end: int) -> Finding:
    behind = bare[end:].lstrip(_BLANK)
    if behind == ",":
        return Finding(None, "has a comma behind the object", _ONE_OBJECT_A_LINE, is_layout=True)
    if not bare.startswith("{"):
        return Finding(None, "is a piece of JSON, not an object", _ONE_OBJECT_A_LINE, is_layout=bare.startswith('"'))
    if behind.startswith("{"):
        if "\r" in bare[end : len(bare) - len(behind)]:
            return Finding(None, "line ends are carriage returns only", "Convert them to newlines (\\n).")
        return Finding(None, "has two objects", "Put each object on a line of its own.")
    return Finding(None, "has something behind the object", _ONE_OBJECT_A_LINE)


def read_object(line: bytes) -> tuple[dict[str, Any], bool]:
    """Return the object of a line that is one, and whether a property is there twice at its root.

    Numbers too long for an integer are read as infinite, which no rule takes for one.
    """
    pairs: list[tuple[str, Any]] = []

    def build(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal pairs
        pairs = found
        return dict(found)

    root = json.loads(line.decode(), object_pairs_hook=build, parse_int=_integer)
    return root, len(pairs) > len(root)


#: Digits of a number that is still read as an integer, the limit of the quick decoder.
_MAX_DIGITS: Final = 4300


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float("inf")
