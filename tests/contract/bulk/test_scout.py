"""A second process that checks lines ahead: nothing that is found depends on it, and it never outlives its task."""

from __future__ import annotations

import logging
import os
import re
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_mics.bulk import preflight, scout, scouting
from airflow_provider_mics.bulk.cutting import GRID
from airflow_provider_mics.bulk.dead_letters import DeadLetters
from airflow_provider_mics.bulk.files import LocalFile
from airflow_provider_mics.bulk.findings import Findings
from airflow_provider_mics.bulk.scout import Scout, scouting_of
from airflow_provider_mics.cli.progress import WatchedFile
from tests.unit.bulk.memory_file import MemoryFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.bulk.parts import Part

GOOD = (
    b'{"operation":"UPSERT","compartment_id":"1201","user_account_id":"crm-77",'
    b'"user_profile":{"city":"Besan\xc3\xa7on"}}'
)
LINES = (
    GOOD,
    GOOD.replace(b"crm-77", b"crm-78 and some more"),
    b'{"operation":"UPSERT","email_hash":"3f2a","user_profile":{}}',
    b'{"operation":"DELETE","user_account_id":"crm-77"}',
    GOOD.replace(b"Besan", b"B" * 15_000),
    GOOD.replace(b"Besan", b"B" * 300_000),
    GOOD + b"\r",
    b"",
    b"[",
    GOOD.replace(b"UPSERT", b"MERGE"),
    GOOD.replace(b"\xc3", b"\xff"),
)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let local files of any size have a scout, which is asked for a few blocks at a time."""
    monkeypatch.setattr(scout, "MIN_FILE_BYTES", 0)
    monkeypatch.setattr(scout, "MIN_PART_BYTES", 0)
    monkeypatch.setattr(scout, "_STRETCH", 2 * GRID)
    monkeypatch.setattr(scout, "_processors", lambda: 2)


def checked(path: Path, max_part_bytes: int, aside: Path) -> tuple[list[Part], tuple[Any, ...], bytes]:
    """Check and cut a file, and return all there is to know of it."""
    used_counts = {7}
    with DeadLetters(str(aside), lambda: aside.open("wb")) as dead_letters:
        findings = Findings(dead_letters)
        how = preflight.Cut(
            document_type="USER_PROFILE",
            mime_type="APPLICATION_X_NDJSON",
            max_part_bytes=max_part_bytes,
            used_counts=used_counts,
        )
        parts = preflight.cut_checked(LocalFile(path), findings, how)
    counts = (findings.good, findings.bad, findings.blank, findings.deletions, findings.told, used_counts)
    return list(parts), counts, aside.read_bytes() if findings.bad else b""


@pytest.mark.usefixtures("eager")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(LINES), st.integers(1, 3000)), min_size=1, max_size=12),
    st.sampled_from([50_000, 200_000, 400_000, 95_000_000]),
    st.booleans(),
)
def test_what_is_found_does_not_depend_on_the_scout(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[bytes, int]], max_part_bytes: int, ends: bool
) -> None:
    folder = tmp_path_factory.mktemp("scout")
    path = folder / "a.ndjson"
    # Long lines a few times only, so that files stay within some megabytes.
    lines = [line for line, count in runs for _ in range(count if len(line) < 1000 else count % 4)]
    path.write_bytes(b"\n".join(lines) + (b"\n" if ends else b""))

    together = checked(path, max_part_bytes, folder / "together")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scout, "_processors", lambda: 1)
        alone = checked(path, max_part_bytes, folder / "alone")

    assert together == alone


def large(path: Path, lines: int = 60_000) -> Path:
    path.write_bytes((GOOD + b"\n") * lines)
    return path


def inheritable_socket() -> socket.socket:
    inheritable = socket.socket()
    os.set_inheritable(inheritable.fileno(), True)
    return inheritable


@pytest.fixture
def at_work(tmp_path: Path, eager: None) -> Iterator[Scout]:
    path = large(tmp_path / "a.ndjson")
    with (
        # As the channel to Airflow's supervisor may be.
        inheritable_socket(),
        scouting_of(LocalFile(path), "USER_PROFILE", max_part_bytes=95_000_000) as found,
    ):
        assert found is not None
        # Begun in order: the first stretch is for who asks, the next ones are for the scout.
        assert found.good_block(0) is None
        yield found


def test_a_scout_inherits_nothing_but_the_file_and_its_connection(at_work: Scout) -> None:
    # It has answered, and so it has begun.
    at_work._connection.poll(None)
    targets = [str(link.readlink()) for link in Path(f"/proc/{at_work._process.pid}/fd").iterdir()]

    assert sorted(target for target in targets if target != "/dev/null") == [
        next(target for target in targets if target.endswith("a.ndjson")),
        next(target for target in targets if target.startswith("socket:")),
    ]


def test_a_scout_imports_no_airflow_and_no_http() -> None:
    code = f"import sys, {scouting.__name__}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded.isdisjoint({"airflow", "requests", "urllib3", "aiohttp", "pydantic", "pendulum", "fsspec", "asyncio"})


def test_a_scout_takes_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scout, "_processors", lambda: 2)
    path = large(tmp_path / "a.ndjson", 1_000_000)
    with scouting_of(LocalFile(path), "USER_PROFILE", max_part_bytes=95_000_000) as found:
        assert found
        for offset in range(0, path.stat().st_size, GRID):
            found.good_block(offset)
        status = Path(f"/proc/{found._process.pid}/status").read_text()

    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    # Python itself has a third of it.
    assert int(peak) < 40 * 1024


def test_a_scout_that_is_killed_changes_nothing(tmp_path: Path, at_work: Scout) -> None:
    at_work._process.kill()
    at_work._process.wait()

    # Whatever it has answered before it died, and what nobody has, which is left to who asks.
    blocks = [at_work.good_block(offset) for offset in range(0, 5 * GRID, len(GOOD) + 1)]

    assert all(block is None or block.lines * (len(GOOD) + 1) == block.length for block in blocks)
    whole = checked(tmp_path / "a.ndjson", 1_000_000, tmp_path / "bad")
    assert whole[1][:2] == (60_000, 0)


def test_a_scout_that_hangs_changes_nothing(tmp_path: Path, eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scout, "_LONGEST_WAIT_S", 0.01)
    path = large(tmp_path / "a.ndjson")
    with scouting_of(LocalFile(path), "USER_PROFILE", max_part_bytes=95_000_000) as found:
        assert found
        found._process.send_signal(signal.SIGSTOP)
        position = 0
        while position < path.stat().st_size:
            block = found.good_block(position)
            position += block.length if block else GRID // (len(GOOD) + 1) * (len(GOOD) + 1)

        assert found._process.poll() is not None


def test_a_scout_ends_with_its_work(at_work: Scout) -> None:
    at_work.close()
    at_work.close()

    assert at_work._process.poll() is not None


def test_a_scout_is_given_up_where_most_lines_are_bad(tmp_path: Path, eager: None) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(b'{"operation":"MERGE"}\n' * 600_000)
    with scouting_of(LocalFile(path), "USER_PROFILE", max_part_bytes=95_000_000) as found:
        assert found
        position = 0
        while position < path.stat().st_size:
            assert found.good_block(position) is None
            position += GRID // 22 * 22
        assert found._process.poll() is not None


def test_without_another_process_one_does_it_all(
    tmp_path: Path, eager: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    path = large(tmp_path / "a.ndjson")

    with caplog.at_level(logging.INFO):
        parts, counts, _ = checked(path, 1_000_000, tmp_path / "bad")

    assert "another cannot be started" in caplog.text
    assert counts[:2] == (60_000, 0)
    assert sum(part.lines or 0 for part in parts) == 60_000


def test_a_scout_dies_with_its_worker(tmp_path: Path) -> None:
    path = large(tmp_path / "a.ndjson")
    worker = """
import sys
from pathlib import Path
from airflow_provider_mics.bulk import scout
from airflow_provider_mics.bulk.files import LocalFile
scout.MIN_FILE_BYTES = 0
scout._processors = lambda: 2
with scout.scouting_of(LocalFile(Path(sys.argv[1])), "USER_PROFILE", max_part_bytes=95_000_000) as found:
    print(found._process.pid, flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", worker, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        child = os.pidfd_open(int(process.stdout.readline()))
        process.send_signal(signal.SIGKILL)

    try:
        # Readable when it has ended.
        assert select.select([child], [], [], 60)[0]
    finally:
        os.close(child)


@pytest.mark.usefixtures("eager")
def test_only_files_of_this_machine_have_a_scout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    how: dict[str, Any] = {"document_type": "USER_PROFILE", "max_part_bytes": 95_000_000}
    path = large(tmp_path / "a.ndjson", 10)

    with scouting_of(MemoryFile(path.read_bytes()), **how) as found:
        assert found is None
    with scouting_of(LocalFile(path), **how) as found:
        assert found is not None
    # With a bar before it on the screen, too.
    with scouting_of(WatchedFile(LocalFile(path), lambda _: None), **how) as found:
        assert found is not None
    with scouting_of(WatchedFile(MemoryFile(path.read_bytes()), lambda _: None), **how) as found:
        assert found is None
    monkeypatch.setattr(scout, "_processors", lambda: 1)
    with scouting_of(LocalFile(path), **how) as found:
        assert found is None
