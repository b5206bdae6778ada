"""Items in an object store, and what of them is put aside there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.operators.tracking import MicsSetUserChoicesOperator
from tests.contract.conftest import BUCKET
from tests.contract.tracking.conftest import choice

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.tracking.conftest import Task


def test_items_come_from_a_store_and_go_back_to_it(sandbox: Sandbox, task: Task, bucket: Any) -> None:
    lines = [choice(number) for number in range(2000)]
    for name, part in (("a-1.ndjson", lines[:1500]), ("a-2.ndjson", lines[1500:])):
        bucket.put_object(Key=name, Body="".join(f"{json.dumps(line)}\n" for line in part).encode())
    sandbox.faults.plan("status", kind="put_user_choice", status=400, after=1600)

    result = task.run(
        MicsSetUserChoicesOperator,
        path=f"s3://aws_default@{BUCKET}/a-*.ndjson",
        dead_letter_path=f"s3://aws_default@{BUCKET}/aside.ndjson",
        max_rejected=1,
    )

    assert (result["accepted"], result["rejected"]) == (1999, 1)
    aside = json.loads(bucket.Object("aside.ndjson").get()["Body"].read())
    assert aside["file"] == f"s3://aws_default@{BUCKET}/a-2.ndjson"
    assert json.loads(aside["content"]) in lines
    assert aside["answer"]["status"] == 400
