"""How far files have been read."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.bulk import scout
from airflow_provider_mics.bulk.body import PartBody
from airflow_provider_mics.bulk.files import local_files
from airflow_provider_mics.bulk.parts import plan_parts
from airflow_provider_mics.bulk.planning import plan_load
from airflow_provider_mics.cli.checking import Check
from airflow_provider_mics.cli.progress import WatchedFile
from airflow_provider_mics.cli.screen import Screen
from airflow_provider_mics.cli.sending import SentFile, sending
from tests.unit.bulk.memory_file import MemoryFile
from tests.unit.cli.commands import BAD, GOOD, HEADER, SEGMENT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airflow_provider_mics.bulk.files import SourceFile

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


def test_a_large_file_is_still_checked_by_two_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scouts: list[int] = []

    class Seen(scout.Scout):
        def __init__(self, descriptor: int, size: int, document_type: str) -> None:
            scouts.append(size)
            super().__init__(descriptor, size, document_type)

    monkeypatch.setattr(scout, "MIN_FILE_BYTES", 1)
    monkeypatch.setattr(scout, "_processors", lambda: 2)
    monkeypatch.setattr(scout, "Scout", Seen)
    (tmp_path / "a.ndjson").write_bytes(CONTENT)
    (file,) = local_files([str(tmp_path / "a.ndjson")])
    steps: list[int] = []
    check = Check(document_type="USER_PROFILE", mime_type=MimeType.NDJSON, max_part_bytes=95_000_000)

    report = check.report(WatchedFile(file, steps.append))

    assert scouts == [len(CONTENT)]
    assert report.good == 20_000
    assert sum(steps) == len(CONTENT)


def test_csv_is_read_to_be_planned_up_to_its_last_part() -> None:
    content = HEADER + SEGMENT * 200_000
    steps: list[int] = []
    file = WatchedFile(MemoryFile(content), steps.append)
    *_, last = plan_parts(file, mime_type=MimeType.CSV, max_part_bytes=500_000)
    # It is told of each MiB.
    assert len(content) - last.size - 1024 * 1024 <= sum(steps) <= len(content)


def test_it_is_otherwise_the_file() -> None:
    file = MemoryFile(CONTENT)
    watched = WatchedFile(file, lambda _: None)
    assert (watched.name, watched.size, watched.version) == (file.name, file.size, file.version)
    assert watched.read_range(3, 9) == CONTENT[3:9]
    file.content = b""
    with pytest.raises(Exception, match="changed"):
        watched.check_unchanged()


class Watched(Screen):
    """A screen that somebody watches, and what is written aside."""

    shows_progress = True

    def __init__(self) -> None:
        super().__init__(io.StringIO())
        self.written = io.StringIO()
        self.aside = Console(file=self.written, force_terminal=True, width=120)


def sent(screen: Screen, files: Sequence[SourceFile], block: int = 1000) -> None:
    """Read what a load sends of files."""
    with sending(plan_load(files, mime_type=MimeType.NDJSON, max_part_bytes=1_000_000), screen) as (parts, discard):
        for part, file in parts:
            body = PartBody(file, part)
            while body.read(block):
                pass
            body.close()
            discard(file)


def test_what_is_sent_moves_a_bar_of_bytes_and_lines() -> None:
    screen = Watched()
    sent(screen, [MemoryFile(CONTENT)])
    assert "20,000 lines" in screen.written.getvalue()
    assert f"{len(CONTENT) / 1e6:.1f}/{len(CONTENT) / 1e6:.1f} MB" in screen.written.getvalue()


def test_what_is_compressed_has_no_end_before_it_comes() -> None:
    screen = Watched()
    sent(screen, [MemoryFile(gzip.compress(CONTENT))])
    assert "20,000 lines" in screen.written.getvalue()
    assert f"{len(CONTENT) / 1e6:.1f}/?" in screen.written.getvalue()


def test_what_is_sent_again_is_counted_once() -> None:
    total = [0, 0]

    def move(size: int, lines: int) -> None:
        total[0] += size
        total[1] += lines

    file = SentFile(MemoryFile(GOOD * 10), move)
    first = file.open()
    first.read(len(GOOD) * 4)
    assert total == [len(GOOD) * 4, 4]
    second = file.open()
    while second.read(100):
        pass
    second.close()
    first.close()
    assert total == [len(GOOD) * 10, 10]
    assert file.read_range(0, 5) == GOOD[:5]
