"""How far files have been read."""

from __future__ import annotations

import gzip

import pytest

from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.bulk.parts import plan_parts
from airflow_provider_mics.cli.checking import Check
from airflow_provider_mics.cli.progress import WatchedFile
from tests.unit.bulk.memory_file import MemoryFile
from tests.unit.cli.commands import BAD, GOOD, HEADER, SEGMENT

CONTENT = GOOD * 20_000


def check(file: WatchedFile, mime_type: str = MimeType.NDJSON) -> None:
    document_type = "USER_SEGMENT" if mime_type == MimeType.CSV else "USER_PROFILE"
    Check(document_type=document_type, mime_type=mime_type, max_part_bytes=1_000_000).report(file)


@pytest.mark.parametrize("content", [CONTENT, CONTENT + BAD, GOOD, gzip.compress(CONTENT), b"\xef\xbb\xbf" + CONTENT])
def test_a_checked_file_is_read_to_its_end_and_counted_once(content: bytes) -> None:
    steps: list[int] = []
    check(WatchedFile(MemoryFile(content), steps.append))
    assert sum(steps) == len(content)
    assert min(steps) > 0


def test_the_bar_is_not_moved_at_every_read() -> None:
    steps: list[int] = []
    check(WatchedFile(MemoryFile(CONTENT), steps.append))
    assert 2 < len(steps) <= len(CONTENT) / 1024 / 1024 + 1


def test_csv_is_read_to_be_planned() -> None:
    content = HEADER + SEGMENT * 100_000
    steps: list[int] = []
    plan_parts(WatchedFile(MemoryFile(content), steps.append), mime_type=MimeType.CSV, max_part_bytes=500_000)
    assert sum(steps) == len(content)


def test_it_is_otherwise_the_file() -> None:
    file = MemoryFile(CONTENT)
    watched = WatchedFile(file, lambda _: None)
    assert (watched.name, watched.size, watched.version) == (file.name, file.size, file.version)
    assert watched.read_range(3, 9) == CONTENT[3:9]
    file.content = b""
    with pytest.raises(Exception, match="changed"):
        watched.check_unchanged()
