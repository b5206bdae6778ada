"""An object store for all contract tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET: Final = "crm"
_REGION: Final = "eu-west-3"


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """Serve S3: one server, as Airflow keeps the store of a connection as long as the process lives."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def store_connection(endpoint: str) -> str:
    """Return an Airflow connection to the store, as JSON."""
    return json.dumps(
        {
            "conn_type": "aws",
            "login": "key",
            "password": "secret",
            "extra": {"endpoint_url": endpoint, "region_name": _REGION},
        }
    )


@pytest.fixture
def bucket(endpoint: str, store_connection: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return an empty bucket, which the connections ``aws_default`` and ``store`` reach."""
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", store_connection)
    monkeypatch.setenv("AIRFLOW_CONN_STORE", store_connection)
    s3 = boto3.resource(
        "s3", endpoint_url=endpoint, aws_access_key_id="key", aws_secret_access_key="secret", region_name=_REGION
    )
    bucket = s3.Bucket(BUCKET)
    if bucket.creation_date is None:
        bucket.create(CreateBucketConfiguration={"LocationConstraint": _REGION})
    bucket.objects.delete()
    return bucket
