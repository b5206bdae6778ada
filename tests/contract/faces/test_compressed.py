"""Compressed files, sent as what they hold."""

from __future__ import annotations

import bz2
import gzip
from typing import TYPE_CHECKING

import pytest
import zstandard

from airflow_provider_mics.exceptions import MicsInputError, MicsUploadError
from tests.contract.faces.conftest import Night, profile
from tests.contract.faces.test_planned_parts import plan
from tests.contract.faces.test_upload import create, received, upload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_provider_mics.sandbox import Sandbox

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_parts_are_what_is_in_the_file(sandbox: Sandbox, night: Night, ending: str, mark: bytes) -> None:
    content = b"".join(profile(number) + b"\n" for number in range(3000))
    path = night.folder / f"a.ndjson.{ending}"
    path.write_bytes(COMPRESS[ending](mark + content))

    execution_ids = upload(night, create(night), str(path), max_part_bytes=100_000, parallel_uploads=3)

    bodies = [received(sandbox, execution_id) for execution_id in execution_ids]
    assert b"".join(bodies) == content
    assert all(len(body) <= 100_000 for body in bodies)
    assert sum(part["lines"] for part in night.ti.xcoms["mics_parts"]) == 3000
    assert path.exists()


def test_parts_of_compressed_csv_repeat_the_header(sandbox: Sandbox, night: Night) -> None:
    header = b"OPERATION,USER_ACCOUNT_ID,SEGMENT_ID,EXPIRATION_DURATION,DATA_BAG\n"
    records = b"".join(b'UPDATE,%d,9001,0,"{""a"":\n%d}"\n' % (number, number) for number in range(2000))
    path = night.folder / "vip.csv.gz"
    path.write_bytes(gzip.compress(header + records))

    execution_ids = upload(night, create(night, "USER_SEGMENT", "TEXT_CSV"), str(path), max_part_bytes=20_000)

    bodies = [received(sandbox, execution_id) for execution_id in execution_ids]
    assert all(body.startswith(header) and len(body) <= 20_000 for body in bodies)
    assert b"".join(body.removeprefix(header) for body in bodies) == records
    assert sum(part["lines"] for part in night.ti.xcoms["mics_parts"]) == 2000


def test_files_of_both_kinds_keep_their_order(sandbox: Sandbox, night: Night) -> None:
    (night.folder / "2.ndjson.gz").write_bytes(gzip.compress(profile(2) + b"\n"))
    for number in (1, 3):
        night.file(f"{number}.ndjson", profile(number))

    execution_ids = upload(night, create(night), f"{night.folder}/*.ndjson*", parallel_uploads=1)

    assert [received(sandbox, execution_id) for execution_id in execution_ids] == [
        profile(number) + b"\n" for number in (1, 2, 3)
    ]


def test_the_parts_are_gone_from_disk_afterwards(
    sandbox: Sandbox, night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spools))
    content = b"".join(profile(number) + b"\n" for number in range(500))
    (night.folder / "a.ndjson.gz").write_bytes(gzip.compress(content))
    (night.folder / "b.ndjson.gz").write_bytes(gzip.compress(content)[:-50])
    document_import_id = create(night)

    upload(night, document_import_id, f"{night.folder}/a.ndjson.gz", max_part_bytes=20_000)
    with pytest.raises(MicsInputError, match=r"b\.ndjson\.gz is broken off"):
        upload(night, document_import_id, f"{night.folder}/b.ndjson.gz", max_part_bytes=20_000)
    before = len(sandbox.executions)
    with pytest.raises(
        MicsUploadError, match=r"b\.ndjson\.gz is broken off.* [1-9] parts? before (is|are) in, as execution"
    ):
        upload(night, document_import_id, f"{night.folder}/b.ndjson.gz", max_part_bytes=20_000, preflight="off")

    assert len(sandbox.executions) > before == len(night.ti.xcoms["mics_parts"])
    assert list(spools.iterdir()) == []


def test_a_compressed_file_has_no_parts_for_many_workers(sandbox: Sandbox, night: Night) -> None:
    (night.folder / "a.ndjson.gz").write_bytes(gzip.compress(profile(1)))

    with pytest.raises(MicsInputError, match="cannot be read in ranges"):
        plan(night, f"{night.folder}/a.ndjson.gz")
