"""Checks of an uploaded file, line by line, and the file of its errors."""

from __future__ import annotations

import codecs
import csv
import uuid
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

from airflow_provider_mics.api.constants import DocumentType, MimeType
from airflow_provider_mics.sandbox.rules import NO_PROFILE, RULES, Line, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: A longer line fails without being read whole; bytes. UNKNOWN at the vendor.
MAX_LINE_BYTES: Final = 16 * 1024 * 1024
#: Namespace of error ids, so that the same line of the same execution always fails under the same id.
_ERROR_IDS: Final = uuid.UUID("6f0c4a52-0d43-4c6b-9d55-1b0f6b3fd0c8")
REJECTED_TEXT: Final = "Rejected by the sandbox's settings"
#: CSV columns whose cells are numbers in the JSON form.
_NUMBERS: Final = frozenset({"expiration_duration", "expiration_ts"})


@dataclass(slots=True)
class Job:
    """What there is to check.

    :param errors: where the error file is written.
    :param saved: how many failures are quoted in the execution.
    :param check: False: every line is good.
    :param compartments: those that exist; None: all do.
    :param carry_out: told each good line that was checked; None: nobody is.
    :param stopped: asked before each line; True gives up.
    """

    path: Path
    errors: Path
    execution_id: str
    document_type: str
    mime_type: str
    encoding: str
    saved: int
    check: bool = True
    reject_if: Callable[[bytes], bool] | None = None
    compartments: frozenset[str] | None = None
    carry_out: Callable[[Line], None] | None = None
    stopped: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class Report:
    """What the check found.

    :param total: lines that were not blank; for CSV, rows without the header (UNKNOWN at the vendor).
    :param saved: texts of the first failures, each with its error id.
    """

    total: int = 0
    failed: int = 0
    saved: list[str] = field(default_factory=list)

    @property
    def success(self) -> int:
        """Lines that are good."""
        return self.total - self.failed

    def message(self) -> str:
        """Render ``error.message`` in the format of the vendor's sample."""
        texts = "".join(f"{text}\n" for text in self.saved)
        return f"{self.success} success, {self.failed} failures\nSaved errors:\n{texts}"


def error_id(execution_id: str, line_number: int) -> str:
    """Return the id under which a line of an execution fails."""
    return str(uuid.uuid5(_ERROR_IDS, f"{execution_id}/{line_number}"))


def check_document(job: Job) -> Report:
    """Check a whole file and write its error file.

    UNKNOWN at the vendor: the columns of the error file. We write line_number (1 is the first line of the file),
    error_id and message.
    """
    report = Report()
    problems = _csv_problems if job.mime_type == MimeType.CSV else _ndjson_problems
    with job.path.open("rb") as source, job.errors.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["line_number", "error_id", "message"])
        for line_number, problem in problems(source, job):
            if job.stopped():
                break
            report.total += 1
            if problem is None:
                continue
            report.failed += 1
            identity = error_id(job.execution_id, line_number)
            writer.writerow([line_number, identity, problem])
            if len(report.saved) < job.saved:
                report.saved.append(f"{problem} Error id = {identity}.")
    return report


def _problem(raw: bytes, read: Callable[[], Line | str], job: Job, rule: Rule | None) -> str | None:
    """Check one line: the test's own rejection first, then whether it can be read, then the rule."""
    if job.reject_if is not None and job.reject_if(raw):
        return REJECTED_TEXT
    if not job.check:
        return None
    line = read()
    if isinstance(line, str):
        return line
    problem = (rule(line) if rule is not None else None) or _compartment_problem(line, job)
    if problem is None and job.carry_out is not None:
        job.carry_out(line)
    return problem


def _compartment_problem(line: Line, job: Job) -> str | None:
    """Check that the compartment exists."""
    named = line.get("compartment_id")
    if job.compartments is None or named is None or str(named) in job.compartments:
        return None
    return NO_PROFILE if job.document_type == DocumentType.USER_PROFILE else "Unknown compartment"


def _ndjson_problems(source: IO[bytes], job: Job) -> Iterator[tuple[int, str | None]]:
    rule = RULES.get(job.document_type)
    transcode = codecs.lookup(job.encoding).name not in {"utf-8", "ascii"}
    decode = msgspec.json.Decoder().decode

    def read() -> Line | str:
        try:
            value = decode(raw.decode(job.encoding)) if transcode else decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return "Line is not valid JSON"
        return value if isinstance(value, dict) else "Line is not a JSON object"

    number = 0
    while raw := source.readline(MAX_LINE_BYTES):
        number += 1
        raw = raw.rstrip(b"\r\n") if raw.endswith(b"\n") else raw
        if len(raw) >= MAX_LINE_BYTES:
            _skip_line(source)
            yield number, "Line is too long"
        elif raw and not raw.isspace():
            yield number, _problem(raw, read, job, rule)


def _skip_line(source: IO[bytes]) -> None:
    while piece := source.readline(MAX_LINE_BYTES):
        if piece.endswith(b"\n"):
            return


def _csv_problems(source: IO[bytes], job: Job) -> Iterator[tuple[int, str | None]]:
    """Read RFC 4180 rows under a header, whose names may be in upper or lower case (UNKNOWN which the vendor wants).

    An empty cell is an absent field. UNKNOWN at the vendor: a row of another width fails.
    """
    rule = RULES.get(job.document_type)
    seen = bytearray()
    number = 0

    def texts() -> Iterator[str]:
        nonlocal number
        while raw := source.readline(MAX_LINE_BYTES):
            number += 1
            seen.extend(raw)
            yield raw.decode(job.encoding, "surrogateescape")

    rows = csv.reader(texts())
    header: list[str] | None = None
    while True:
        seen.clear()
        first = number + 1
        try:
            row: list[str] | None = next(rows, None)
            if row is None:
                return
        except csv.Error:
            row = []
        raw = bytes(seen).rstrip(b"\r\n")
        if not raw.strip():
            continue
        if header is None:
            header = [name.strip().lower() for name in row]
            continue
        yield first, _problem(raw, lambda row=row, header=header: _csv_line(row, header), job, rule)  # type: ignore[misc]


def _csv_line(row: list[str], header: list[str]) -> Line | str:
    if len(row) != len(header):
        return f"Row has {len(row)} cells, the header {len(header)}"
    line: dict[str, Any] = {}
    for name, cell in zip(header, row, strict=True):
        if cell:
            # What is no number stays text, and fails by the rule.
            is_number = name in _NUMBERS and cell.isascii() and cell.isdigit()
            line[name] = int(cell) if is_number else cell
    return line
