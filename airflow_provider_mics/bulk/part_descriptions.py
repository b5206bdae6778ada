"""Parts on their way from the task that plans them to the tasks that send them, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_mics.bulk.files import changed
from airflow_provider_mics.bulk.parts import Part
from airflow_provider_mics.exceptions import MicsConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_mics.bulk.files import SourceFile


class _Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str
    number: int
    of: int | None
    ranges: tuple[tuple[int, int], ...]
    header_bytes: int
    lines: int | None
    sha256: str | None
    version: tuple[str, ...]


def describe_part(part: Part, file: SourceFile) -> dict[str, Any]:
    """Return a part as JSON values: where its bytes are, and of which version of the file."""
    description = _Description(
        part.file, part.number, part.of, part.ranges, part.header_bytes, part.lines, part.sha256, file.version
    )
    described: dict[str, Any] = msgspec.to_builtins(description)
    return described


def read_part(description: Any, find_files: Callable[[str], Sequence[SourceFile]]) -> tuple[Part, SourceFile]:
    """Return the part that was described, and its file as it is now.

    :param find_files: Finds files by name.
    :raises MicsConfigurationError: It is no description of a part.
    :raises MicsSourceError: The file is missing, or not the one that was planned.
    """
    try:
        known = msgspec.convert(description, _Description)
    except msgspec.ValidationError as error:
        raise MicsConfigurationError(
            f"part is not a part that MicsPlanPartsOperator has planned: {error}.",
            hint="Map it with .expand(part=plan.output).",
        ) from None
    files = find_files(known.file)
    if len(files) != 1 or files[0].version != known.version:
        raise changed(known.file)
    part = Part(
        file=files[0].name,
        number=known.number,
        of=known.of,
        ranges=known.ranges,
        header_bytes=known.header_bytes,
        lines=known.lines,
        sha256=known.sha256,
    )
    return part, files[0]
