"""One big file over many workers: planned by one task, sent by others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.exceptions import MicsConfigurationError, MicsSourceError
from airflow_provider_mics.operators.upload import MicsPlanPartsOperator, MicsUploadFileOperator
from tests.contract.faces.conftest import Night, profile
from tests.contract.faces.test_upload import create, received

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("sandbox")


def plan(night: Night, path: Any, **arguments: Any) -> list[dict[str, Any]]:
    planned = MicsPlanPartsOperator(task_id="plan", path=path, **arguments).execute(night.context)
    # Airflow stores XComs as JSON.
    parts: list[dict[str, Any]] = json.loads(json.dumps(planned))
    return parts


def send(night: Night, document_import_id: str, part: Any) -> list[str]:
    return MicsUploadFileOperator(task_id="upload", document_import_id=document_import_id, part=part).execute(
        night.context
    )


def test_parts_sent_by_many_tasks_are_the_file(sandbox: Sandbox, night: Night) -> None:
    lines = [profile(number) for number in range(200)]
    path = night.file("a.ndjson", *lines)
    parts = plan(night, path, max_part_bytes=10_000)
    assert len(parts) == 4
    document_import_id = create(night)

    # In any order, as the scheduler likes.
    sent = {index: send(night, document_import_id, parts[index]) for index in (2, 0, 3, 1)}

    bodies = [received(sandbox, sent[index][0]) for index in range(4)]
    assert b"".join(bodies) == b"".join(line + b"\n" for line in lines)


def test_csv_parts_keep_their_header_and_count(sandbox: Sandbox, night: Night) -> None:
    header = b"OPERATION,USER_ACCOUNT_ID,SEGMENT_ID,EXPIRATION_DURATION"
    path = night.file("vip.csv", header, *[b"UPDATE,%d,9001,0" % number for number in range(100)])

    parts = plan(night, path, max_part_bytes=500)
    document_import_id = create(night, "USER_SEGMENT", "TEXT_CSV")
    lines = 0
    for part in parts:
        (execution_id,) = send(night, document_import_id, part)
        assert received(sandbox, execution_id).startswith(header + b"\n")
        lines += sum(sent["lines"] for sent in night.ti.xcoms["mics_parts"])

    assert lines == 100


def test_a_plan_holds_no_row(night: Night) -> None:
    (part,) = plan(night, night.file("a.ndjson", profile(1)))

    assert set(part) == {"file", "number", "of", "ranges", "header_bytes", "lines", "sha256", "version"}
    assert "crm-1" not in json.dumps(part)


def test_nothing_to_plan_is_no_part(night: Night) -> None:
    assert plan(night, f"{night.folder}/*.ndjson") == []


def test_a_file_that_was_replaced_after_planning_is_not_sent(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", profile(1))
    (part,) = plan(night, path)
    document_import_id = create(night)

    night.file("a.ndjson", profile(2), profile(3))

    with pytest.raises(MicsSourceError, match=r"a\.ndjson changed while it was being loaded"):
        send(night, document_import_id, part)
    assert not sandbox.executions


@pytest.mark.parametrize("part", [{}, {"file": "a"}, "a", 3])
def test_what_is_no_part_is_refused(sandbox: Sandbox, night: Night, part: Any) -> None:
    with pytest.raises(MicsConfigurationError, match="part is not a part that MicsPlanPartsOperator has planned"):
        send(night, create(night), part)
    assert not sandbox.executions


@pytest.mark.parametrize("arguments", [{}, {"path": "a", "part": {}}])
def test_an_upload_has_either_path_or_part(night: Night, arguments: dict[str, Any]) -> None:
    operator = MicsUploadFileOperator(task_id="upload", document_import_id=create(night), **arguments)

    with pytest.raises(MicsConfigurationError, match="either path or part"):
        operator.execute(night.context)


def test_files_of_two_formats_are_planned_apart(night: Night) -> None:
    paths = [night.file("a.ndjson", profile(1)), night.file("b.csv", b"OPERATION", b"UPDATE")]

    with pytest.raises(MicsConfigurationError, match="different formats"):
        plan(night, paths)
