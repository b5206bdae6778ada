"""Files in an object store: a server that speaks S3, reached through Airflow's own ObjectStoragePath."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.bulk.files import RemoteFile
from airflow_provider_mics.exceptions import MicsSourceError
from airflow_provider_mics.storage import find_files, open_for_writing
from tests.contract.conftest import BUCKET
from tests.contract.faces.conftest import Night, profile
from tests.contract.faces.test_planned_parts import plan, send
from tests.contract.faces.test_upload import create, received, upload

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_mics.bulk.files import Reader
    from airflow_provider_mics.sandbox import Sandbox


@pytest.mark.parametrize("where", ["s3://aws_default@", "s3://store@"])
def test_an_object_goes_up_in_parts(sandbox: Sandbox, night: Night, bucket: Any, where: str) -> None:
    content = b"".join(profile(number) + b"\n" for number in range(1000))
    bucket.put_object(Key="night/profiles.ndjson", Body=content)

    execution_ids = upload(
        night, create(night), f"{where}{BUCKET}/night/profiles.ndjson", max_part_bytes=50_000, parallel_uploads=3
    )

    assert len(execution_ids) == 4
    assert b"".join(received(sandbox, execution_id) for execution_id in execution_ids) == content


def test_a_pattern_gives_its_objects_by_name(sandbox: Sandbox, night: Night, bucket: Any) -> None:
    for number in (2, 1):
        bucket.put_object(Key=f"night/profiles-{number}.ndjson", Body=profile(number) + b"\n")
    bucket.put_object(Key="night/other.csv", Body=b"OPERATION\n")

    execution_ids = upload(night, create(night), f"s3://store@{BUCKET}/night/profiles-*.ndjson")

    assert [received(sandbox, execution_id) for execution_id in execution_ids] == [
        profile(1) + b"\n",
        profile(2) + b"\n",
    ]
    assert [part["file"] for part in night.ti.xcoms["mics_parts"]] == [
        f"s3://store@{BUCKET}/night/profiles-1.ndjson",
        f"s3://store@{BUCKET}/night/profiles-2.ndjson",
    ]


def test_a_pattern_may_match_nothing(bucket: Any) -> None:
    assert find_files(f"s3://store@{BUCKET}/night/*.ndjson") == []


@pytest.mark.parametrize(
    ("path", "said"), [("gone.ndjson", "does not exist"), ("night", "is a directory"), ("night/", "is a directory")]
)
def test_what_is_no_object_is_named(bucket: Any, path: str, said: str) -> None:
    bucket.put_object(Key="night/a.ndjson", Body=b"{}\n")

    with pytest.raises(MicsSourceError, match=rf"s3://store@{BUCKET}/{path} {said}"):
        find_files(f"s3://store@{BUCKET}/{path}")


def test_an_object_that_is_replaced_is_not_sent(bucket: Any) -> None:
    bucket.put_object(Key="a.ndjson", Body=b'{"a":1}\n')
    (file,) = find_files(f"s3://store@{BUCKET}/a.ndjson")
    file.check_unchanged()

    bucket.put_object(Key="a.ndjson", Body=b'{"a":2}\n')

    with pytest.raises(MicsSourceError, match="changed while it was being loaded"):
        file.check_unchanged()


class ReplacedMeanwhile:
    """Reads an object, and lets it be replaced once so many bytes of it were read."""

    def __init__(self, reader: Reader, after: int, replace: Callable[[], object]) -> None:
        self._reader = reader
        self._left = after
        self._replace = replace
        self.seek = reader.seek
        self.close = reader.close

    def read(self, size: int, /) -> bytes:
        block = self._reader.read(size)
        if self._left > 0 >= self._left - len(block):
            self._replace()
        self._left -= len(block)
        return block


#: Sizes beyond what is fetched ahead, so that both versions would be read.
OBJECT_BYTES = 3 * 8 * 1024 * 1024


@pytest.mark.parametrize("preflight", ["off", "fail"])
@pytest.mark.parametrize("after", [1, OBJECT_BYTES // 2, OBJECT_BYTES - 1000], ids=["start", "middle", "end"])
def test_an_object_that_is_replaced_while_it_is_sent_stops_the_load(
    sandbox: Sandbox, night: Night, bucket: Any, monkeypatch: pytest.MonkeyPatch, after: int, preflight: str
) -> None:
    line = profile(1) + b"\n"
    content = line * (OBJECT_BYTES // len(line))
    bucket.put_object(Key="a.ndjson", Body=content)
    opened = RemoteFile.open
    # With a check, the first reader is the check's.
    readers = iter([False, True] if preflight == "fail" else [True])

    def open_for_upload(file: RemoteFile) -> Reader:
        if not next(readers, False):
            return opened(file)
        return ReplacedMeanwhile(
            opened(file), after, lambda: bucket.put_object(Key="a.ndjson", Body=content.replace(b"Lyon", b"Metz"))
        )

    monkeypatch.setattr(RemoteFile, "open", open_for_upload)

    with pytest.raises(MicsSourceError, match=rf"s3://store@{BUCKET}/a\.ndjson changed while it was being loaded"):
        upload(night, create(night), f"s3://store@{BUCKET}/a.ndjson", preflight=preflight)

    assert not sandbox.executions
    assert next(readers, None) is None


@pytest.mark.parametrize("use", [find_files, open_for_writing])
@pytest.mark.parametrize(
    ("uri", "hint"),
    [
        ("abfs://container/a.ndjson", "pip install 'apache-airflow-providers-microsoft-azure'"),
        ("ftp://host/a.ndjson", "Install the Airflow provider of that store."),
    ],
)
def test_what_a_store_needs_to_be_installed_is_said(use: Callable[[str], object], uri: str, hint: str) -> None:
    with pytest.raises(MicsSourceError) as failed:
        use(uri)

    scheme = uri.partition(":")[0]
    assert str(failed.value) == f"{uri} cannot be reached: no package for {scheme}:// is installed. {hint}"


def test_so_is_the_extra_that_reads_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    # Airflow keeps the store of a connection: another test may have used those that have a name.
    monkeypatch.setenv("AIRFLOW_CONN_WITHOUT_EXTRA", '{"conn_type": "aws", "login": "key", "password": "secret"}')
    monkeypatch.setitem(sys.modules, "s3fs", None)

    with pytest.raises(MicsSourceError) as failed:
        find_files("s3://without_extra@crm/*.ndjson")

    assert str(failed.value).endswith("is installed. pip install 'apache-airflow-providers-amazon[s3fs]'")


def test_a_store_that_does_not_answer_is_an_error(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = {
        "conn_type": "aws",
        "login": "key",
        "password": "secret",
        "extra": {
            "endpoint_url": "http://127.0.0.1:9",
            "region_name": "eu-west-3",
            "config_kwargs": {"retries": {"max_attempts": 1}},
        },
    }
    monkeypatch.setenv("AIRFLOW_CONN_DOWN", json.dumps(connection))

    with pytest.raises(MicsSourceError, match=r"a\.ndjson cannot be r"):
        find_files(f"s3://down@{BUCKET}/a.ndjson")


def test_parts_of_an_object_are_found_again_by_other_workers(sandbox: Sandbox, night: Night, bucket: Any) -> None:
    content = b"".join(profile(number) + b"\n" for number in range(100))
    bucket.put_object(Key="night/profiles.ndjson", Body=content)
    parts = plan(night, f"s3://store@{BUCKET}/night/*.ndjson", max_part_bytes=10_000)
    document_import_id = create(night)

    execution_ids = [execution_id for part in parts for execution_id in send(night, document_import_id, part)]

    assert b"".join(received(sandbox, execution_id) for execution_id in execution_ids) == content
