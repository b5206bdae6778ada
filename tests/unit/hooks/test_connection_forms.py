"""A connection means the same in each form that Airflow keeps it in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk import Connection
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.api.credentials import LoginCredentials
from airflow_provider_mics.hooks.connection import MicsConnection, read_connection

EXTRA = {
    "datamart_id": "1509",
    "timeout": 60,
    "verify": False,
    "rate_limit": None,
    "navigator_url": "https://n.example",
}
#: Hosts as people write them, and the address they mean.
HOSTS = {
    "https://api.example.com": "https://api.example.com",
    "https://api.example.com/": "https://api.example.com",
    "https://api.example.com:8443/base": "https://api.example.com:8443/base",
    "api.example.com": "https://api.example.com",
    "http://127.0.0.1:8010": "http://127.0.0.1:8010",
    "http://localhost:8010": "http://localhost:8010",
    "http://[::1]:8010": "http://[::1]:8010",
}


def read(connection: Connection) -> MicsConnection:
    return read_connection(
        host=connection.host,
        port=connection.port,
        schema=connection.schema,
        login=connection.login,
        password=connection.password,
        extra=connection.extra_dejson,
    )


def as_uri(connection: Connection) -> Connection:
    return Connection.from_uri(connection.get_uri(), conn_id="mics_default")


def as_json(connection: Connection) -> Connection:
    return Connection.from_json(connection.as_json(), conn_id="mics_default")


def meaning(connection: Connection) -> dict[str, Any]:
    found = read(connection)
    credentials = found.credentials
    secret = credentials.renewal().content if isinstance(credentials, LoginCredentials) else credentials.header(0)
    return {
        "settings": found.settings,
        "secret": secret,
        "datamart_id": found.datamart_id,
        "organisation_id": found.organisation_id,
        "navigator_url": found.navigator_url,
    }


def made(**fields: Any) -> Connection:
    fields.setdefault("extra", json.dumps(EXTRA))
    return Connection(conn_id="mics_default", conn_type="mics", **fields)


@pytest.mark.parametrize(("host", "address"), HOSTS.items())
def test_hosts_survive_every_form(host: str, address: str) -> None:
    connection = made(host=host, password="api:token")
    assert meaning(connection)["settings"].base_url == address
    assert meaning(as_uri(connection)) == meaning(as_json(connection)) == meaning(connection)


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"datamart_id": "1509"},
        {"datamart_id": 1509, "organisation_id": 1426},
        {"datamart_id": "1509", "timeout": "60", "verify": "false", "rate_limit": "2.5"},
        {"datamart_id": None, "timeout": None, "verify": None, "proxy": None, "navigator_url": None},
        {"proxy": "http://user:p%40ss@proxy.example:3128", "verify": "/etc/ssl/my ca.pem"},
    ],
)
def test_extras_survive_every_form(extra: dict[str, Any]) -> None:
    connection = made(host="https://api.example.com", password="api:token", extra=json.dumps(extra))
    assert meaning(as_uri(connection)) == meaning(as_json(connection)) == meaning(connection)


#: What a token may be made of, and with it everything that means something in a URI.
TOKENS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)
PASSWORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(lambda text: text.strip())


@given(TOKENS, st.sampled_from(sorted(HOSTS)))
def test_any_token_survives_every_form(token: str, host: str) -> None:
    connection = made(host=host, password=f"api:{token}")
    assert meaning(connection)["secret"] == f"api:{token}"
    assert meaning(as_uri(connection)) == meaning(as_json(connection)) == meaning(connection)


@given(st.emails(), PASSWORDS)
def test_any_login_survives_every_form(login: str, password: str) -> None:
    connection = made(host="https://api.example.com", login=login, password=password)
    assert meaning(as_uri(connection)) == meaning(as_json(connection)) == meaning(connection)


@pytest.mark.parametrize(
    "uri",
    [
        "mics://:api%3As3cret%2F%40@api.example.com:8443?datamart_id=1509&verify=false&timeout=60",
        "mics://https://:api%3As3cret%2F%40@api.example.com:8443/?datamart_id=1509&verify=False&timeout=60.0",
        "mics://:api%3As3cret%2F%40@api.example.com:8443/https?datamart_id=1509&verify=no&timeout=60",
        "mics://:api%3As3cret%2F%40@https%3A%2F%2Fapi.example.com%3A8443/?datamart_id=1509&verify=0&timeout=60",
    ],
)
def test_uris_as_people_write_them(uri: str) -> None:
    found = meaning(Connection.from_uri(uri, conn_id="mics_default"))
    assert found["settings"].base_url == "https://api.example.com:8443"
    assert (found["settings"].verify, found["settings"].timeout_s) == (False, 60)
    assert (found["secret"], found["datamart_id"]) == ("api:s3cret/@", "1509")


def test_an_ipv6_address_that_airflow_has_stripped_of_its_brackets() -> None:
    connection = Connection.from_uri("mics://:token@[::1]:8010/http", conn_id="mics_default")
    assert connection.host == "::1"
    assert read(connection).settings.base_url == "http://[::1]:8010"
