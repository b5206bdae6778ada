from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_mics.exceptions import (
    MicsConfigurationError,
    MicsError,
    MicsInputError,
    MicsSourceError,
    MicsUploadError,
)
from airflow_provider_mics.operators.document_import import MicsCreateDocumentImportOperator
from airflow_provider_mics.operators.upload import MicsUploadFileOperator
from tests.contract.faces.conftest import Night, profile

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox


def create(night: Night, document_type: str = "USER_PROFILE", mime_type: str = "APPLICATION_X_NDJSON") -> str:
    return MicsCreateDocumentImportOperator(
        task_id="create", document_type=document_type, name="Night", mime_type=mime_type
    ).execute(night.context)


def upload(night: Night, document_import_id: str, path: Any, **arguments: Any) -> list[str]:
    return MicsUploadFileOperator(
        task_id="upload", document_import_id=document_import_id, path=path, **arguments
    ).execute(night.context)


def received(sandbox: Sandbox, execution_id: str) -> bytes:
    return sandbox.received(execution_id).read_bytes()


def test_sends_a_file_as_it_is(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", profile(1), profile(2))

    (execution_id,) = upload(night, create(night), path)

    assert received(sandbox, execution_id) == profile(1) + b"\n" + profile(2) + b"\n"
    (request,) = [item for item in sandbox.requests if item.kind == "create_execution"]
    assert request.headers["content-type"] == "application/x-ndjson"
    assert request.headers["content-length"] == str(request.body_bytes)
    assert night.ti.xcoms["mics_parts"] == [
        {"execution_id": execution_id, "file": path, "number": 1, "lines": 2, "bytes": request.body_bytes}
    ]


def test_cuts_a_file_into_parts_that_are_the_file(sandbox: Sandbox, night: Night) -> None:
    lines = [profile(number) for number in range(1000)]
    path = night.file("a.ndjson", *lines, end=b"")

    execution_ids = upload(night, create(night), path, max_part_bytes=30_000, parallel_uploads=4)

    bodies = [received(sandbox, execution_id) for execution_id in execution_ids]
    assert b"".join(bodies) == b"\n".join(lines)
    assert len(bodies) > 5
    assert all(body.endswith(b"}\n") for body in bodies[:-1])
    assert sum(part["lines"] for part in night.ti.xcoms["mics_parts"]) == 1000


def test_repeats_the_header_of_csv(sandbox: Sandbox, night: Night) -> None:
    rows = [b'UPDATE,%d,9001,0,"{""a"":\n%d}"' % (number, number) for number in range(50)]
    header = b"OPERATION,USER_ACCOUNT_ID,SEGMENT_ID,EXPIRATION_DURATION,DATA_BAG"
    path = night.file("vip.csv", header, *rows)

    execution_ids = upload(night, create(night, "USER_SEGMENT", "TEXT_CSV"), path, max_part_bytes=500)

    bodies = [received(sandbox, execution_id) for execution_id in execution_ids]
    assert all(body.startswith(header + b"\n") for body in bodies)
    assert b"".join(body.removeprefix(header + b"\n") for body in bodies) == b"\n".join(rows) + b"\n"
    assert sum(part["lines"] for part in night.ti.xcoms["mics_parts"]) == 50
    (kind,) = {item.headers["content-type"] for item in sandbox.requests if item.kind == "create_execution"}
    assert kind == "text/csv"


def test_takes_lists_patterns_and_uris_in_order(sandbox: Sandbox, night: Night) -> None:
    for number in (1, 2, 3, 4):
        night.file(f"{number}.ndjson", profile(number))

    execution_ids = upload(
        night,
        create(night),
        [f"{night.folder}/4.ndjson", f"{night.folder}/[12].ndjson", f"file://{night.folder}/3.ndjson"],
    )

    assert [received(sandbox, execution_id) for execution_id in execution_ids] == [
        profile(number) + b"\n" for number in (4, 1, 2, 3)
    ]


def test_empty_files_among_others_are_passed_over(sandbox: Sandbox, night: Night) -> None:
    night.file("a.ndjson")
    night.file("b.ndjson", profile(1))

    (execution_id,) = upload(night, create(night), f"{night.folder}/*.ndjson")

    assert received(sandbox, execution_id) == profile(1) + b"\n"


@pytest.mark.parametrize("path", ["empty.ndjson", "*.json"])
@pytest.mark.parametrize(
    ("on_empty", "outcome"), [("skip", AirflowSkipException), ("succeed", []), ("fail", MicsSourceError)]
)
def test_nothing_to_load(sandbox: Sandbox, night: Night, path: str, on_empty: str, outcome: Any) -> None:
    night.file("empty.ndjson")
    document_import_id = create(night)

    if outcome == []:
        assert upload(night, document_import_id, f"{night.folder}/{path}", on_empty=on_empty) == []
    else:
        with pytest.raises(outcome, match="nothing to load"):
            upload(night, document_import_id, f"{night.folder}/{path}", on_empty=on_empty)
    assert not sandbox.executions


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("gone.ndjson", MicsSourceError, r"gone\.ndjson does not exist"),
        ("", MicsSourceError, "is a directory"),
        ("long.ndjson", MicsInputError, r"long\.ndjson, line 1 \(byte 0\): the line has 3001 bytes, more than"),
        ("a.csv", MicsInputError, r"a\.csv ends in \.csv, but the document import takes APPLICATION_X_NDJSON"),
        (["a.ndjson", "*.ndjson"], MicsInputError, r"a\.ndjson is named twice"),
        (5, MicsConfigurationError, "path must be a path"),
        ([""], MicsConfigurationError, "path is empty"),
    ],
)
def test_what_cannot_be_loaded_is_refused_before_anything_is_sent(
    sandbox: Sandbox, night: Night, path: Any, error: type[MicsError], message: str
) -> None:
    night.file("a.ndjson", profile(1))
    night.file("a.csv", b"OPERATION", b"UPDATE")
    night.file("long.ndjson", b"x" * 3000)
    if isinstance(path, str):
        path = f"{night.folder}/{path}"
    elif isinstance(path, list) and path[0]:
        path = [f"{night.folder}/{name}" for name in path]

    with pytest.raises(error, match=message):
        upload(night, create(night), path, max_part_bytes=2000)
    assert not sandbox.executions


def test_deletions_must_be_meant(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", b'{"type":"USER_ACCOUNT","user_account_id":"crm-1"}')
    document_import_id = create(night, "USER_POINTS_DELETION")

    with pytest.raises(MicsConfigurationError, match="Set allow_deletions=True"):
        upload(night, document_import_id, path)
    assert not sandbox.executions

    assert len(upload(night, document_import_id, path, allow_deletions=True)) == 1


def test_a_part_that_fails_names_those_that_are_in(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", *[profile(number) for number in range(10)])
    document_import_id = create(night)
    sandbox.faults.plan("status", status=400, kind="create_execution", after=2, when="after_body", times=None)

    with pytest.raises(MicsUploadError) as raised:
        upload(night, document_import_id, path, max_part_bytes=400, parallel_uploads=1, preflight="off")

    assert raised.value.execution_ids == [item.id for item in sandbox.executions]
    assert len(sandbox.executions) == 2
    assert "a.ndjson (part 3 of 5, bytes" in str(raised.value)
    assert "2 other parts are in, as executions " in str(raised.value)


def test_an_upload_refused_for_its_rate_is_sent_again(sandbox: Sandbox, night: Night) -> None:
    path = night.file("a.ndjson", profile(1))
    document_import_id = create(night)
    sandbox.faults.plan("status", status=429, retry_after=0, kind="create_execution", when="after_body")

    assert len(upload(night, document_import_id, path)) == 1
    assert len(sandbox.executions) == 1


@pytest.mark.parametrize("arguments", [{"on_empty": "ignore"}, {"parallel_uploads": 0}, {"max_part_bytes": 0}])
def test_arguments_that_mean_nothing_are_refused(sandbox: Sandbox, night: Night, arguments: dict[str, Any]) -> None:
    path = night.file("a.ndjson", profile(1))

    with pytest.raises(MicsConfigurationError, match=next(iter(arguments))):
        upload(night, create(night), path, **arguments)
    assert not sandbox.executions
