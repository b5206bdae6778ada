"""Where a rejected line stands in its source, from its number in the part that was sent."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.exceptions import MicsError, MicsSourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.sent_part import SentPart

_BLOCK: Final = 1024 * 1024
#: Bytes of sources that are read again, in all, to count lines. At the speed of a slow object store some minutes.
MAX_SOURCE_BYTES: Final = 8 * 1024**3


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a rejected line stands.

    :param source: Name of the file, or of the rows.
    :param line: Number of the line in the file, from 1; None: not known.
    :param position: How manieth it is of the lines that were sent of this source, from 1; None: not known.
    """

    source: str | None = None
    line: int | None = None
    position: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class _Run:
    """Lines that follow each other in the part and in the source: their first numbers, and how many they are."""

    in_part: int
    in_source: int
    lines: int


class Places:
    """Finds lines of parts in their sources.

    The ends of lines are counted in the source, up to the last part asked for; nothing else is looked at. Sources that
    are no file, that have changed since, or that cannot be read here are said so in ``notes``.

    :param parts: What was sent, all of it where that is known.
    :param is_csv: Whether the first line of each part is a header.
    :param find_files: Finds files by name.
    """

    def __init__(
        self, parts: Sequence[SentPart], *, is_csv: bool, find_files: Callable[[str], Sequence[SourceFile]]
    ) -> None:
        self._parts = {part.execution_id: part for part in parts}
        self._header = int(is_csv)
        self._find_files = find_files
        self._runs: dict[str, list[_Run]] = {}
        self._before = _lines_before(parts)
        self._shift = 0
        self.notes: list[str] = []

    def prepare(self, execution_ids: Collection[str], smallest_number: int | None) -> None:
        """Count what is needed for the lines of some executions.

        :param smallest_number: The smallest line number that the error files hold. It may tell that they count from 0,
            or without the header.
        """
        first = 1 + self._header
        if smallest_number is not None and smallest_number < first:
            self._shift = first - smallest_number
            self.notes.append(
                f"The error files hold the line number {smallest_number}: they are taken to count the first line that "
                f"is no header as {smallest_number}."
            )
        wanted = [self._parts[execution_id] for execution_id in execution_ids if execution_id in self._parts]
        left = MAX_SOURCE_BYTES
        for name in dict.fromkeys(part.file for part in wanted):
            cut = [part for part in wanted if part.file == name and part.ranges]
            if not cut:
                self.notes.append(f"{name}: what was sent was made or picked out of it; line numbers are not known.")
                continue
            end = max(sum(piece) for part in cut for piece in part.ranges or ())
            if end > left:
                self.notes.append(f"{name}: too large to be read again for line numbers.")
                continue
            left -= end
            try:
                self._count(name, cut)
            except Exception as error:  # noqa: BLE001 - every store raises its own kind
                # Of foreign errors only the kind: their texts may quote what they read.
                reason = (
                    error if isinstance(error, MicsError) else f"{name} cannot be read here: {type(error).__name__}."
                )
                self.notes.append(f"Line numbers in the source are not known. {reason}")

    def place(self, execution_id: str, number: int | None) -> Place:
        """Return where the line is that the error file of an execution calls ``number``."""
        part = self._parts.get(execution_id)
        if part is None:
            return Place()
        if number is None:
            return Place(part.file)
        number += self._shift
        nth = number - self._header
        before = self._before.get(execution_id)
        is_within = 1 <= nth <= part.lines
        return Place(
            part.file,
            line=next(
                (
                    run.in_source + number - run.in_part
                    for run in self._runs.get(execution_id, ())
                    if run.in_part <= number < run.in_part + run.lines
                ),
                None,
            ),
            position=before + nth if before is not None and is_within else None,
        )

    def _count(self, name: str, parts: Sequence[SentPart]) -> None:
        files = self._find_files(name)
        if len(files) != 1 or any(part.version != files[0].version for part in parts):
            raise _changed(name)
        edges = {edge for part in parts for at, size in part.ranges or () for edge in (at, at + size)}
        ends = _line_ends_before(files[0], edges)
        for part in parts:
            runs: list[_Run] = []
            number = 1
            for offset, size in part.ranges or ():
                lines = ends[offset + size] - ends[offset]
                runs.append(_Run(number, ends[offset] + 1, lines))
                number += lines
            if number - 1 == part.lines + self._header:
                self._runs[part.execution_id] = runs
            else:
                # Which of them the platform counts is not known.
                self.notes.append(
                    f"{name}, part {part.number}: it has blank lines or line ends in quotes; no line number is known."
                )
                self._before.pop(part.execution_id, None)


def _line_ends_before(file: SourceFile, offsets: Iterable[int]) -> dict[int, int]:
    """Return how many lines end before each offset; the end of the file ends one too."""
    counted: dict[int, int] = {}
    position = ends = 0
    last = b"\n"
    with contextlib.closing(file.open()) as reader:
        reader.seek(0)
        for offset in sorted(offsets):
            while position < offset:
                block = reader.read(min(_BLOCK, offset - position))
                if not block:
                    raise _changed(file.name)
                ends += block.count(b"\n")
                position += len(block)
                last = block[-1:]
            counted[offset] = ends + (offset == file.size and last != b"\n")
    file.check_unchanged()
    return counted


def _changed(name: str) -> MicsSourceError:
    return MicsSourceError(f"{name} is no longer the file that was sent.")


def _lines_before(parts: Sequence[SentPart]) -> dict[str, int]:
    """Return how many lines of its source were sent before each part, for parts before which none is missing."""
    before: dict[str, int] = {}
    reached: dict[str, tuple[int, int]] = {}
    for part in sorted(parts, key=lambda part: part.number):
        number, lines = reached.get(part.file, (0, 0))
        if part.number == number + 1:
            before[part.execution_id] = lines
            reached[part.file] = part.number, lines + part.lines
    return before
