"""A file of 4 GB, planned, checked and uploaded, in little memory. Needs 10 GB of disk and a few minutes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.sandbox import Sandbox
from devel.crm_export import write_large_profiles

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.huge

MEGABYTE = 1024 * 1024
COPIES = 80
NEEDED_BYTES = 14_000_000_000

LOADER = """
import json, sys
from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.bulk.upload import Uploader
from airflow_provider_mics.operators._sending import FileLoad, send_files

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

small, large, parallel_uploads = sys.argv[1:]
hook = MicsHook()
document_import = hook.create_document_import(document_type="USER_PROFILE", name="large")
make = lambda: Uploader(hook.client, hook.datamart_id, document_import)
how = {"max_part_bytes": 95_000_000, "parallel_uploads": int(parallel_uploads)}
send_files(make(), document_import, FileLoad(path=small, **how))
before = peak()
sent, _ = send_files(make(), document_import, FileLoad(path=large, **how))
print(json.dumps({"ids": [part.execution_id for part in sent], "lines": sum(part.lines for part in sent),
                  "growth": peak() - before}))
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """Write the file, and return it with its lines and hash."""
    folder = tmp_path_factory.mktemp("large")
    if shutil.disk_usage(folder).free < NEEDED_BYTES:
        # The sandbox keeps what it receives, so that it can be compared.
        pytest.skip(f"needs {NEEDED_BYTES / 1e9:.0f} GB of disk in {folder.parent}")
    piece = write_large_profiles(folder / "piece.ndjson", min_bytes=50_000_000)
    content = piece.path.read_bytes()
    digest = hashlib.sha256()
    path = folder / "large.ndjson"
    with path.open("wb") as file:
        for _ in range(COPIES):
            file.write(content)
            digest.update(content)
    return path, piece.lines * COPIES, digest.hexdigest()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("parallel_uploads", [1, 8])
def test_memory_does_not_grow_with_the_file(
    large: tuple[Path, int, str], tmp_path: Path, parallel_uploads: int
) -> None:
    path, lines, sha256 = large
    small = tmp_path / "small.ndjson"
    write_large_profiles(small, min_bytes=1_000_000)
    with Sandbox(folder=tmp_path) as sandbox:
        sandbox.settings.check_lines = False
        connection = {
            "conn_type": "mics",
            "host": sandbox.url,
            "password": sandbox.token,
            "extra": {"datamart_id": sandbox.datamart_id},
        }
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", LOADER, str(small), str(path), str(parallel_uploads)],
            env={**os.environ, "AIRFLOW_CONN_MICS_DEFAULT": json.dumps(connection)},
            capture_output=True,
            text=True,
            check=True,
        )
        loaded: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        digest = hashlib.sha256()
        for execution_id in loaded["ids"]:
            with sandbox.received(execution_id).open("rb") as received:
                while block := received.read(4 * MEGABYTE):
                    digest.update(block)

    assert loaded["lines"] == lines
    assert digest.hexdigest() == sha256
    size = path.stat().st_size
    sys.stdout.write(f"{size} bytes in {len(loaded['ids'])} parts: grew by {loaded['growth'] / MEGABYTE:.1f} MB\n")
    assert loaded["growth"] < 64 * MEGABYTE
