"""The report of a load with rejected lines: JSON, a readable text, and the platform's error files as they came."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.api.redaction import redact
from airflow_provider_mics.bulk.reasons import ReasonCounter, errors_of
from airflow_provider_mics.bulk.report_error_file import ErrorFileError, RejectedLine, read_error_file
from airflow_provider_mics.bulk.report_places import Places
from airflow_provider_mics.bulk.report_text import readable
from airflow_provider_mics.exceptions import MicsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from airflow_provider_mics.api.models import DocumentImport, Execution
    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.sent_part import SentPart

#: Rejected lines that a report lists, over all executions. The raw files have all.
MAX_LISTED: Final = 100_000
#: Largest error file that is read, in bytes; larger ones stay at the platform.
MAX_ERROR_FILE_BYTES: Final = 64 * 1024 * 1024
_BOM_LENGTH: Final = 3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Where a report is written, and with what.

    :param path: Of the JSON document; the others are beside it, by :func:`text_path` and :func:`raw_path`.
    :param download: Downloads a file of the platform by its address.
    :param open_for_writing: Opens a file by its path, private to this user where that can be.
    :param find_files: Finds the files that were sent, by name.
    """

    path: str
    download: Callable[[str], bytes]
    open_for_writing: Callable[[str], BinaryIO]
    find_files: Callable[[str], Sequence[SourceFile]]


def text_path(path: str) -> str:
    """Return where the readable text is: ``.txt`` in place of ``.json``, or added."""
    return f"{path.removesuffix('.json')}.txt"


def raw_path(path: str, execution_id: str) -> str:
    """Return where the error file of an execution is."""
    # The id comes from outside, and becomes the name of a file.
    return f"{path}.d/{re.sub(r'[^A-Za-z0-9_-]', '_', execution_id)}_errors.csv"


def has_rejections(execution: Execution) -> bool:
    """Tell whether the platform has rejected lines of an execution."""
    return bool(execution.result and (execution.result.total_failure or 0) > 0)


def write_report(
    report: Report,
    document_import: DocumentImport,
    executions: Collection[Execution],
    parts: Sequence[SentPart],
    dead_letter: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write the report of a load whose executions have all ended, and return it without its rejected lines.

    An error file that is missing or cannot be read is noted in the report.

    :param parts: What was sent, as far as it is known.
    :param dead_letter: Where lines were put aside before, and how many.
    :raises Exception: A file cannot be written.
    """
    gathered = _Gathered(report, {part.execution_id: part for part in parts})
    for execution in executions:
        gathered.add(execution)
    is_csv = document_import.mime_type == MimeType.CSV
    places = Places(parts, is_csv=is_csv, find_files=report.find_files)
    places.prepare([item.execution_id for item in executions if has_rejections(item)], gathered.smallest_number)
    facts = _facts(document_import, executions, gathered, dead_letter)
    facts["notes"] = gathered.notes + places.notes
    with report.open_for_writing(report.path) as file:
        # Line by line: all of them at once would be several times as much memory.
        file.write(msgspec.json.format(msgspec.json.encode(facts)).removesuffix(b"\n}") + b',\n  "rejected_lines": [')
        for index, line in enumerate(_placed(gathered, places)):
            file.write((b",\n    " if index else b"\n    ") + msgspec.json.encode(line))
        file.write(b"\n  ]\n}\n")
    with report.open_for_writing(text_path(report.path)) as file:
        for text in readable(facts, _placed(gathered, places), report.path):
            file.write(f"{text}\n".encode())
    return facts


class _Gathered:
    """What the platform tells of a load's rejected lines."""

    def __init__(self, report: Report, parts: dict[str, SentPart]) -> None:
        self._report = report
        self._parts = parts
        #: Equal texts are kept once.
        self._texts: dict[str, str] = {}
        self.listed: list[tuple[str, RejectedLine]] = []
        self.reasons = ReasonCounter()
        self.smallest_number: int | None = None
        self.files: dict[str, dict[str, Any]] = {}
        self.notes: list[str] = []
        self._cut = 0

    def add(self, execution: Execution) -> None:
        """Take in what an execution says, with its error file if it has rejected lines."""
        execution_id = execution.execution_id
        saved = list(errors_of(execution))
        told = 0
        if has_rejections(execution) and (content := self._error_file(execution)) is not None:
            told = self._add_file(execution, content, {error_id: text for text, error_id in saved if error_id})
        if not told:
            for text, error_id in saved:
                self.reasons.add(text, error_id)
                self._list(execution_id, RejectedLine(error_id=error_id, message=text))
        if (failed := execution.result.total_failure if execution.result else 0) and told != failed:
            source = "error file" if told else "message"
            self.notes.append(
                f"Execution {execution_id}: {failed} lines were rejected; its {source} lists {told or len(saved)}."
            )

    def part_of(self, execution_id: str) -> SentPart | None:
        """Return what was sent in an execution."""
        return self._parts.get(execution_id)

    def cut_note(self) -> list[str]:
        """Say what is not listed."""
        if not self._cut:
            return []
        return [
            f"{MAX_LISTED} rejected lines are listed; {self._cut} more are in the error files and the reasons only."
        ]

    def _add_file(self, execution: Execution, content: bytes, saved: dict[str, str]) -> int:
        execution_id = execution.execution_id
        part = self._parts.get(execution_id)
        told = 0
        try:
            for line in read_error_file(content, part.lines if part else None):
                told += 1
                if line.number is not None and (self.smallest_number is None or line.number < self.smallest_number):
                    self.smallest_number = line.number
                known = line.message or saved.get(line.error_id or "")
                self.reasons.add(known or "no reason given", line.error_id)
                self._list(execution_id, dataclasses.replace(line, message=known))
        except ErrorFileError as error:
            self.notes.append(f"Execution {execution_id}: the error file cannot be read behind row {told}: {error}.")
        self.files[execution_id]["rows"] = told
        return told

    def _error_file(self, execution: Execution) -> bytes | None:
        execution_id = execution.execution_id
        uri = execution.result.error_file_uri if execution.result else None
        facts = self.files[execution_id] = {"uri": uri, "path": None, "bytes": None, "rows": 0}
        if not uri:
            self.notes.append(f"Execution {execution_id} names no error file.")
            return None
        try:
            content = self._report.download(uri)
        except MicsError as error:
            self.notes.append(f"Execution {execution_id}: {error}")
            return None
        facts["bytes"] = len(content)
        facts["path"] = raw_path(self._report.path, execution_id)
        with self._report.open_for_writing(facts["path"]) as file:
            file.write(content)
        if len(content) > MAX_ERROR_FILE_BYTES:
            self.notes.append(
                f"Execution {execution_id}: only the first {MAX_ERROR_FILE_BYTES} bytes of the error file were read."
            )
        return content[:MAX_ERROR_FILE_BYTES]

    def _list(self, execution_id: str, line: RejectedLine) -> None:
        if len(self.listed) >= MAX_LISTED:
            self._cut += 1
            return
        if line.message:
            line = dataclasses.replace(line, message=self._texts.setdefault(line.message, line.message))
        self.listed.append((execution_id, line))


def _facts(
    document_import: DocumentImport,
    executions: Collection[Execution],
    gathered: _Gathered,
    dead_letter: dict[str, Any] | None,
) -> dict[str, Any]:
    gathered.notes += gathered.cut_note()
    results = [execution.result for execution in executions if execution.result]
    return {
        "document_import": {
            "id": str(document_import.id),
            "name": document_import.name,
            "document_type": document_import.document_type,
            "mime_type": document_import.mime_type,
        },
        "accepted": sum(result.total_success or 0 for result in results),
        "rejected": sum(result.total_failure or 0 for result in results),
        "dead_letter": dead_letter,
        "reasons": [dataclasses.asdict(reason) for reason in gathered.reasons.ranked()],
        "executions": [_execution_facts(execution, gathered) for execution in executions],
    }


def _execution_facts(execution: Execution, gathered: _Gathered) -> dict[str, Any]:
    result = execution.result
    part = gathered.part_of(execution.execution_id)
    message = execution.error.message if execution.error else None
    return {
        "execution_id": execution.execution_id,
        "status": execution.status,
        "accepted": result.total_success if result else None,
        "rejected": result.total_failure if result else None,
        "created": _iso(execution.created_at),
        "started": _iso(execution.started_at),
        "ended": _iso(execution.ended_at),
        "error": redact(message) if message else None,
        "error_file": gathered.files.get(execution.execution_id),
        "part": part and _part_facts(part),
    }


def _part_facts(part: SentPart) -> dict[str, Any]:
    # The first range of CSV may be its header alone, which every part has: the others are the part's own.
    own = part.ranges and (part.ranges[1:] if part.number > 1 and part.ranges[0][0] <= _BOM_LENGTH else part.ranges)
    return {
        "file": part.file,
        "number": part.number,
        "lines": part.lines,
        "bytes": part.bytes,
        "first_byte": own[0][0] if own else None,
        "last_byte": sum(own[-1]) - 1 if own else None,
    }


def _placed(gathered: _Gathered, places: Places) -> Iterator[dict[str, Any]]:
    for execution_id, line in gathered.listed:
        place = places.place(execution_id, line.number)
        yield {
            "execution_id": execution_id,
            "line": line.number,
            "source": place.source,
            "source_line": place.line,
            "source_position": place.position,
            "error_id": line.error_id,
            "message": line.message,
            "other": line.other,
        }


def _iso(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat()
