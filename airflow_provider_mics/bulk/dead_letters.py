"""Bad lines, put aside whole, with what is wrong with them."""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import msgspec

from airflow_provider_mics.exceptions import MicsSourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from airflow_provider_mics.bulk.checks import Problem


class DeadLetters:
    """Writes bad lines to a file, one JSON object for each, from the first bad line on.

    An object has ``file``, ``line`` and ``offset`` (bytes) of the line, ``problems`` with ``field``, ``reason`` and
    ``remedy``, and the line itself, with its line end: as ``content``, or where it is not UTF-8 as ``content_base64``;
    a line that is too long to be held in memory stays where it is. Of a line that was sent by itself, ``answer`` says
    what came back.

    :param path: What the file is called in the summary.
    :param open_file: Opens it for writing, private to this user where that can be.
    """

    def __init__(self, path: str, open_file: Callable[[], BinaryIO]) -> None:
        self.path = path
        self._open_file = open_file
        self._file: BinaryIO | None = None
        self.lines = 0

    def write(
        self,
        name: str,
        line: int,
        offset: int,
        problems: Sequence[Problem],
        content: bytes | None,
        *,
        answer: Mapping[str, Any] | None = None,
    ) -> None:
        """Put a line aside.

        :raises MicsSourceError: It cannot be written.
        """
        record: dict[str, Any] = {
            "file": name,
            "line": line,
            "offset": offset,
            "problems": [
                {"field": problem.field, "reason": problem.reason, "remedy": problem.remedy} for problem in problems
            ],
        }
        if answer is not None:
            record["answer"] = answer
        if content is not None:
            try:
                record["content"] = content.decode()
            except UnicodeDecodeError:
                record["content_base64"] = base64.b64encode(content).decode("ascii")
        if self._file is None:
            self._file = self._open_file()
        with self._writing():
            self._file.write(msgspec.json.encode(record) + b"\n")
        self.lines += 1

    def flush(self) -> None:
        """Write what is still in memory, as far as the file system takes less than a whole file.

        :raises MicsSourceError: It cannot be written.
        """
        if self._file:
            with self._writing():
                self._file.flush()

    def summary(self) -> dict[str, Any] | None:
        """Return where lines were put aside and how many, for the load's summary; None if none were."""
        return {"path": self.path, "lines": self.lines} if self.lines else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        file, self._file = self._file, None
        if not file:
            return
        try:
            with self._writing():
                file.close()
        except MicsSourceError:
            # The error that is on its way already is the first.
            if kind is None:
                raise

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise MicsSourceError(
                f"{self.path} cannot be written: {reason}.",
                hint="A line that cannot be put aside would be lost, so the load does not go on. Make room there.",
            ) from None
