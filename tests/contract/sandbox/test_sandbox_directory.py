"""Segments, processings, labels, compartments, channels and API tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.sandbox.sandbox_client import Client, data_of, error_of

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox

SEGMENTS = "/v1/audience_segments"
TOKENS = "/v1/users/4711/api_tokens"


def test_segments_are_found(client: Client) -> None:
    (vip,) = data_of(client.get(SEGMENTS, technical_name="vip", organisation_id="1426", datamart_id="1509"))
    assert (vip["id"], vip["type"], vip["feed_type"]) == ("9001", "USER_LIST", "FILE_IMPORT")
    assert data_of(client.get(f"{SEGMENTS}/9001")) == vip
    listed = client.get(SEGMENTS, type="USER_LIST", persisted="true", max_results="1").json()
    assert (listed["count"], listed["total"]) == (1, 2)
    assert [item["id"] for item in data_of(client.get(SEGMENTS, keywords="visit"))] == ["9003"]
    assert data_of(client.get(SEGMENTS, technical_name="none")) == []


@pytest.mark.parametrize(
    ("path", "body", "query"),
    [
        (SEGMENTS, {"name": "New", "datamart_id": "1509", "type": "USER_LIST"}, {"name": "New"}),
        ("/v1/processings", {"name": "New", "community_id": "77"}, {"community_id": "77"}),
        ("/v1/labels", {"name": "New", "organisation_id": "77"}, {"organisation_id": "77"}),
    ],
)
def test_collections(client: Client, path: str, body: dict[str, str], query: dict[str, str]) -> None:
    created = data_of(client.post(path, body))
    assert body.items() <= created.items()
    assert data_of(client.get(path, **query)) == [created]
    one = f"{path}/{created['id']}"
    changed = data_of(client.call("PUT", one, json={"name": "Changed"}))
    assert changed == data_of(client.get(one)) == created | {"name": "Changed"}
    assert data_of(client.call("DELETE", one)) == changed
    assert error_of(client.get(one), 404)
    assert error_of(client.call("DELETE", one), 404)
    assert error_of(client.call("PUT", one, json={}), 404)
    assert error_of(client.post(path, {}), 400)
    client.post(path, body).raise_for_status()
    client.control("reset", {})
    assert body["name"] not in [item["name"] for item in data_of(client.get(path))]


def test_labels_on_imports(client: Client) -> None:
    label, other = (item["id"] for item in data_of(client.get("/v1/labels", organisation_id="1426")))
    labelled = client.create_import(name="Labelled")
    client.create_import(name="Bare")
    link = f"/v1/labels/{label}/links/IMPORT/{labelled}"
    for _ in range(2):
        assert client.post(link).status_code == 200
    assert [item["id"] for item in data_of(client.get(client.base, label_ids=f"{label},{other}"))] == [labelled]
    assert data_of(client.get(client.base, label_ids=other)) == []
    on_import = data_of(client.get("/v1/labels", labelable_type="IMPORT", labelable_id=labelled))
    assert [item["id"] for item in on_import] == [label]
    assert client.post(f"/v1/labels/{label}/links/SEGMENT/9001").status_code == 200
    assert client.call("DELETE", link).status_code == 200
    assert data_of(client.get(client.base, label_ids=label)) == []
    for path in (link, f"/v1/labels/1/links/IMPORT/{labelled}", f"/v1/labels/{label}/links/IMPORT/1", f"{link}0"):
        assert error_of(client.call("DELETE", path), 404)
    assert error_of(client.post(f"/v1/labels/{label}/links/HOUSE/{labelled}"), 404)


def test_compartments(client: Client, sandbox: Sandbox) -> None:
    path = "/v1/datamarts/1509/compartments"
    compartments = data_of(client.get(path))
    assert [(item["compartment_id"], item["default"]) for item in compartments] == [("1000", True), ("1201", False)]
    assert all(item["id"] != item["compartment_id"] for item in compartments)
    assert data_of(client.get(path, default="true")) == compartments[:1]
    assert data_of(client.get("/v1/datamarts/1509/user_account_compartments")) == compartments
    sandbox.settings.compartments = ["7", "8"]
    assert [(item["compartment_id"], item["default"]) for item in data_of(client.get(path))] == [
        ("7", True),
        ("8", False),
    ]
    assert error_of(client.get("/v1/datamarts/1510/compartments"), 403)


def test_channels(client: Client) -> None:
    site, app = data_of(client.get("/v1/datamarts/1509/channels"))
    assert (site["type"], app["type"], app["datamart_id"], app["organisation_id"]) == (
        "SITE",
        "MOBILE_APPLICATION",
        "1509",
        "1426",
    )
    assert error_of(client.get("/v1/datamarts/1/channels"), 404)


def test_api_tokens(client: Client, sandbox: Sandbox) -> None:
    assert data_of(client.get("/v1/connected_user"))["id"] == "4711"
    created = data_of(client.post(f"{TOKENS}?organisation_id=1426", {"name": "nightly"}))
    assert set(created) == {"id", "name", "creation_date", "expiration_date", "value"}
    headers = {"Authorization": created["value"]}
    assert client.call("GET", "/v1/connected_user", headers=headers).status_code == 200
    (listed,) = data_of(client.get(TOKENS))
    one = f"{TOKENS}/{created['id']}"
    assert listed == data_of(client.get(one)) == {name: item for name, item in created.items() if name != "value"}
    assert data_of(client.call("PUT", one, json={"name": "day"}))["name"] == "day"
    second = data_of(client.post(TOKENS, {"name": "other"}))
    assert client.call("DELETE", one).status_code == 200
    assert error_of(client.call("GET", "/v1/connected_user", headers=headers), 401)
    assert error_of(client.get(one), 404)
    sandbox.advance(366 * 24 * 3600)
    assert error_of(client.call("GET", "/v1/connected_user", headers={"Authorization": second["value"]}), 401)
    assert error_of(client.get("/v1/users/1/api_tokens"), 404)
    assert error_of(client.post(TOKENS, {}), 400)
    sandbox.reset()
    assert data_of(client.get(TOKENS)) == []
