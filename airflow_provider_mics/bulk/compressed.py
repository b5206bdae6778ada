"""Compressed files, read as the stream that is in them.

The API is not known to take compressed bodies, so files are sent as what they hold.
"""

from __future__ import annotations

import bz2
import contextlib
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.bulk.files import Reader, SourceFile

_BLOCK: Final = 256 * 1024
#: What is given to zstd at a time: it gives back all there is in it, at most 128 KiB for each three bytes (RFC 8878
#: section 3.1.1.2).
_ZSTD_BLOCK: Final = 1024
#: Most bytes that a compressed byte may stand for. NDJSON shrinks some 10 to 20 times; what shrinks a thousand times
#: is a bomb, or no customer data.
MAX_RATIO: Final = 200
#: Bytes to which the ratio is not applied: a small file may be one line again and again.
_FREE_BYTES: Final = 64 * 1024 * 1024

_MAGIC: Final = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd"}
_ENDINGS: Final = {".gz": "gzip", ".bz2": "bzip2", ".zst": "zstd"}


def compression_of(file: SourceFile) -> str | None:
    """Return how a file is compressed: ``gzip``, ``bzip2``, ``zstd``, or None. Its content decides.

    :raises MicsInputError: Its name says that it is compressed, and it is not.
    """
    beginning = file.read_range(0, 4) if file.size else b""
    found = next((kind for magic, kind in _MAGIC.items() if beginning.startswith(magic)), None)
    said = _ENDINGS.get(PurePosixPath(file.name).suffix.lower())
    if said and not found and file.size:
        raise MicsInputError(
            f"{file.name} ends in {PurePosixPath(file.name).suffix}, but it is not compressed with {said}.",
            hint="Rename it, or look whether its export was broken off.",
        )
    return found


def plain_name(name: str) -> str:
    """Return the name of what is in a compressed file: without ``.gz``, ``.bz2`` or ``.zst``."""
    path = PurePosixPath(name)
    return name.removesuffix(path.suffix) if path.suffix.lower() in _ENDINGS else name


def decompressed(file: SourceFile, kind: str) -> Iterator[bytes]:
    """Give what is in a compressed file, in blocks.

    :param kind: What :func:`compression_of` has found.
    :raises MicsInputError: It is damaged, broken off, or grows more than :data:`MAX_RATIO` times.
    """
    file.check_unchanged()
    given = 0
    with contextlib.closing(file.open()) as reader:
        counting = _Counting(reader)
        try:
            for block in _BLOCKS[kind](counting):
                given += len(block)
                if given > _FREE_BYTES + MAX_RATIO * counting.bytes_read:
                    raise MicsInputError(
                        f"{file.name} holds more than {MAX_RATIO} times its size; it was not read further.",
                        hint="Decompress it before, if that is really what it holds.",
                    )
                yield block
        except (EOFError, zlib.error, OSError, _zstd_error()) as error:
            what = "is broken off" if isinstance(error, EOFError) else "is damaged"
            raise MicsInputError(
                f"{file.name} {what}, behind byte {given} of what it holds.", hint="Export it again."
            ) from None
    file.check_unchanged()


class _Counting:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.bytes_read = 0

    def read(self, size: int = -1) -> bytes:
        block = self._reader.read(_BLOCK if size < 0 else size)
        self.bytes_read += len(block)
        return block


def _gzip_blocks(reader: _Counting) -> Iterator[bytes]:
    data = reader.read(_BLOCK)
    while data:
        # A file may hold several members, one behind the other (RFC 1952 section 2.2).
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            if not data and not (data := reader.read(_BLOCK)):
                raise EOFError
            yield member.decompress(data, _BLOCK)
            data = member.unconsumed_tail
        data = member.unused_data or reader.read(_BLOCK)
        # Some tools fill a file up with zeros.
        if not data.strip(b"\0"):
            data = reader.read(_BLOCK).lstrip(b"\0")


def _bzip2_blocks(reader: _Counting) -> Iterator[bytes]:
    data = reader.read(_BLOCK)
    while data:
        stream = bz2.BZ2Decompressor()
        while not stream.eof:
            if stream.needs_input and not data and not (data := reader.read(_BLOCK)):
                raise EOFError
            yield stream.decompress(data, _BLOCK)
            data = b""
        data = stream.unused_data or reader.read(_BLOCK)


def _zstd_blocks(reader: _Counting) -> Iterator[bytes]:
    try:
        import zstandard
    except ImportError:
        raise MicsConfigurationError(
            "Reading zstd needs the package zstandard.", hint="pip install 'airflow-provider-mics[zstd]'"
        ) from None
    data = reader.read(_ZSTD_BLOCK)
    while data:
        frame = zstandard.ZstdDecompressor().decompressobj()
        while not frame.eof:
            if not data and not (data := reader.read(_ZSTD_BLOCK)):
                raise EOFError
            yield frame.decompress(data)
            data = b""
        data = frame.unused_data or reader.read(_ZSTD_BLOCK)


def _zstd_error() -> type[Exception]:
    try:
        import zstandard
    except ImportError:
        return EOFError
    error: type[Exception] = zstandard.ZstdError
    return error


_BLOCKS: Final[dict[str, Any]] = {"gzip": _gzip_blocks, "bzip2": _bzip2_blocks, "zstd": _zstd_blocks}
