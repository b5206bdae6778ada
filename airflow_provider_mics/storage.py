"""Finding the files that a task names, on this machine and in object storage, and writing those that it makes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import unquote, urlsplit

from airflow_provider_mics.bulk.files import RemoteFile, has_wildcard, local_files
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsSourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.bulk.files import SourceFile

#: What Airflow reads a store with, by the scheme of its URIs:
#: https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/objectstorage.html
_PACKAGES: Final = {
    "s3": "apache-airflow-providers-amazon[s3fs]",
    "gs": "apache-airflow-providers-google",
    "abfs": "apache-airflow-providers-microsoft-azure",
}


def find_files(path: Any) -> list[SourceFile]:
    """Return the files that ``path`` names, in order, those of a pattern by name.

    :param path: A path, a pattern (``*``, ``?``, ``[...]``, ``**``), a URI of an object store (``s3://``, ``gs://``,
        ``file://``..., a pattern too, with the Airflow connection before an ``@`` as in ``s3://conn@bucket/key``), or
        a list of these.
    :raises MicsSourceError: A path without a wildcard does not exist, is a directory, or cannot be read.
    """
    return [file for name in _names(path) for file in _find(name)]


def open_for_writing(path: str) -> BinaryIO:
    """Open a file to write personal data to; what is there is replaced.

    :param path: A path, whose file is made readable by this user only, or a URI of an object store.
    :raises MicsSourceError: It cannot be opened.
    """
    parts = urlsplit(path)
    try:
        if "://" in path and parts.scheme != "file":
            from airflow.providers.common.compat.sdk import ObjectStoragePath

            opened: BinaryIO = ObjectStoragePath(path).open("wb")
            return opened
        local = Path(unquote(parts.path) if "://" in path else path)
        local.parent.mkdir(parents=True, exist_ok=True)
        # Made anew, so that the mode holds for a file that was there before too.
        local.unlink(missing_ok=True)
        return os.fdopen(os.open(local, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except Exception as error:  # noqa: BLE001 - every store raises its own kind
        reason = getattr(error, "strerror", None) or type(error).__name__
        shown = _without_query(path)
        raise _not_installed(shown, error) or MicsSourceError(f"{shown} cannot be written: {reason}.") from None


def _find(name: str) -> list[SourceFile]:
    if "://" not in name:
        return local_files([name])
    parts = urlsplit(name)
    if parts.scheme == "file":
        return local_files([unquote(parts.path)])
    return list(_remote_files(name))


def _remote_files(uri: str) -> Iterator[SourceFile]:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    shown = _without_query(uri)
    try:
        path = ObjectStoragePath(uri)
        filesystem = path.fs
        matches = sorted(filesystem.glob(path.path)) if has_wildcard(path.path) else [path.path]
    except Exception as error:  # noqa: BLE001 - every store raises its own kind
        raise _not_installed(shown, error) or MicsSourceError(
            f"{shown} cannot be reached: {type(error).__name__}.",
            hint="Check the URI, and the Airflow connection that it names before an @.",
        ) from None
    # The connection stays in the name: other workers find the file by it.
    scheme, _, rest = shown.partition("://")
    connection = f"{path.conn_id}@" if path.conn_id and rest.startswith(f"{path.conn_id}@") else ""
    for match in matches:
        name = shown if match == path.path else f"{scheme}://{connection}{str(match).lstrip('/')}"
        yield RemoteFile(filesystem, match, name)


def _not_installed(uri: str, error: Exception) -> MicsSourceError | None:
    """Return what to say where the error is that a store's package is not installed, or only without an extra."""
    from airflow.sdk.io import has_fs

    scheme = urlsplit(uri).scheme
    if "://" not in uri or (has_fs(scheme) and not isinstance(error, ImportError)):
        return None
    package = _PACKAGES.get(scheme)
    return MicsSourceError(
        f"{uri} cannot be reached: no package for {scheme}:// is installed.",
        hint=f"pip install '{package}'" if package else "Install the Airflow provider of that store.",
    )


def _without_query(uri: str) -> str:
    """Return the URI without what may carry a signature."""
    return uri.partition("?")[0] if "sig" in uri.partition("?")[2].lower() else uri


def _names(path: Any) -> Iterator[str]:
    if isinstance(path, str | os.PathLike):
        text = os.fspath(path)
        if not isinstance(text, str) or not text.strip():
            raise MicsConfigurationError("path is empty.", hint="Name a file, a pattern, or a URI.")
        yield text
    elif hasattr(path, "__iter__") and not isinstance(path, bytes | dict):
        for item in path:
            yield from _names(item)
    else:
        raise MicsConfigurationError(f"path must be a path or a list of paths, not {type(path).__name__}.")
