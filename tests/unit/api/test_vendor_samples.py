"""The sample payloads of the vendor's pages "Sending documents" and "Bulk processing", placeholders as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pendulum
import pytest

from airflow_provider_mics.api import document_imports, executions
from airflow_provider_mics.api.envelope import read_reply
from tests.unit.api.replies import get_one, get_page, reply

if TYPE_CHECKING:
    from airflow_provider_mics.api.models import Execution

IMPORT = {
    "id": "36271",
    "datafarm_key": "DF_KEY",
    "datamart_id": "DATAMART_ID",
    "document_type": "USER_PROFILE",
    "mime_type": "APPLICATION_X_NDJSON",
    "encoding": "utf-8",
    "name": "YOUR_DOCUMENT_IMPORT_NAME",
    "priority": "MEDIUM",
}
#: What an upload answers.
CREATED: dict[str, Any] = {
    "parameters": None,
    "result": None,
    "error": None,
    "id": "11597785",
    "status": "PENDING",
    "creation_date": 1609410143659,
    "start_date": None,
    "duration": None,
    "organisation_id": "1426",
    "user_id": None,
    "cancel_status": None,
    "debug": None,
    "is_retryable": False,
    "permalink_uri": "MTowOjA6NDI1MzAxMg==",
    "num_tasks": None,
    "completed_tasks": None,
    "erroneous_tasks": None,
    "retry_count": 0,
    "job_type": "DOCUMENT_IMPORT",
    "import_mode": "MANUAL_FILE",
    "import_type": None,
}
STEM = (
    "mics://data_file/tenants/1426/datamarts/1509/document_imports/19518/"
    "requestBody17471990940413569967asRaw-2020-10-19_09.54.45-JvP1ssxKSu"
)
MESSAGE = (
    "0 success, 4 failures\nSaved errors:\n"
    "No profile id found while upserting a user profile Error id = 9d5016ea-6b7b-4c64-bc74-60ba207e3bed.\n"
)
#: An execution whose every line failed: it SUCCEEDED all the same.
ALL_FAILED = CREATED | {
    "parameters": {
        "datamart_id": 1609,
        "document_import_id": 19718,
        "mime_type": "APPLICATION_X_NDJSON",
        "document_type": "USER_PROFILE",
        "input_file_name": "requestBody17471990940413569967asRaw",
        "file_uri": f"{STEM}.json",
        "number_of_lines": 4,
        "segment_id": None,
    },
    "result": {
        "total_success": 0,
        "total_failure": 4,
        "input_file_name": "requestBody17471990940413569967asRaw",
        "input_file_uri": f"{STEM}.json",
        "error_file_uri": f"{STEM}_errors.csv",
        "possible_issue_on_identifiers": False,
        "top_identifiers": {},
    },
    "error": {"message": MESSAGE},
    "id": "11170897",
    "status": "SUCCEEDED",
    "creation_date": 1603101286198,
    "start_date": 1603101317674,
    "duration": 1062,
    "end_date": 1603101318736,
}


def execution(data: dict[str, Any]) -> Execution:
    return read_reply(get_one(), reply({"status": "ok", "data": data}))


def test_a_document_import() -> None:
    found = read_reply(document_imports.get("1509", "36271"), reply({"status": "ok", "data": IMPORT}))
    assert (found.id, found.datamart_id, found.name) == ("36271", "DATAMART_ID", "YOUR_DOCUMENT_IMPORT_NAME")
    assert (found.document_type, found.mime_type, found.encoding) == ("USER_PROFILE", "APPLICATION_X_NDJSON", "utf-8")
    assert (found.priority, found.datafarm_key) == ("MEDIUM", "DF_KEY")


def test_a_list_of_document_imports() -> None:
    names = ["December 2020 user profiles", "January 2021 user profiles", "February 2021 user profiles"]
    items = [IMPORT | {"id": str(19538 + number), "name": name} for number, name in enumerate(names)]
    envelope = {"status": "ok", "data": items, "count": 3, "total": 3, "first_result": 0}
    page = read_reply(document_imports.find("1509"), reply(envelope | {"max_result": 50, "max_results": 50}))
    assert [item.name for item in page.items] == names
    assert (page.total, page.max_results) == (3, 50)


def test_an_execution_just_created() -> None:
    found = execution(CREATED)
    assert (found.id, found.status, found.is_ended) == ("11597785", "PENDING", False)
    assert (found.parameters, found.result, found.error) == (None, None, None)
    assert found.created_at == pendulum.datetime(2020, 12, 31, 10, 22, 23, 659000)
    assert (found.started_at, found.ended_at, found.duration) == (None, None, None)


def test_an_execution_of_which_every_line_failed_has_succeeded() -> None:
    found = execution(ALL_FAILED)
    assert found.is_ended
    assert found.has_succeeded
    assert found.result is not None
    assert found.parameters is not None
    assert found.error is not None
    assert (found.result.total_success, found.result.total_failure, found.parameters.number_of_lines) == (0, 4, 4)
    assert found.result.error_file_uri == f"{STEM}_errors.csv"
    assert found.error.message == MESSAGE
    assert found.started_at is not None
    assert found.ended_at is not None
    assert (found.ended_at - found.started_at).total_seconds() * 1000 == found.duration == 1062


def test_a_result_does_not_end_an_execution_that_is_pending() -> None:
    """The page "Sending documents" shows it so, with an end date too."""
    found = execution(ALL_FAILED | {"status": "PENDING", "id": "<DOCUMENT_IMPORT_EXECUTION_ID>"})
    assert found.result is not None
    assert not found.is_ended


def test_a_cancelled_execution() -> None:
    data = CREATED | {"id": "22747195", "status": "CANCELED", "cancel_status": "REQUESTED", "community_id": "1581"}
    found = read_reply(executions.cancel("1509", "1", "22747195"), reply({"status": "ok", "data": data}))
    assert (found.is_ended, found.has_succeeded, found.cancel_status, found.result) == (True, False, "REQUESTED", None)


@pytest.mark.parametrize(
    ("status", "ended", "succeeded", "known"),
    [
        ("PENDING", False, False, True),
        ("SCHEDULED", False, False, True),
        ("WAITING_DEPENDENT_JOB", False, False, True),
        ("RUNNING", False, False, True),
        ("SUCCEEDED", True, True, True),
        ("SUCCESS", True, True, True),
        ("FAILED", True, False, True),
        ("CANCELED", True, False, True),
        ("CANCELLED", True, False, True),
        ("EXECUTOR_NOT_RESPONDING", True, False, True),
        ("LOST", True, False, True),
        ("HIBERNATING", False, False, False),
        ("succeeded", False, False, False),
    ],
)
def test_a_status_unknown_to_us_passes_and_is_no_end(status: str, ended: bool, succeeded: bool, known: bool) -> None:
    found = execution(CREATED | {"status": status})
    assert (found.status, found.is_ended, found.has_succeeded, found.is_known_status) == (
        status,
        ended,
        succeeded,
        known,
    )


def test_words_and_fields_unknown_to_us_pass_through() -> None:
    data = IMPORT | {"document_type": "USER_DREAM", "mime_type": "PARQUET", "priority": "URGENT", "novelty": {"a": [1]}}
    found = read_reply(document_imports.get("1509", "36271"), reply({"status": "ok", "data": data}))
    assert (found.document_type, found.mime_type, found.priority) == ("USER_DREAM", "PARQUET", "URGENT")


def test_only_the_id_of_a_document_import_is_mandatory() -> None:
    found = read_reply(document_imports.get("1509", "1"), reply({"status": "ok", "data": {"id": 1}}))
    assert (found.id, found.name, found.encoding, found.datamart_id) == ("1", "", None, None)


def test_counts_may_be_strings_and_ids_numbers() -> None:
    data = ALL_FAILED | {"id": 11170897, "organisation_id": 1426, "creation_date": "1603101286198"}
    data["result"] = {"total_success": "3", "total_failure": "1"}
    found = execution(data)
    assert found.result is not None
    assert (found.id, found.organisation_id, found.creation_date) == ("11170897", "1426", 1603101286198)
    assert (found.result.total_success, found.result.total_failure) == (3, 1)


def test_a_page_of_executions() -> None:
    envelope = {"status": "ok", "data": [CREATED, ALL_FAILED], "count": 2, "total": 2, "first_result": 0}
    page = read_reply(get_page(), reply(envelope | {"max_result": 50, "max_results": 50}))
    assert [item.execution_id for item in page.items] == ["11597785", "11170897"]
