"""Tokens, logins, rights."""

from __future__ import annotations

import pytest
import requests

from airflow_provider_mics.sandbox import Sandbox
from tests.contract.sandbox.sandbox_client import Client, data_of, error_of

LOGIN = {"email": "technical.user@example.com", "password": "sandbox-password"}


@pytest.mark.parametrize("value", ["api:sandbox-token", "sandbox-token"])
def test_both_forms_of_the_token_are_good(client: Client, value: str) -> None:
    client.session.headers["Authorization"] = value
    assert client.get("/v1/connected_user").status_code == 200


@pytest.mark.parametrize("value", [None, "", "api:", "wrong", "Bearer api:sandbox-token", "API:sandbox-token"])
def test_other_values_are_not(client: Client, value: str | None) -> None:
    client.session.headers["Authorization"] = value  # type: ignore[assignment]
    assert "Authentication" in error_of(client.get("/v1/connected_user"), 401)
    assert error_of(client.get("/v1/nowhere"), 401)


def test_upload_with_a_bad_token_is_answered_although_its_body_is_not_taken(client: Client) -> None:
    import_id = client.create_import()
    client.session.headers["Authorization"] = "wrong"
    assert error_of(client.upload(import_id, b"x" * 5_000_000), 401)
    client.session.headers["Authorization"] = client.sandbox.token
    assert client.executions(import_id) == []


def test_rights() -> None:
    with Sandbox(datamarts={"1": "10", "2": "20"}, forbidden_datamarts=["3"]) as sandbox, Client(sandbox) as client:
        assert (sandbox.datamart_id, sandbox.organisation_id, sandbox.forbidden_datamart_id) == ("1", "10", "3")
        assert data_of(client.get("/v1/datamarts/2"))["organisation_id"] == "20"
        assert client.get("/v1/datamarts/2/document_imports").status_code == 200
        for path in (
            "/v1/datamarts/3",
            "/v1/datamarts/3/document_imports",
            "/v1/datamarts/3/document_imports/1/executions",
        ):
            assert error_of(client.get(path), 403) == "User is not authorized to perform this operation"
        assert error_of(client.get("/v1/datamarts/4/document_imports"), 404) == "Resource Not Found"
        assert [item["id"] for item in data_of(client.get("/v1/datamarts", organisation_id="20"))] == ["2"]
        assert client.get("/v1/datamarts").json()["total"] == 2
        user = data_of(client.get("/v1/connected_user"))
        assert [item["organisation_id"] for item in user["workspaces"]] == ["10", "20"]


def test_import_of_one_datamart_is_not_seen_from_another() -> None:
    with Sandbox(datamarts={"1": "10", "2": "20"}) as sandbox, Client(sandbox) as client:
        import_id = client.create_import()
        assert client.get(f"/v1/datamarts/1/document_imports/{import_id}").status_code == 200
        assert error_of(client.get(f"/v1/datamarts/2/document_imports/{import_id}"), 404)


def test_login_brings_a_token_that_ends(client: Client) -> None:
    client.sandbox.settings.expires_in_s = 60
    login = data_of(client.post("/v1/authentication/access_tokens", LOGIN))
    assert login == {"access_token": login["access_token"], "expires_in": 60, "refresh_token": None}
    client.session.headers["Authorization"] = login["access_token"]
    assert client.get("/v1/connected_user").status_code == 200
    client.sandbox.advance(61)
    assert error_of(client.get("/v1/connected_user"), 401)


def test_login_needs_no_token_but_the_right_password(client: Client) -> None:
    del client.session.headers["Authorization"]
    for path in ("access_tokens", "refresh_tokens"):
        url = f"/v1/authentication/{path}"
        assert client.post(url, LOGIN).status_code == 200
        assert error_of(client.post(url, LOGIN | {"password": "x"}), 401)
        assert error_of(client.post(url, {"email": LOGIN["email"]}), 400)
        assert error_of(client.call("POST", url, data=b"{"), 400)
        assert error_of(client.post(url, ["x"]), 400)
    client.sandbox.settings.password_expired = True
    response = client.post("/v1/authentication/access_tokens", LOGIN)
    assert error_of(response, 401)
    assert response.json()["error_code"] == "EXPIRED_PASSWORD_ERROR"


def test_refresh_token(client: Client) -> None:
    refresh = data_of(client.post("/v1/authentication/refresh_tokens", LOGIN))["refresh_token"]
    body = {"refresh_token": refresh}
    first = data_of(client.post("/v1/authentication/access_tokens", body))
    assert first["refresh_token"] is None
    client.sandbox.settings.rotate_refresh_tokens = True
    renewed = data_of(client.post("/v1/authentication/access_tokens", body))["refresh_token"]
    assert error_of(client.post("/v1/authentication/access_tokens", body), 401)
    body = {"refresh_token": renewed}
    assert client.post("/v1/authentication/refresh_token/revoke", body).status_code == 200
    assert error_of(client.post("/v1/authentication/access_tokens", body), 401)


def test_tokens_change_at_run_time(client: Client, sandbox: Sandbox) -> None:
    issued = data_of(client.post("/v1/authentication/access_tokens", LOGIN))["access_token"]
    old = sandbox.token
    new = sandbox.rotate_token()
    assert new.startswith("api:")
    assert sandbox.token == new != old
    assert error_of(client.get("/v1/connected_user"), 401)
    for value in (new, issued):
        client.session.headers["Authorization"] = value
        assert client.get("/v1/connected_user").status_code == 200
    sandbox.revoke_tokens()
    assert error_of(client.get("/v1/connected_user"), 401)
    assert sandbox.rotate_token("mine") == "mine"
    assert requests.get(f"{sandbox.url}/v1/connected_user", headers={"Authorization": "api:mine"}, timeout=9).ok


def test_several_tokens() -> None:
    with Sandbox(token="one", more_tokens=["api:two"]) as sandbox, Client(sandbox) as client:
        for value in ("one", "two", "api:one"):
            client.session.headers["Authorization"] = value
            assert client.get("/v1/connected_user").status_code == 200


def test_unknown_paths_and_methods(client: Client) -> None:
    assert error_of(client.get("/v1/nowhere"), 404) == "Resource Not Found"
    assert error_of(client.call("PATCH", client.base), 405)
    response = client.call("HEAD", "/v1/connected_user")
    assert (response.status_code, response.content) == (405, b"")
