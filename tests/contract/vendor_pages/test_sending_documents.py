"""The vendor's page "Sending documents": each curl as the hook sends it, each reply as the hook reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.contract.api.bodies import Opener
from tests.contract.vendor_pages.vendor import DATAMART, Vendor, assert_reads, data_of, sample

if TYPE_CHECKING:
    from airflow_provider_mics.hooks.mics import MicsHook

PAGE = "sending_documents"
#: What stands for the page's <DOCUMENT_IMPORT_ID> and <DOCUMENT_IMPORT_EXECUTION_ID> in paths.
IMPORT_ID, EXECUTION_ID = "20517", "11597785"
EXECUTIONS = f"{DATAMART}/document_imports/{IMPORT_ID}/executions"


def test_create_the_document_import(hook: MicsHook, vendor: Vendor) -> None:
    shown: dict[str, Any] = json.loads(sample(PAGE, "create.json"))
    reply = sample(PAGE, "create_reply.json")
    vendor.answers(reply)
    made = hook.create_document_import(**shown, priority=None)
    request = vendor.received("POST", f"{DATAMART}/document_imports", content_type="application/json")
    assert json.loads(request.body) == shown
    assert_reads(made, data_of(reply))


def test_send_data(hook: MicsHook, vendor: Vendor) -> None:
    line, reply = sample(PAGE, "upload.ndjson"), sample(PAGE, "upload_reply.json")
    vendor.answers(reply)
    made = hook.create_execution(IMPORT_ID, mime_type="APPLICATION_X_NDJSON", open_body=Opener(line))
    request = vendor.received("POST", EXECUTIONS, content_type="application/x-ndjson")
    assert request.body == line
    assert_reads(made, data_of(reply))


def test_the_line_is_the_activity_that_the_page_prepares() -> None:
    assert json.loads(sample(PAGE, "upload.ndjson")) == json.loads(sample(PAGE, "activity.json"))


def test_check_the_status_of_the_execution(hook: MicsHook, vendor: Vendor) -> None:
    """The page shows a result before the execution has run; the status says that it has not."""
    reply = sample(PAGE, "status_reply.json")
    vendor.answers(reply)
    found = hook.get_execution(IMPORT_ID, EXECUTION_ID)
    assert vendor.received("GET", f"{EXECUTIONS}/{EXECUTION_ID}").body == b""
    assert_reads(found, data_of(reply))
    assert not found.is_ended
