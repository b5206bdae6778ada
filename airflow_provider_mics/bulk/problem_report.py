"""The report of a load's check: every problem, as it is found. It holds nothing of what is in the lines.

It is of the family of :mod:`~airflow_provider_mics.bulk.report`, which tells what the platform has rejected: a JSON
document, and a readable text beside it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

import msgspec

from airflow_provider_mics.bulk.counted import by_count, counted
from airflow_provider_mics.bulk.reasons import Reason, ReasonCounter
from airflow_provider_mics.bulk.report import text_path
from airflow_provider_mics.exceptions import MicsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.bulk.checks import Problem

log = logging.getLogger(__name__)

#: Problems that the JSON document lists. A file of millions of lines in a wrong format has as many.
MAX_LISTED: Final = 1_000_000
#: Problems that the text lists.
MAX_IN_TEXT: Final = 1000


class ProblemReport:
    """Writes a report of problems, from the first one on; without one, there is none.

    Behind its ``with`` block it is finished, however the check has ended. That it cannot be written stops nothing: what
    was found says more than a report that is missing.

    :param path: Of the JSON document; the text is beside it.
    :param open_for_writing: Opens a file by its path, private to this user where that can be.
    """

    def __init__(self, path: str, open_for_writing: Callable[[str], BinaryIO], document_import: DocumentImport) -> None:
        self._path = path
        self._open_for_writing = open_for_writing
        self._document_import = {
            "id": str(document_import.id),
            "name": document_import.name,
            "document_type": document_import.document_type,
            "mime_type": document_import.mime_type,
        }
        self._file: BinaryIO | None = None
        self._failure = ""
        self._is_finished = False
        self._count = 0
        self._reasons = ReasonCounter()
        self._first: list[str] = []

    @property
    def wants_more(self) -> bool:
        """Whether there is room for another problem."""
        return self._count < MAX_LISTED and not self._failure

    def add(self, name: str, problems: Iterable[Problem]) -> None:
        """Write down problems of the file ``name``."""
        for problem in problems:
            if not self.wants_more:
                return
            with self._trying():
                self._write(name, problem)

    def finish(self, counts: Mapping[str, int], dead_letter: Mapping[str, Any] | None, *, is_whole: bool) -> str:
        """Write the end, once, and return a sentence about the report; an empty one if there is none.

        :param counts: Of lines, by what they are.
        :param dead_letter: Where bad lines were put aside, and how many.
        :param is_whole: The check came to its end.
        """
        if not self._is_finished:
            self._is_finished = True
            with self._trying():
                self._finish(counts, dead_letter, self._notes(is_whole=is_whole))
        if self._failure:
            return self._failure
        return f"The full report is {self._path}" if self._count else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.finish({}, None, is_whole=False)

    def _write(self, name: str, problem: Problem) -> None:
        if self._file is None:
            self._file = self._open_for_writing(self._path)
            self._file.write(b'{\n  "document_import": ' + msgspec.json.encode(self._document_import))
            self._file.write(b',\n  "problems": [')
        self._file.write(b",\n    " if self._count else b"\n    ")
        self._file.write(msgspec.json.encode({"file": name, **dataclasses.asdict(problem)}))
        self._count += 1
        subject = f"{problem.field} " if problem.field else ""
        self._reasons.add(f"{subject}{problem.reason}", None)
        if len(self._first) < MAX_IN_TEXT:
            self._first.append(f"{name}, {problem}")

    def _finish(self, counts: Mapping[str, int], dead_letter: Mapping[str, Any] | None, notes: Sequence[str]) -> None:
        if self._file is None:
            return
        reasons = self._reasons.ranked()
        facts = {
            **counts,
            "dead_letter": dead_letter,
            "reasons": [{"text": reason.text, "count": reason.count} for reason in reasons],
            "notes": notes,
        }
        with self._file as file:
            file.write(b"\n  ],\n" + msgspec.json.format(msgspec.json.encode(facts)).removeprefix(b"{\n") + b"\n")
        with self._open_for_writing(text_path(self._path)) as file:
            for line in self._text(counts, dead_letter, reasons, notes):
                file.write(f"{line}\n".encode())

    def _notes(self, *, is_whole: bool) -> list[str]:
        notes = [] if is_whole else ["The check did not come to its end: there may be more."]
        if self._count >= MAX_LISTED:
            notes.append(f"Only the first {MAX_LISTED} problems are listed.")
        return notes

    def _text(
        self,
        counts: Mapping[str, int],
        dead_letter: Mapping[str, Any] | None,
        reasons: Sequence[Reason],
        notes: Sequence[str],
    ) -> Iterator[str]:
        facts = self._document_import
        yield f"Document import {facts['id']} ({facts['name']}), {facts['document_type']}"
        told = (f"{count} {by_count(count, name.removesuffix('s'), name)}" for name, count in counts.items())
        yield f"Checked: {', '.join(told)}."
        if dead_letter:
            yield f"Put aside {counted(dead_letter['lines'], 'line')}: {dead_letter['path']}"
        yield from ("", "Reasons")
        yield from (f"  {reason}" for reason in reasons)
        if notes:
            yield from ("", "Notes")
            yield from (f"  {note}" for note in notes)
        yield from ("", "Problems")
        yield from (f"  {line}" for line in self._first)
        if self._count > len(self._first):
            yield f"  ... see {self._path} for more."

    @contextlib.contextmanager
    def _trying(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - every store raises its own kind
            reason = error if isinstance(error, MicsError) else f"{type(error).__name__}."
            self._failure = f"The report could not be written: {reason}"
            log.warning("%s", self._failure)
