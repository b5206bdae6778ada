"""The vendor's page "Bulk processing": each call as the hook sends it, each reply as the hook reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.api.bodies import LINES, Opener
from tests.contract.vendor_pages.vendor import DATAMART, Vendor, assert_reads, data_of, sample

if TYPE_CHECKING:
    from airflow_provider_mics.hooks.mics import MicsHook

PAGE = "bulk_processing"
IMPORTS = f"{DATAMART}/document_imports"
IMPORT = f"{IMPORTS}/36271"
EXECUTIONS = f"{IMPORT}/executions"
#: What the page's "using our API guide" says of pages, at their default size.
FIRST_PAGE = {"first_result": "0", "max_results": "50"}


def test_create_a_document_import(hook: MicsHook, vendor: Vendor) -> None:
    shown: dict[str, Any] = json.loads(sample(PAGE, "create.json"))
    reply = sample(PAGE, "create_reply.json")
    vendor.answers(reply)
    made = hook.create_document_import(**shown, priority=None)
    assert json.loads(vendor.received("POST", IMPORTS, content_type="application/json").body) == shown
    assert_reads(made, data_of(reply))


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ({}, {}),
        ({"keywords": "2020"}, {"keywords": "2020"}),
        ({"mime_type": "TEXT_CSV"}, {"mime_type": "TEXT_CSV"}),
        ({"document_types": ["USER_PROFILE"]}, {"document_types": "USER_PROFILE"}),
        ({"document_types": ["USER_PROFILE", "USER_ACTIVITY"]}, {"document_types": "USER_PROFILE,USER_ACTIVITY"}),
        ({"order_by": "name"}, {"order_by": "name"}),
    ],
)
def test_list_document_imports(
    hook: MicsHook, vendor: Vendor, arguments: dict[str, Any], query: dict[str, str]
) -> None:
    reply = sample(PAGE, "list_reply.json")
    vendor.answers(reply)
    page = hook.list_document_imports(**arguments)
    assert vendor.received("GET", IMPORTS, query | FIRST_PAGE).body == b""
    for found, shown in zip(page.items, data_of(reply), strict=True):
        assert_reads(found, shown)
    assert (page.total, page.max_results) == (3, 50)


def test_get_a_document_import(hook: MicsHook, vendor: Vendor) -> None:
    reply = sample(PAGE, "get_reply.json")
    vendor.answers(reply)
    found = hook.get_document_import("36271")
    assert vendor.received("GET", IMPORT).body == b""
    assert_reads(found, data_of(reply))


def test_update_a_document_import(hook: MicsHook, vendor: Vendor) -> None:
    reply = sample(PAGE, "update_reply.json")
    vendor.answers(reply)
    found = hook.update_document_import("36271", data_of(reply))
    assert json.loads(vendor.received("PUT", IMPORT, content_type="application/json").body) == data_of(reply)
    assert_reads(found, data_of(reply))


def test_remove_a_document_import(hook: MicsHook, vendor: Vendor) -> None:
    """The page shows no reply: none is needed."""
    vendor.answers(b"")
    hook.delete_document_import("36271")
    assert vendor.received("DELETE", IMPORT).body == b""


def test_create_an_execution(hook: MicsHook, vendor: Vendor) -> None:
    """The page's curl ends its path with a slash, its heading does not; the heading is followed."""
    reply = sample(PAGE, "upload_reply.json")
    vendor.answers(reply)
    made = hook.create_execution("36271", mime_type="APPLICATION_X_NDJSON", open_body=Opener(LINES))
    assert vendor.received("POST", EXECUTIONS, content_type="application/x-ndjson").body == LINES
    assert_reads(made, data_of(reply))


def test_list_executions(hook: MicsHook, vendor: Vendor) -> None:
    reply = sample(PAGE, "list_executions_reply.json")
    vendor.answers(reply)
    page = hook.list_executions("36271")
    assert vendor.received("GET", EXECUTIONS, FIRST_PAGE).body == b""
    for found, shown in zip(page.items, data_of(reply), strict=True):
        assert_reads(found, shown)
    assert (page.total, page.max_results) == (2, 50)
    # Every line of the second failed, and it SUCCEEDED.
    assert [(item.has_succeeded, item.error is None) for item in page.items] == [(True, True), (True, False)]


def test_get_an_execution(hook: MicsHook, vendor: Vendor) -> None:
    reply = sample(PAGE, "get_execution_reply.json")
    vendor.answers(reply)
    found = hook.get_execution("36271", "11597785")
    assert vendor.received("GET", f"{EXECUTIONS}/11597785").body == b""
    assert_reads(found, data_of(reply))
    assert (found.is_ended, found.has_succeeded) == (True, True)


def test_cancel_an_execution(hook: MicsHook, vendor: Vendor) -> None:
    reply = sample(PAGE, "cancel_reply.json")
    vendor.answers(reply)
    found = hook.cancel_execution("36271", "22747195")
    request = vendor.received("POST", f"{EXECUTIONS}/22747195/action", content_type="application/json")
    assert json.loads(request.body) == json.loads(sample(PAGE, "cancel.json"))
    assert_reads(found, data_of(reply))
    assert (found.is_ended, found.has_succeeded) == (True, False)
