"""The vendor's page "Segments import": both of its curls as the hook sends them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.bulk.checks import checker_for
from tests.contract.api.bodies import Opener
from tests.contract.vendor_pages.vendor import DATAMART, Vendor, assert_reads, data_of, sample

if TYPE_CHECKING:
    from airflow_provider_mics.hooks.mics import MicsHook

PAGE = "segments_import"
EXECUTIONS = f"{DATAMART}/document_imports/36271/executions"
#: What stands for the placeholders of the page's example, one of which lacks its end.
VALUES = {
    "<INTEGER>": "43200",
    "<COMPARTMENT_ID>": "1201",
    "<USER_ACCOUNT_ID>": "crm-77",
    "<SEGMENT_ID": "9001",
}


def command() -> dict[str, Any]:
    """Return the command of the page's example."""
    text = sample(PAGE, "command.txt").decode()
    for placeholder, value in VALUES.items():
        text = text.replace(placeholder, value)
    found: dict[str, Any] = json.loads(text)
    return found


def one_line(*commands: dict[str, Any]) -> bytes:
    """Write commands as lines: the page shows one over several, and says that it must be one line."""
    return b"".join(json.dumps(item).encode() + b"\n" for item in commands)


def test_create_the_document_import(hook: MicsHook, vendor: Vendor) -> None:
    """The page shows no reply; "Bulk processing" does."""
    shown: dict[str, Any] = json.loads(sample(PAGE, "create.json"))
    reply = sample("bulk_processing", "create_reply.json")
    vendor.answers(reply)
    made = hook.create_document_import(**shown, priority=None)
    request = vendor.received("POST", f"{DATAMART}/document_imports", content_type="application/json")
    assert json.loads(request.body) == shown
    assert_reads(made, data_of(reply))


@pytest.mark.parametrize(
    ("mime_type", "content_type", "body"),
    [
        ("APPLICATION_X_NDJSON", "application/x-ndjson", one_line(command(), {**command(), "operation": "DELETE"})),
        ("TEXT_CSV", "text/csv", b"operation,email_hash,segment_id,expiration_duration\nUPDATE,3f2a,9001,0\n"),
    ],
)
def test_create_the_execution(hook: MicsHook, vendor: Vendor, mime_type: str, content_type: str, body: bytes) -> None:
    reply = sample("bulk_processing", "upload_reply.json")
    vendor.answers(reply)
    made = hook.create_execution("36271", mime_type=mime_type, open_body=Opener(body))
    assert vendor.received("POST", EXECUTIONS, content_type=content_type).body == body
    assert_reads(made, data_of(reply))


COMPLETE = command() | {"data_bag": '{"src": "airflow"}', "expiration_ts": 1718000000000}


@pytest.mark.parametrize(
    ("line", "is_good"),
    [
        (command(), True),
        ({**command(), "operation": "DELETE"}, True),
        (COMPLETE, True),
        ({**command(), "operation": "UPSERT"}, False),
        ({name: value for name, value in command().items() if name != "operation"}, False),
        ({name: value for name, value in command().items() if name != "expiration_duration"}, False),
    ],
)
def test_user_segment_command(line: dict[str, Any], is_good: bool) -> None:
    """The properties of the page's table, as the checks before a load see them."""
    checker = checker_for("USER_SEGMENT", "APPLICATION_X_NDJSON")
    result = checker.check_block(one_line(line), first_line=1, offset=0, problems=[], limit=1)
    assert (result.lines, result.bad == []) == (1, is_good)
