"""A source file that is bytes in memory, and shows what was read of it."""

from __future__ import annotations

import io

from airflow_provider_mics.bulk.files import Reader, changed


class MemoryFile:
    def __init__(self, content: bytes, name: str = "file.ndjson") -> None:
        self.content = content
        self.name = name
        self.size = len(content)
        self.ranges_read: list[tuple[int, int]] = []
        self.version = (str(hash(content)),)

    def open(self) -> Reader:
        return io.BytesIO(self.content)

    def read_range(self, start: int, end: int) -> bytes:
        self.ranges_read.append((start, end))
        return self.content[start:end]

    def check_unchanged(self) -> None:
        if (str(hash(self.content)),) != self.version:
            raise changed(self.name)

    def part(self, ranges: tuple[tuple[int, int], ...]) -> bytes:
        return b"".join(self.content[offset : offset + length] for offset, length in ranges)
