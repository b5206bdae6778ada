"""``airflow mics`` and files in an object store, whose provider logs what it does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from moto.server import ThreadedMotoServer

from benchmarks.imports import environment
from tests.unit.cli.commands import BAD, GOOD

if TYPE_CHECKING:
    from collections.abc import Iterator

AIRFLOW: Final = str(Path(sys.executable).with_name("airflow"))
REGION: Final = "eu-west-3"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str) -> Any:
    s3 = boto3.resource(
        "s3", endpoint_url=endpoint, aws_access_key_id="key", aws_secret_access_key="secret", region_name=REGION
    )
    bucket = s3.Bucket("crm-cli")
    # All servers of this process share their buckets.
    if bucket.creation_date is None:
        bucket.create(CreateBucketConfiguration={"LocationConstraint": REGION})
    return bucket


def test_objects_are_checked_and_bad_lines_put_there(endpoint: str, bucket: Any, tmp_path: Path) -> None:
    bucket.put_object(Key="night/p-1.ndjson", Body=GOOD * 100)
    bucket.put_object(Key="night/p-2.ndjson", Body=GOOD + BAD)
    connection = {
        "conn_type": "aws",
        "login": "key",
        "password": "secret",
        "extra": {"endpoint_url": endpoint, "region_name": REGION},
    }
    command = [AIRFLOW, "mics", "validate", "s3://store@crm-cli/night/p-*.ndjson", "-t", "USER_PROFILE", "--json"]
    done = subprocess.run(  # noqa: S603
        [*command, "--dead-letter", "s3://store@crm-cli/bad.ndjson"],
        env={
            **environment(tmp_path),
            "AIRFLOW_CONN_STORE": json.dumps(connection),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////nowhere/airflow.db",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    # The provider's log lines are not in the document.
    found = json.loads(done.stdout)
    assert "[info" in done.stderr
    assert done.returncode == 1
    assert [(file["file"], file["good"], file["bad"]) for file in found["files"]] == [
        ("s3://store@crm-cli/night/p-1.ndjson", 100, 0),
        ("s3://store@crm-cli/night/p-2.ndjson", 1, 1),
    ]
    assert found["dead_letter"] == {"path": "s3://store@crm-cli/bad.ndjson", "lines": 1}
    assert json.loads(bucket.Object("bad.ndjson").get()["Body"].read())["content"] == BAD.decode()
