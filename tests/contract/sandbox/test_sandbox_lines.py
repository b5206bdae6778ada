"""Line checks by document type, seen through uploads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.sandbox.sandbox_client import Client

ACCOUNT = {"compartment_id": "1201", "user_account_id": "crm-77"}
EMAIL = {"email_hash": "3f2a"}
PROFILE = {"operation": "UPSERT", **ACCOUNT, "user_profile": {"$compartment_id": "1201", "city": "Lyon"}}
CHOICE = {
    "operation": "UPSERT",
    **ACCOUNT,
    "force_replace": True,
    "user_choice": {"$processing_id": "450", "$choice_ts": 1718000000000, "$choice_acceptance_value": True},
}
SEGMENT = {"operation": "UPDATE", **EMAIL, "segment_id": "9001", "expiration_duration": 43200}
ACTIVITY = {
    "$type": "TOUCH",
    "$session_status": "NO_SESSION",
    "$ts": 1718000000000,
    "$user_identifiers": [{"$type": "USER_ACCOUNT", "$compartment_id": "1201", "$user_account_id": "crm-77"}],
    "$events": [{"$event_name": "store-visit", "$ts": 1718000000000, "$properties": {"shop": "lyon-2"}}],
}
LEGACY = {name: value for name, value in ACTIVITY.items() if name != "$user_identifiers"}
ASSOCIATION = "USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS"
UUID = "6f0c4a52-0d43-4c6b-9d55-1b0f6b3fd0c8"

GOOD: list[tuple[str, dict[str, Any]]] = [
    ("USER_PROFILE", PROFILE),
    ("USER_PROFILE", {"operation": "DELETE", **EMAIL}),
    ("USER_PROFILE", PROFILE | {"force_replace": False, "merge_objects": True}),
    ("USER_PROFILE", PROFILE | {"update_strategy": "PARTIAL_UPDATE"}),
    ("USER_PROFILE", PROFILE | {"compartment_id": None, "email_hash": None}),
    ("USER_PROFILE", PROFILE | {"compartment_id": 1201}),
    ("USER_CHOICE", CHOICE),
    ("USER_CHOICE", {"operation": "DELETE", **EMAIL, "user_choice": {"$processing_id": "450"}}),
    ("USER_SEGMENT", SEGMENT),
    ("USER_SEGMENT", SEGMENT | {"expiration_duration": None, "expiration_ts": 0, "data_bag": '{"src":"airflow"}'}),
    ("USER_SEGMENT", {"operation": "DELETE", **EMAIL, "segment_technical_name": "vip"}),
    ("USER_ACTIVITY", ACTIVITY),
    ("USER_ACTIVITY", LEGACY | {"$email_hash": {"$email": "someone@example.com"}, "$ts": None, "$events": []}),
    ("USER_ACTIVITY", LEGACY | {"$user_agent_id": "vec:1", "anything": {}}),
    (ASSOCIATION, {"identifiers": [{"type": "USER_ACCOUNT", **ACCOUNT}, {"type": "USER_EMAIL", "hash": "3f2a"}]}),
    (ASSOCIATION, {"identifiers": [{"type": "USER_AGENT", "user_agent_id": "vec:1"}]}),
    ("USER_IDENTIFIERS_DISSOCIATION_DECLARATIONS", {"whatever": 1}),
    ("USER_IDENTIFIERS_DELETION", {"type": "USER_AGENT", "user_agent_id": "vec:123456"}),
    ("USER_DEVICE_POINTS_DELETION", {"type": "USER_AGENT", "user_agent_id": "udp:987654"}),
    ("USER_POINTS_DELETION", {"type": "USER_POINT", "user_point_id": UUID}),
    ("USER_POINTS_DELETION", {"type": "USER_EMAIL", "hash": "3f2a"}),
]
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("USER_PROFILE", {"user_profile": {}, **EMAIL}, "operation is missing"),
    ("USER_PROFILE", PROFILE | {"operation": "UPDATE"}, "operation must be UPSERT or DELETE"),
    ("USER_PROFILE", {"operation": "UPSERT", "user_profile": {}}, "No profile id found while upserting a user profile"),
    ("USER_PROFILE", {"operation": "DELETE"}, "No user identifier found"),
    ("USER_PROFILE", PROFILE | EMAIL, "Several user identifiers"),
    ("USER_PROFILE", {"operation": "DELETE", **EMAIL, "compartment_id": "1"}, "Several user identifiers"),
    ("USER_PROFILE", {"operation": "UPSERT", **EMAIL}, "user_profile is missing"),
    ("USER_PROFILE", PROFILE | {"user_profile": "x"}, "user_profile is missing"),
    ("USER_PROFILE", PROFILE | {"force_replace": "true"}, "force_replace must be a boolean"),
    ("USER_PROFILE", PROFILE | {"update_strategy": "MERGE"}, "update_strategy is not valid"),
    ("USER_PROFILE", PROFILE | {"update_strategy": "FORCE_REPLACE", "force_replace": True}, "cannot be used with"),
    ("USER_PROFILE", PROFILE | {"user_account_id": ""}, "user_account_id is not valid"),
    ("USER_PROFILE", PROFILE | {"compartment_id": {}}, "compartment_id is not valid"),
    ("USER_CHOICE", CHOICE | {"user_choice": None}, "user_choice is missing"),
    ("USER_CHOICE", CHOICE | {"user_choice": {"$choice_ts": 1}}, "$processing_id is missing"),
    ("USER_CHOICE", CHOICE | {"force_replace": None}, "force_replace is missing"),
    ("USER_CHOICE", CHOICE | {"user_choice": {"$processing_id": "4", "$choice_ts": "now"}}, "$choice_ts is missing"),
    ("USER_SEGMENT", SEGMENT | {"operation": "UPSERT"}, "operation must be UPDATE or DELETE"),
    ("USER_SEGMENT", SEGMENT | {"segment_id": None}, "segment_id or segment_technical_name"),
    ("USER_SEGMENT", SEGMENT | {"expiration_duration": None}, "expiration_duration is missing"),
    ("USER_SEGMENT", SEGMENT | {"expiration_duration": "soon"}, "expiration_duration must be"),
    ("USER_SEGMENT", SEGMENT | {"expiration_ts": "x"}, "expiration_ts must be"),
    ("USER_SEGMENT", SEGMENT | {"data_bag": {"src": "x"}}, "data_bag must be a string"),
    ("USER_SEGMENT", SEGMENT | {"data_bag": "{"}, "data_bag is not valid JSON"),
    ("USER_ACTIVITY", ACTIVITY | {"$type": "VISIT"}, "$type is missing"),
    ("USER_ACTIVITY", ACTIVITY | {"$session_status": "OPEN"}, "$session_status"),
    ("USER_ACTIVITY", ACTIVITY | {"$ts": "1718000000"}, "$ts must be"),
    ("USER_ACTIVITY", ACTIVITY | {"$events": [{}]}, "$event_name is missing"),
    ("USER_ACTIVITY", ACTIVITY | {"$events": {}}, "$events must be an array"),
    ("USER_ACTIVITY", LEGACY, "No user identifier"),
    ("USER_ACTIVITY", LEGACY | {"$email_hash": "3f2a"}, "$email_hash must be an object"),
    ("USER_ACTIVITY", LEGACY | {"$user_identifiers": [{"$type": "USER_EMAIL"}]}, "hash is missing"),
    ("USER_ACTIVITY", LEGACY | {"$user_identifiers": {}}, "must be an array"),
    (ASSOCIATION, {"identifiers": []}, "identifiers is missing or empty"),
    (ASSOCIATION, {"identifiers": [{"type": "USER_POINT", "user_point_id": UUID}]}, "type must be"),
    (ASSOCIATION, {"identifiers": ["x"]}, "an identifier must be an object"),
    ("USER_IDENTIFIERS_DELETION", {"type": "USER_AGENT", "user_agent_id": "udp:1"}, "device point"),
    ("USER_IDENTIFIERS_DELETION", {"user_agent_id": "vec:1"}, "type is missing"),
    ("USER_DEVICE_POINTS_DELETION", {"type": "USER_EMAIL", "hash": "x"}, "type must be USER_AGENT"),
    ("USER_DEVICE_POINT_DELETION", {"type": "USER_AGENT"}, "user_agent_id is missing"),
    ("USER_POINTS_DELETION", {"type": "USER_POINT", "user_point_id": "crm-1"}, "not a UUID"),
]


@pytest.mark.parametrize(("document_type", "line"), GOOD)
def test_good_lines(client: Client, document_type: str, line: dict[str, Any]) -> None:
    done = client.checked(document_type, json.dumps(line).encode())
    assert (done["result"]["total_success"], done["error"]) == (1, None)


@pytest.mark.parametrize(("document_type", "line", "text"), BAD)
def test_bad_lines(client: Client, document_type: str, line: dict[str, Any], text: str) -> None:
    done = client.checked(document_type, json.dumps(line).encode())
    assert (done["result"]["total_success"], done["result"]["total_failure"]) == (0, 1)
    assert text in done["error"]["message"]


def test_lines_that_cannot_be_read(client: Client) -> None:
    first = json.dumps(PROFILE).encode() + b"\n"
    done = client.checked("USER_PROFILE", first + b'{"a":\n[1]\n"x"\n\xff\n\n' + b"[" * 3000 + b"\n" + first)
    assert (done["result"]["total_success"], done["result"]["total_failure"]) == (2, 5)
    assert done["error"]["message"].count("Line is not valid JSON") == 3
    assert done["error"]["message"].count("Line is not a JSON object") == 2
    rows = client.get("/v1/data_file/data", uri=done["result"]["error_file_uri"]).text.splitlines()
    assert [row.partition(",")[0] for row in rows[1:]] == ["2", "3", "4", "5", "7"]


def test_very_long_line(client: Client, sandbox: Sandbox) -> None:
    line = json.dumps(PROFILE).encode() + b"\n"
    done = client.checked("USER_PROFILE", line + b" " * 17 * 2**20 + b"x\n" + line)
    assert (done["result"]["total_success"], done["result"]["total_failure"]) == (2, 1)
    assert "Line is too long" in done["error"]["message"]
    assert sandbox.executions[0].lines == 3


def test_error_ids_are_the_same_for_the_same_line() -> None:
    from airflow_provider_mics.sandbox.lines import error_id

    assert error_id("11597785", 1) == error_id("11597785", 1) != error_id("11597785", 2)


def test_encoding(client: Client) -> None:
    body = '{"operation":"DELETE","email_hash":"é"}\n'.encode("latin-1")
    assert client.checked("USER_PROFILE", body, encoding="iso-8859-1")["result"]["total_success"] == 1


CSV = "text/csv"
HEADER = "OPERATION,USER_ACCOUNT_ID,COMPARTMENT_ID,EMAIL_HASH,SEGMENT_ID,EXPIRATION_DURATION,EXPIRATION_TS,DATA_BAG"


@pytest.mark.parametrize("header", [HEADER, HEADER.lower()])
def test_csv(client: Client, header: str) -> None:
    rows = [
        header,
        'UPDATE,crm-1,1201,,9001,60,,"{""a"":""1,2""}"',
        '"DELETE",,,3f2a,9001,,,',
        "",
        "UPDATE,crm-3,1201,,9001,,1718000000000,",
        '"UPDATE","with\r\nline ends",1201,,9001,60,,',
        "UPSERT,crm-4,1201,,9001,60,,",
        "UPDATE,,,,9001,60,,",
        "UPDATE,crm-5,1201,,9001,soon,,",
        "UPDATE,crm-6",
    ]
    done = client.checked("USER_SEGMENT", "\r\n".join(rows).encode(), CSV, mime_type="TEXT_CSV")
    assert (done["result"]["total_success"], done["result"]["total_failure"]) == (4, 4)
    assert done["parameters"]["number_of_lines"] == 8
    served = client.get("/v1/data_file/data", uri=done["result"]["error_file_uri"]).text.splitlines()
    assert [row.partition(",")[0] for row in served[1:]] == ["8", "9", "10", "11"]


def test_csv_rejected_by_the_test(client: Client, sandbox: Sandbox) -> None:
    sandbox.settings.reject_if = lambda raw: raw == b'UPDATE,"a\nb"'
    body = b'OPERATION,USER_ACCOUNT_ID\nUPDATE,"a\nb"\nUPDATE,c\n'
    sandbox.settings.check_lines = False
    done = client.checked("USER_SEGMENT", body, CSV, mime_type="TEXT_CSV")
    assert (done["result"]["total_success"], done["result"]["total_failure"]) == (1, 1)


@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 1000])
def test_line_counter_does_not_mind_where_pieces_end(pieces: int) -> None:
    from airflow_provider_mics.sandbox.upload import LineCounter

    text = b"a\n\n\r\n b \n \t \n\n\nc\nd\n\n  \n"
    for body, lines in ((text, 4), (text + b"e", 5), (b"", 0), (b"\n\n", 0), (b" ", 0), (b"x", 1)):
        counter = LineCounter()
        for start in range(0, len(body), pieces):
            counter.feed(body[start : start + pieces])
        assert counter.lines == lines
