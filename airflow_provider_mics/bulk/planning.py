"""From files to parts: what a load sends."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.api.constants import DELETION_DOCUMENT_TYPES, MimeType
from airflow_provider_mics.bulk.compressed import compression_of, plain_name
from airflow_provider_mics.bulk.parts import plan_parts
from airflow_provider_mics.bulk.streams import CompressedFile
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.parts import Part
    from airflow_provider_mics.bulk.spool import Spool

log = logging.getLogger(__name__)

_ENDINGS: Final = {
    ".csv": MimeType.CSV,
    ".ndjson": MimeType.NDJSON,
    ".jsonl": MimeType.NDJSON,
    ".json": MimeType.NDJSON,
}
#: What a file is taken for whose name does not tell.
_DEFAULT_MIME_TYPE: Final = MimeType.NDJSON


@dataclasses.dataclass(frozen=True, slots=True)
class CutFile:
    """A file, and its parts, which may still be cut from it while those before them are sent."""

    file: SourceFile
    pieces: Iterable[Part]

    def parts(
        self,
        spools: contextlib.ExitStack,  # noqa: ARG002 - as of a CompressedFile
        opened: list[Spool],  # noqa: ARG002 - the same
    ) -> Iterator[tuple[Part, SourceFile]]:
        """Give the parts. They are read from the file itself: nothing is spooled."""
        return ((piece, self.file) for piece in self.pieces)


@dataclasses.dataclass(frozen=True, slots=True)
class PlannedFile(CutFile):
    """A file of which all parts are known."""

    pieces: Sequence[Part]


Source = CutFile | CompressedFile


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What a load sends, in the order of its files.

    :param conclude: Called when the last part has been cut, where some still have to be checked and cut; None: nothing
        is found out any more.
    """

    sources: Sequence[Source]
    conclude: Callable[[], None] | None = None

    @property
    def is_checked(self) -> bool:
        """Whether no line is still to be checked."""
        return self.conclude is None

    @property
    def planned(self) -> list[tuple[Part, SourceFile]]:
        """The parts that are known before anything is sent: of files that are not compressed, and were read before."""
        return [(piece, item.file) for item in self.sources if isinstance(item, PlannedFile) for piece in item.pieces]

    @contextlib.contextmanager
    def delivery(self) -> Iterator[tuple[Iterator[tuple[Part, SourceFile]], Callable[[SourceFile], None]]]:
        """Give all parts, one by one, and what to call with the file of each part that is in."""
        opened: list[Spool] = []
        with contextlib.ExitStack() as spools:

            def parts() -> Iterator[tuple[Part, SourceFile]]:
                for source in self.sources:
                    yield from source.parts(spools, opened)
                if self.conclude:
                    self.conclude()

            def discard(file: SourceFile) -> None:
                for spool in opened:
                    spool.discard(file)

            yield parts(), discard


def plan_load(files: Iterable[SourceFile], *, mime_type: str, max_part_bytes: int) -> Plan:
    """Cut files into parts. Files without a single line give none, and a warning.

    What is in compressed files is cut when it is sent.

    :raises MicsInputError: A file is named twice, is of another format than the import, or has a line that is larger
        than a part may be.
    """
    sources: list[Source] = []
    for file in each_once(files, mime_type):
        if kind := compression_of(file):
            sources.append(CompressedFile(file, kind, mime_type=mime_type, max_part_bytes=max_part_bytes))
            continue
        pieces = plan_parts(file, mime_type=mime_type, max_part_bytes=max_part_bytes)
        if not pieces:
            log.warning("%s has no lines to load.", file.name)
        sources.append(PlannedFile(file, pieces))
    return Plan(sources)


def each_once(files: Iterable[SourceFile], mime_type: str) -> Iterator[SourceFile]:
    """Give files, and refuse one that is named twice or, by its name, of another format than the import.

    :raises MicsInputError: There is such a file.
    """
    names: set[str] = set()
    for file in files:
        if file.name in names:
            raise MicsInputError(
                f"{file.name} is named twice; it would be loaded twice.", hint="Look at the overlap of the patterns."
            )
        names.add(file.name)
        check_ending(file.name, mime_type)
        yield file


def check_document_import(document_type: str, mime_type: str) -> None:
    """Refuse a format that the platform does not take for a document type.

    CSV is for segments only ("Bulk processing").

    :raises MicsConfigurationError: It is CSV, and the type is not USER_SEGMENT.
    """
    if mime_type == MimeType.CSV and document_type != "USER_SEGMENT":
        raise MicsConfigurationError(
            f"mime_type {MimeType.CSV} is for USER_SEGMENT only; {document_type} lines must be "
            f"{MimeType.NDJSON}, one JSON object per line."
        )


def check_deletions_allowed(document_type: str, *, allow_deletions: bool) -> None:
    """Refuse to send lines that erase for good, unless the task says that it means it.

    :raises MicsConfigurationError: The document type deletes, and ``allow_deletions`` is not set.
    """
    if document_type in DELETION_DOCUMENT_TYPES and not allow_deletions:
        raise MicsConfigurationError(
            f"Every line of {document_type} erases something for good.",
            hint="Set allow_deletions=True if that is what this task is for.",
        )


def mime_type_of(name: str) -> str:
    """Return the format that a file's name tells; NDJSON where it tells none."""
    return _ENDINGS.get(_ending(name), _DEFAULT_MIME_TYPE)


def _ending(name: str) -> str:
    return PurePosixPath(plain_name(name)).suffix.lower()


def check_ending(name: str, mime_type: str) -> None:
    """Refuse a file whose name says that it is of another format than the document import.

    :raises MicsInputError: It is.
    """
    expected = _ENDINGS.get(_ending(name))
    if expected and expected != mime_type:
        raise MicsInputError(
            f"{name} ends in {_ending(name)}, but the document import takes {mime_type}.",
            hint=f"Create the document import with mime_type {expected}, or rename the file if its name is wrong.",
        )
