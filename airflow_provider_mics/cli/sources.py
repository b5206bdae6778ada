"""What the arguments of a command name: files, their format, and what their lines are."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.api.constants import CONTENT_TYPES, DELETION_DOCUMENT_TYPES, DocumentType, MimeType
from airflow_provider_mics.bulk.planning import each_once, mime_type_of
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError, MicsSourceError
from airflow_provider_mics.storage import find_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_provider_mics.bulk.files import SourceFile

_KNOWN_TYPES: Final = frozenset(DocumentType) | DELETION_DOCUMENT_TYPES


@dataclasses.dataclass(frozen=True, slots=True)
class Sources:
    """The files of a load, all of one format."""

    files: Sequence[SourceFile]
    mime_type: str


def find_sources(paths: Iterable[str], mime_type: str | None) -> Sources:
    """Find files as a load would.

    :param mime_type: None: what their names tell.
    :raises MicsSourceError: There is no such file.
    :raises MicsConfigurationError: They cannot be one load.
    """
    files: list[SourceFile] = []
    for path in paths:
        found = find_files(path)
        if not found:
            raise MicsSourceError(f"{path} matches no file.", hint="Check the pattern, and that the export has run.")
        files += found
    wanted = mime_type_from(mime_type) if mime_type else _mime_type_told(files)
    try:
        return Sources(list(each_once(files, wanted)), wanted)
    except MicsInputError as error:
        raise MicsConfigurationError(str(error)) from None


def mime_type_from(text: str) -> str:
    """Read the name of a format: the vendor's, the usual one, or its ending, in any case.

    :raises MicsConfigurationError: There is no such format.
    """
    names = {str(mime_type): mime_type for mime_type in MimeType}
    names |= {content_type.upper(): mime_type for mime_type, content_type in CONTENT_TYPES.items()}
    names |= {mime_type.name: mime_type for mime_type in MimeType}
    if found := names.get(text.strip().upper()):
        return found
    raise MicsConfigurationError(f"There is no mime type {text!r}.", hint=f"There are {' and '.join(MimeType)}.")


def document_type_from(text: str) -> tuple[str, bool]:
    """Return a document type as the vendor spells it, and whether its rules are known here.

    :raises MicsConfigurationError: It is empty.
    """
    name = text.strip().upper()
    if not name:
        raise MicsConfigurationError("The document type is empty.", hint="Name one, such as USER_PROFILE.")
    return name, name in _KNOWN_TYPES


def check_not_replaced(path: str, files: Iterable[SourceFile]) -> None:
    """Refuse to write bad lines over a file that is read.

    :raises MicsConfigurationError: ``path`` is one of the files.
    """
    for file in files:
        if path == file.name or _is_same_file(path.removeprefix("file://"), file.name):
            raise MicsConfigurationError(
                f"{path} is one of the files that are checked; bad lines would be written over it.",
                hint="Name another file for them, outside of the pattern.",
            )


def _is_same_file(one: str, other: str) -> bool:
    return Path(one).exists() and Path(other).exists() and Path(one).samefile(other)


def _mime_type_told(files: Sequence[SourceFile]) -> str:
    told = {mime_type_of(file.name): file.name for file in files}
    if len(told) > 1:
        raise MicsConfigurationError(
            f"By their names, {' and '.join(told.values())} are of different formats; a document import takes one.",
            hint="Name the files of each format apart, or give the mime type.",
        )
    return next(iter(told))
