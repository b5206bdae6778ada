"""Reads the header of a CSV file of segment lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_mics.bulk.checks.findings import Finding
from airflow_provider_mics.bulk.formats.segment import SEGMENT_CSV_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DELIMITERS: Final = {b";": "semicolons", b"\t": "tabs", b"|": "vertical bars"}
_IDENTIFIERS: Final = ("user_account_id", "email_hash", "user_agent_id")
_SEGMENTS: Final = ("segment_id", "segment_technical_name")


def column_names(cells: Sequence[bytes]) -> list[str]:
    """Return the names of a header, in lower case: the vendor's own template has capitals, its pages small letters."""
    return [cell.decode(errors="replace").lower() for cell in cells]


def layout_problem(line: bytes) -> Finding | None:
    """Say whether a file is no CSV with commas, judging by its first line."""
    if line.lstrip().startswith((b"{", b"[")):
        return Finding(None, "this is JSON, not CSV", "Create the document import with APPLICATION_X_NDJSON.")
    if b"," not in line:
        for delimiter, name in _DELIMITERS.items():
            if delimiter in line:
                return Finding(None, f"columns are separated by {name}", "Separate columns with commas.")
    if b"\r" in line.rstrip(b"\r\n"):
        return Finding(None, "line ends are carriage returns only", "Convert them to newlines (\\n).")
    if b"\0" in line:
        return Finding(None, "is not UTF-8: it looks like UTF-16", "Save the file in UTF-8.")
    return None


def check_segment_header(names: Sequence[str]) -> Iterator[Finding]:
    """Check the names of a header. Those that are unknown are not shown, as they may be somebody's data."""
    known = ", ".join(SEGMENT_CSV_COLUMNS)
    for index, name in enumerate(names, start=1):
        if name not in SEGMENT_CSV_COLUMNS:
            if name.strip() in SEGMENT_CSV_COLUMNS:
                yield Finding(None, f"the name of column {index} has spaces around it", "Remove them.")
            else:
                yield Finding(
                    None,
                    f"column {index} is none of the columns of USER_SEGMENT",
                    f"The first line must hold names of: {known}.",
                )
        elif name in names[: index - 1]:
            yield Finding(name, "is a column twice", "Remove one of them.")
    if "operation" not in names:
        yield Finding("operation", "is not among the columns", "Add it, with UPDATE or DELETE in each record.")
    for group in (_IDENTIFIERS, _SEGMENTS):
        if not set(group) & set(names):
            yield Finding(None, f"none of the columns is {' or '.join(group)}", "Add one of them.")


def check_any_header(names: Sequence[str]) -> Iterator[Finding]:
    """Check a header of columns that are not known."""
    for index, name in enumerate(names, start=1):
        if name in names[: index - 1]:
            yield Finding(None, f"column {index} has the name of one before it", "Remove or rename it.")
