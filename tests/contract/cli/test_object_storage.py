"""``airflow mics`` and files in an object store, whose provider logs what it does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.imports import environment
from tests.unit.cli.commands import BAD, GOOD

AIRFLOW: Final = str(Path(sys.executable).with_name("airflow"))


def test_objects_are_checked_and_bad_lines_put_there(store_connection: str, bucket: Any, tmp_path: Path) -> None:
    bucket.put_object(Key="night/p-1.ndjson", Body=GOOD * 100)
    bucket.put_object(Key="night/p-2.ndjson", Body=GOOD + BAD)
    command = [AIRFLOW, "mics", "validate", "s3://store@crm/night/p-*.ndjson", "-t", "USER_PROFILE", "--json"]
    done = subprocess.run(  # noqa: S603
        [*command, "--dead-letter", "s3://store@crm/bad.ndjson"],
        env={
            **environment(tmp_path),
            "AIRFLOW_CONN_STORE": store_connection,
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
        ("s3://store@crm/night/p-1.ndjson", 100, 0),
        ("s3://store@crm/night/p-2.ndjson", 1, 1),
    ]
    assert found["dead_letter"] == {"path": "s3://store@crm/bad.ndjson", "lines": 1}
    assert json.loads(bucket.Object("bad.ndjson").get()["Body"].read())["content"] == BAD.decode()
