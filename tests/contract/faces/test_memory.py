"""Memory of a process that loads a large file."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from devel.crm_export import write_large_profiles
from tests.contract.faces.test_upload import create

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.faces.conftest import Night

MEGABYTE = 1024 * 1024

#: Loads a small file, so that all that is needed is imported and connected, then the large one.
LOADER = """
import json, sys
from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.bulk.upload import Uploader
from airflow_provider_mics.operators._sending import FileLoad, send_files

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

document_import_id, small, large, preflight = sys.argv[1:]
hook = MicsHook()
document_import = hook.get_document_import(document_import_id)
make = lambda: Uploader(hook.client, hook.datamart_id, document_import)
how = {"max_part_bytes": 95_000_000, "parallel_uploads": 2, "preflight": preflight}
send_files(make(), document_import, FileLoad(path=small, **how))
before = peak()
sent, _ = send_files(make(), document_import, FileLoad(path=large, **how))
print(json.dumps({"ids": [part.execution_id for part in sent], "lines": sum(part.lines for part in sent),
                  "growth": peak() - before}))
"""


@pytest.fixture
def quick(sandbox: Sandbox) -> None:
    sandbox.settings.check_lines = False


def load(*arguments: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", LOADER, *arguments], capture_output=True, text=True, check=True)  # noqa: S603
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("preflight", ["fail", "off"])
def test_a_file_of_260_mb_goes_up_as_three_parts_in_little_memory(
    sandbox: Sandbox, night: Night, tmp_path: Path, preflight: str
) -> None:
    small = tmp_path / "small.ndjson"
    write_large_profiles(small, min_bytes=100_000)
    large = tmp_path / "large.ndjson"
    written = write_large_profiles(large, min_bytes=260_000_000)

    loaded = load(create(night), str(small), str(large), preflight)

    assert len(loaded["ids"]) == 3
    assert loaded["lines"] == written.lines
    assert loaded["growth"] < 64 * MEGABYTE
    with large.open("rb") as source:
        for execution_id in loaded["ids"]:
            with sandbox.received(execution_id).open("rb") as received:
                while block := received.read(4 * MEGABYTE):
                    assert block == source.read(len(block))
        assert source.read(1) == b""
