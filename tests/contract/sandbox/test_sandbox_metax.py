"""MetaX: tokens and histories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import requests

    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.sandbox.sandbox_client import Client

STAT = "/metax/3.0/ui/user/stat"
SUBSCRIBER = "user%40example.org"
OAUTH = "/ums/2.0/oauth/"


@pytest.fixture
def metax(client: Client) -> Client:
    client.session.headers["Authorization"] = "Bearer metax-sandbox-token"
    return client


def put(metax: Client, body: Any, query: str = "", **options: Any) -> requests.Response:
    return metax.call("PUT", f"{STAT}/{SUBSCRIBER}{query}", json=body, **options)


def history(metax: Client) -> Any:
    return metax.control(f"metax/subscribers/{SUBSCRIBER}")


def test_delta(metax: Client, sandbox: Sandbox) -> None:
    first = {"asset_id": "XYZ", "play_count": 2, "view_time": 60, "pause_time": 30, "last_played_on": 1718000000000}
    other = {"asset_id": "ABC", "user_rating": 0}
    response = put(metax, {"favorites": ["a", "b"], "view_data": [first, other]})
    assert (response.status_code, response.json()) == (200, {"result": "success"})
    assert history(metax) == {"favorites": ["a", "b"], "view_data": [first, other]}
    put(metax, {"view_data": [{"asset_id": "XYZ", "user_rating": 4.5}]}, "?isDelta=true").raise_for_status()
    rated = {**first, "user_rating": 4.5}
    assert history(metax) == {"favorites": ["a", "b"], "view_data": [rated, other]}
    put(metax, {"favorites": ["c"], "user_id": "ignored"}).raise_for_status()
    assert history(metax) == {"favorites": ["c"], "view_data": [rated, other]}
    put(metax, {"favorites": []}).raise_for_status()
    assert history(metax) == {"favorites": [], "view_data": [rated, other]}
    put(metax, {"view_data": []}).raise_for_status()
    assert history(metax)["view_data"] == [rated, other]
    assert metax.control("metax/subscribers") == {"subscribers": 1}
    assert sandbox.items.committed("put_user_stats") == {"user@example.org": 5}
    assert sandbox.metax.subscribers.get("user@example.org") == history(metax)


def test_favorites(metax: Client) -> None:
    path = f"/metax/2.1/activity/fav/{SUBSCRIBER}"
    assert metax.call("GET", path).json() == []
    put(metax, {"favorites": ["a"]}).raise_for_status()
    for asset in ("b", "b"):
        metax.call("PUT", f"{path}/{asset}").raise_for_status()
    assert metax.call("GET", path, params={"size": "max"}).json() == [{"Id": "a"}, {"Id": "b"}]
    for asset in ("a", "nothing"):
        metax.call("DELETE", f"{path}/{asset}").raise_for_status()
    assert history(metax)["favorites"] == ["b"]


def test_lifetime(metax: Client) -> None:
    put(metax, {"favorites": ["a"], "view_data": [{"asset_id": "X", "play_count": 1}]}).raise_for_status()
    put(metax, {"view_data": [{"asset_id": "Y"}]}, "?isDelta=false").raise_for_status()
    assert history(metax) == {"favorites": [], "view_data": [{"asset_id": "Y"}]}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"favorites": "a"}, "favorites"),
        ({"favorites": None}, "favorites"),
        ({"favorites": [1]}, "favorites"),
        ({"view_data": {}}, "view_data"),
        ({"view_data": [{"play_count": 1}]}, "asset_id"),
        ({"view_data": [{"asset_id": "X"}, {"asset_id": "Y", "play_count": -1}]}, "count is not valid in view_data[1]"),
        ({"view_data": [{"asset_id": "X", "view_time": 1.5}]}, "view_time"),
        ({"view_data": [{"asset_id": "X", "user_rating": 6}]}, "user_rating"),
        ({"view_data": [{"asset_id": "X", "last_played_on": True}]}, "last_played_on"),
        ([], "object"),
    ],
)  # fmt: skip
def test_bad_bodies(metax: Client, sandbox: Sandbox, body: Any, reason: str) -> None:
    response = put(metax, body)
    assert response.status_code == 400
    answer = response.json()
    assert (answer["result"], answer["message"]) == ("error", "BAD_REQUEST")
    assert reason in answer["reason"]
    assert len(sandbox.metax.subscribers) == 0


def test_other_refusals(metax: Client, sandbox: Sandbox) -> None:
    assert put(metax, {}, "?isDelta=no").status_code == 400
    assert put(metax, {}, headers={"Content-Type": "text/plain"}).status_code == 400
    for method, path in (("PUT", f"{STAT}/"), ("PUT", "/metax/3.0/elsewhere"), ("GET", f"{STAT}/{SUBSCRIBER}")):
        response = metax.call(method, path)
        assert (response.status_code, "HTTP Status 404" in response.text) == (404, True)
        assert response.headers["Content-Type"].startswith("text/html")
    assert metax.get(f"/_sandbox/metax/subscribers/{SUBSCRIBER}").status_code == 404
    put(metax, {}).raise_for_status()
    metax.control("reset", {})
    assert len(sandbox.metax.subscribers) == 0


@pytest.mark.parametrize(
    ("value", "reason"),
    [(None, "No Authorization Token"), ("metax-sandbox-token", "No Authorization Token"), ("Bearer x", "Invalid")],
)
def test_without_a_good_token(metax: Client, value: str | None, reason: str) -> None:
    del metax.session.headers["Authorization"]
    response = put(metax, {}, headers={} if value is None else {"Authorization": value})
    answer = response.json()
    assert (response.status_code, answer["result"], answer["message"]) == (401, "error", "UNAUTHORIZED")
    assert answer["reason"].startswith(reason)


def test_client_credentials(metax: Client, sandbox: Sandbox) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = metax.call("POST", OAUTH, auth=("sandbox-client", "sandbox-client-secret"), headers=form).json()
    assert (answer["version"], answer["client_id"], answer["expires_in"]) == ("1.1", "sandbox-client", 3600)
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    assert put(metax, {}, headers=bearer).status_code == 200
    sandbox.advance(3599)
    assert put(metax, {}, headers=bearer).status_code == 200
    sandbox.advance(1)
    assert put(metax, {}, headers=bearer).status_code == 401
    metax.control("settings", {"metax_expires_in_s": 10})
    answer = metax.call("POST", "/ums/2.0/oauth", auth=("sandbox-client", "sandbox-client-secret")).json()
    assert answer["expires_in"] == 10
    metax.control("metax/tokens/revoke", {})
    assert put(metax, {}, headers={"Authorization": f"Bearer {answer['access_token']}"}).status_code == 401
    for value in ("Basic !", "Basic eA==", "Bearer eA==", "Basic c2FuZGJveC1jbGllbnQ6eA=="):
        assert metax.call("POST", OAUTH, headers={"Authorization": value}).status_code == 401


def test_rotation(metax: Client, sandbox: Sandbox) -> None:
    assert metax.control("metax/tokens/rotate", {"token": "new"}) == {"token": "new"}
    assert sandbox.metax.access.token == "new"
    assert put(metax, {}).status_code == 401
    assert put(metax, {}, headers={"Authorization": "Bearer new"}).status_code == 200


def test_faults_strike_here_too(metax: Client, sandbox: Sandbox) -> None:
    sandbox.faults.plan("status", kind="put_user_stats", when="after_body", status=503, retry_after=1)
    assert put(metax, {"favorites": ["a"]}).status_code == 503
    sandbox.faults.plan("status", kind="create_metax_token", status=500)
    assert metax.call("POST", OAUTH).status_code == 500
    assert metax.control("items") == {"put_user_stats": {"items": 1, "received": {"1": 1}, "committed": {}}}
