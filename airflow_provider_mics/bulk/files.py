"""Files to load, local or in object storage, read in byte ranges."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from airflow_provider_mics.exceptions import MicsSourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsspec import AbstractFileSystem

#: Bytes fetched from object storage at a time: large enough that the round trips do not show.
_REMOTE_BLOCK_SIZE: Final = 8 * 1024 * 1024


class Reader(Protocol):
    """An open file."""

    def seek(self, offset: int, /) -> object:
        """Go to a byte offset from the start."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes, none at the end of the file."""

    def close(self) -> None:
        """Close it."""


class SourceFile(Protocol):
    """A file as it was when it was first looked at."""

    @property
    def name(self) -> str:
        """The path or URI, for messages."""

    @property
    def size(self) -> int:
        """Size in bytes."""

    @property
    def version(self) -> tuple[str, ...]:
        """What tells this state of the file from others, comparable on any machine that reads it."""

    def open(self) -> Reader:
        """Open it anew, independent of other readers."""

    def read_range(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to before ``end``."""

    def check_unchanged(self) -> None:
        """Raise :class:`MicsSourceError` if it is no longer the file that was first looked at."""


class LocalFile:
    """A file of this machine.

    :raises MicsSourceError: It does not exist, is no regular file, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)
        try:
            if path.is_dir():
                raise MicsSourceError(
                    f"{path} is a directory.", hint=f"Name its files, for example with a pattern: {path}/*.ndjson"
                )
            if not path.is_file():
                raise _missing(self.name) if not path.exists() else MicsSourceError(f"{path} is not a regular file.")
            self.open().close()
            status = path.stat()
        except OSError as error:
            raise _unreadable(self.name, error) from None
        self.size = status.st_size
        self.version = _version_of_status(status)

    def open(self) -> Reader:
        """Open it anew, without a buffer: it is read in large blocks."""
        try:
            return self._path.open("rb", buffering=0)
        except OSError as error:
            raise _unreadable(self.name, error) from None

    def read_range(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to before ``end``."""
        try:
            with self._path.open("rb", buffering=0) as file:
                return os.pread(file.fileno(), end - start, start)
        except OSError as error:
            raise _unreadable(self.name, error) from None

    def check_unchanged(self) -> None:
        """Raise :class:`MicsSourceError` if size, time of change or inode are not what they were."""
        try:
            now = self._path.stat()
        except OSError as error:
            raise _unreadable(self.name, error) from None
        if _version_of_status(now) != self.version:
            raise changed(self.name)


class RemoteFile:
    """A file of an object store, reached through fsspec.

    :param filesystem: With the credentials to read it.
    :param path: As the file system names it.
    :param name: As the user names it.
    """

    def __init__(self, filesystem: AbstractFileSystem, path: str, name: str) -> None:
        self._filesystem = filesystem
        self._path = path
        self.name = name
        info = self._look()
        if info.get("type") == "directory":
            raise MicsSourceError(
                f"{name} is a directory.", hint=f"Name its files, for example with a pattern: {name.rstrip('/')}/*"
            )
        self.size = int(info["size"])
        self.version = _version_of(info)

    def open(self) -> Reader:
        """Open it anew; blocks are fetched ahead as it is read on."""
        try:
            reader: Reader = self._filesystem.open(
                self._path, "rb", block_size=_REMOTE_BLOCK_SIZE, cache_type="readahead"
            )
        except Exception as error:  # noqa: BLE001 - every store raises its own kind
            raise _unreadable(self.name, error) from None
        return _RemoteReader(reader, self)

    def read_range(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to before ``end``, in one request."""
        try:
            return bytes(self._filesystem.cat_file(self._path, start=start, end=end))
        except Exception as error:  # noqa: BLE001 - every store raises its own kind
            raise _unreadable(self.name, error) from None

    def check_unchanged(self) -> None:
        """Raise :class:`MicsSourceError` if size, ETag, version or time of change are not what they were."""
        if _version_of(self._look()) != self.version:
            raise changed(self.name)

    def _look(self) -> dict[str, Any]:
        try:
            # The file system answers from its listings otherwise, and a change would not show.
            self._filesystem.invalidate_cache()
            return dict(self._filesystem.info(self._path))
        except FileNotFoundError:
            raise _missing(self.name) from None
        except Exception as error:  # noqa: BLE001 - every store raises its own kind
            raise _unreadable(self.name, error) from None


class _RemoteReader:
    """A reader that raises our errors: urllib3 takes an ``OSError`` out of a body for one of its connection."""

    def __init__(self, reader: Reader, file: RemoteFile) -> None:
        self._reader = reader
        self._file = file

    def seek(self, offset: int) -> None:
        self._reader.seek(offset)

    def read(self, size: int) -> bytes:
        try:
            return self._reader.read(size)
        except Exception as error:  # noqa: BLE001 - every store raises its own kind
            # Some stores themselves refuse to go on with another version than the one that was opened.
            self._file.check_unchanged()
            raise _unreadable(self._file.name, error) from None

    def close(self) -> None:
        self._reader.close()


def local_files(paths: Sequence[str]) -> list[SourceFile]:
    """Return the local files that the paths name, in order, those of a pattern by name.

    A pattern may match nothing; a path without a wildcard must exist.
    """
    files: list[SourceFile] = []
    for path in paths:
        if has_wildcard(path) and not Path(path).exists():
            # ``Path.glob`` has no absolute patterns before Python 3.13.
            anchor = Path(path).anchor or "."
            matches = sorted(Path(anchor).glob(os.path.relpath(path, anchor)))
            files.extend(LocalFile(match) for match in matches if match.is_file())
        else:
            files.append(LocalFile(Path(path)))
    return files


def has_wildcard(path: str) -> bool:
    """Return whether a path is a pattern for several files."""
    return any(character in path for character in "*?[")


def changed(name: str) -> MicsSourceError:
    """Return the error for a file that is not what it was when the load began."""
    return MicsSourceError(
        f"{name} changed while it was being loaded.",
        hint="Nothing more of it was sent. Load it when whoever writes it is done, for example under its final name.",
    )


def _missing(name: str) -> MicsSourceError:
    return MicsSourceError(f"{name} does not exist.", hint="Check the path, and that the export before it has run.")


def _unreadable(name: str, error: BaseException) -> MicsSourceError:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return MicsSourceError(f"{name} cannot be read: {reason}.")


def _version_of_status(status: os.stat_result) -> tuple[str, ...]:
    return (f"size={status.st_size}", f"mtime_ns={status.st_mtime_ns}", f"inode={status.st_ino}")


def _version_of(info: dict[str, Any]) -> tuple[str, ...]:
    names = ("size", "ETag", "etag", "VersionId", "version_id", "mtime", "LastModified", "last_modified", "updated")
    return tuple(f"{name}={info[name]}" for name in names if info.get(name) is not None)
