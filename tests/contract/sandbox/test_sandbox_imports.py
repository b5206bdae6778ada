"""Document imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.sandbox.sandbox_client import Client, data_of, error_of

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox

BODY = {
    "document_type": "USER_ACTIVITY",
    "mime_type": "APPLICATION_X_NDJSON",
    "encoding": "utf-8",
    "name": "My user activity document import",
}
#: Keys of the vendor's sample, in its order.
KEYS = ["id", "datafarm_key", "datamart_id", "document_type", "mime_type", "encoding", "name", "priority"]


def test_created_import_looks_like_the_sample(client: Client, sandbox: Sandbox) -> None:
    response = client.post(client.base, BODY)
    assert response.status_code == 200
    data = data_of(response)
    assert list(data) == KEYS
    assert all(isinstance(value, str) for value in data.values())
    assert data == BODY | {
        "id": data["id"],
        "datafarm_key": "DF_EU_2020_02",
        "datamart_id": sandbox.datamart_id,
        "priority": "MEDIUM",
    }
    assert data_of(client.get(f"{client.base}/{data['id']}")) == data
    assert [item.resource() for item in sandbox.imports] == [data]


def test_status_of_a_creation_can_be_201(client: Client, sandbox: Sandbox) -> None:
    sandbox.settings.created_status = 201
    assert client.post(client.base, BODY).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"name": None},
        {"name": ""},
        {"name": 3},
        {"document_type": None},
        {"mime_type": None},
        {"mime_type": "application/x-ndjson"},
        {"mime_type": "TEXT_CSV"},
        {"priority": "URGENT"},
        {"encoding": "klingon"},
    ],
)
def test_what_is_refused(client: Client, sandbox: Sandbox, change: dict[str, object]) -> None:
    assert error_of(client.post(client.base, BODY | change), 400)
    assert sandbox.imports == []


def test_unknown_document_type_and_csv_segment_pass(client: Client) -> None:
    client.create_import("SOMETHING_NEW")
    client.create_import("USER_SEGMENT", mime_type="TEXT_CSV", priority="HIGH")


def test_list(client: Client) -> None:
    names = ["b profiles", "a profiles", "B Profiles", "b segments"]
    types = ["USER_PROFILE", "USER_PROFILE", "USER_ACTIVITY", "USER_SEGMENT"]
    for name, document_type in zip(names, types, strict=True):
        client.create_import(
            document_type, name, mime_type="TEXT_CSV" if "segments" in name else "APPLICATION_X_NDJSON"
        )

    def listed(**query: object) -> list[str]:
        return [item["name"] for item in data_of(client.get(client.base, **query))]

    assert listed() == names == listed(order_by="id")
    assert listed(order_by="name") == sorted(names)
    assert listed(keywords="b profiles") == ["b profiles"]
    assert listed(keywords="profiles") == ["b profiles", "a profiles"]
    assert listed(mime_type="TEXT_CSV") == ["b segments"]
    assert listed(document_types="USER_ACTIVITY,USER_SEGMENT") == ["B Profiles", "b segments"]
    assert listed(first_result=1, max_results=2) == names[1:3]
    envelope = client.get(client.base, first_result=3, max_results=2).json()
    assert list(envelope) == ["status", "data", "count", "total", "first_result", "max_result", "max_results"]
    assert {name: envelope[name] for name in list(envelope)[2:]} == {
        "count": 1,
        "total": 4,
        "first_result": 3,
        "max_result": 2,
        "max_results": 2,
    }
    assert client.get(client.base).json()["max_results"] == 50
    for query in ({"first_result": "-1"}, {"max_results": "many"}, {"first_result": "²"}):
        assert error_of(client.get(client.base, **query), 400)


def test_page_size_can_be_capped(client: Client, sandbox: Sandbox) -> None:
    sandbox.settings.update({"default_page_size": 2, "max_page_size": 3})
    for number in range(5):
        client.create_import(name=f"import {number}")
    assert client.get(client.base).json()["count"] == 2
    assert client.get(client.base, max_results=500).json()["count"] == 3


def test_change_and_delete(client: Client) -> None:
    import_id = client.create_import(name="before")
    path = f"{client.base}/{import_id}"
    changed = data_of(client.call("PUT", path, json={"name": "after", "priority": "LOW", "id": "1"}))
    assert (changed["id"], changed["name"], changed["priority"]) == (import_id, "after", "LOW")
    assert error_of(client.call("PUT", path, json={"priority": "x"}), 400)
    assert data_of(client.get(path)) == changed
    assert data_of(client.call("DELETE", path))["id"] == import_id
    for method in ("GET", "DELETE"):
        assert error_of(client.call(method, path), 404) == "Resource Not Found"
    assert error_of(client.call("PUT", path, json=changed), 404)
    assert error_of(client.upload(import_id), 404)
    assert client.get(client.base).json()["total"] == 0
