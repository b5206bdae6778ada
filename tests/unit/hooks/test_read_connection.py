from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_mics.api.credentials import LoginCredentials, TokenCredentials
from airflow_provider_mics.api.settings import APISettings
from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.hooks.connection import MicsConnection, read_connection

TOKEN = "api:s3cret-token"


def read(
    *,
    host: str | None = None,
    port: int | None = None,
    schema: str | None = None,
    login: str | None = None,
    password: str | None = TOKEN,
    **extra: Any,
) -> MicsConnection:
    return read_connection(host=host, port=port, schema=schema, login=login, password=password, extra=extra)


def test_a_token_is_enough() -> None:
    found = read()
    assert found.settings == APISettings(base_url="https://api.mediarithmics.com", timeout_s=120, verify=True)
    assert isinstance(found.credentials, TokenCredentials)
    assert found.credentials.header(0) == TOKEN
    assert (found.datamart_id, found.organisation_id) == (None, None)
    assert found.navigator_url == "https://navigator.mediarithmics.com"


ALL = APISettings(
    base_url="https://api.example.com",
    timeout_s=60,
    verify="/etc/ssl/ca.pem",
    proxy="http://proxy.example:3128",
    rate_limit=2.5,
)


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({"timeout": 60, "rate_limit": 2.5, "datamart_id": "1509", "organisation_id": "1426"}, id="form"),
        pytest.param({"timeout": 60.0, "rate_limit": 2.5, "datamart_id": 1509, "organisation_id": 1426}, id="JSON"),
        pytest.param(
            {"timeout": "60", "rate_limit": "2.5", "datamart_id": "1509", "organisation_id": "1426"}, id="URI"
        ),
    ],
)
def test_all_of_it_in_every_form(extra: dict[str, Any]) -> None:
    found = read(
        host="https://api.example.com/",
        verify="/etc/ssl/ca.pem",
        proxy="http://proxy.example:3128",
        navigator_url="https://navigator.example.com/",
        **extra,
    )
    assert found.settings == ALL
    assert (found.datamart_id, found.organisation_id) == ("1509", "1426")
    assert found.navigator_url == "https://navigator.example.com"


@pytest.mark.parametrize("nothing", [None, ""])
def test_fields_of_the_form_that_were_left_empty_mean_the_default(nothing: str | None) -> None:
    names = ("datamart_id", "organisation_id", "navigator_url", "timeout", "rate_limit", "list_lag", "verify", "proxy")
    found = read(host=nothing, schema=nothing, login=nothing, **dict.fromkeys(names, nothing))
    plain = read()
    assert found.settings == plain.settings
    assert (found.datamart_id, found.organisation_id, found.navigator_url) == (None, None, plain.navigator_url)


@pytest.mark.parametrize(
    ("host", "port", "schema", "expected"),
    [
        ("api.example.com", None, None, "https://api.example.com"),
        ("api.example.com", 8443, None, "https://api.example.com:8443"),
        ("api.example.com:8443", None, None, "https://api.example.com:8443"),
        ("api.example.com:8443", 9, None, "https://api.example.com:8443"),
        ("api.example.com", None, "https", "https://api.example.com"),
        ("https://api.example.com", 8443, "http", "https://api.example.com:8443"),
        ("https://api.example.com/base", 8443, None, "https://api.example.com:8443/base"),
        ("127.0.0.1", 8010, "http", "http://127.0.0.1:8010"),
        ("http://127.0.0.1", 8010, "", "http://127.0.0.1:8010"),
        ("::1", 8010, "http", "http://[::1]:8010"),
        ("[::1]", 8010, "http", "http://[::1]:8010"),
        ("2001:db8::1", None, None, "https://[2001:db8::1]"),
    ],
)
def test_the_address(host: str, port: int | None, schema: str | None, expected: str) -> None:
    assert read(host=host, port=port, schema=schema).settings.base_url == expected


@pytest.mark.parametrize(
    ("verify", "expected"),
    [
        (None, True),
        ("", True),
        (True, True),
        ("true", True),
        ("True", True),
        (" yes ", True),
        ("1", True),
        (1, True),
        (False, False),
        ("false", False),
        ("False", False),
        ("no", False),
        ("0", False),
        (0, False),
        ("off", False),
        ("/etc/ssl/ca.pem", "/etc/ssl/ca.pem"),
        (" ca.pem ", "ca.pem"),
    ],
)
def test_verify_is_a_switch_or_a_file(verify: Any, expected: bool | str) -> None:
    assert read(verify=verify).settings.verify == expected


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": None}, "no password"),
        ({"password": ""}, "no password"),
        ({"password": " \n"}, "no password"),
        ({"password": None, "login": "jeanne@example.com"}, "no password"),
        ({"password": "Bearer s3cret-token"}, "begins with 'Bearer'"),
        ({"password": "bearer s3cret-token"}, "begins with 'Bearer'"),
        ({"password": "s3cret token"}, "is no API token"),
        ({"password": "s3cret\ntoken"}, "is no API token"),
        ({"password": "s3cret-töken"}, "is no API token"),
        ({"host": "http://api.example.com"}, "only over https"),
        ({"host": "api.example.com", "schema": "http"}, "only over https"),
        ({"host": "https://user:s3cret-token@api.example.com"}, "user name or password"),
        ({"host": "https://[::1"}, "not an address"),
        ({"host": "https://api.example.com:x"}, "not an address"),
        ({"host": "api.example.com", "schema": "v1"}, "must be an address"),
        ({"datamart_id": "s3cret-token"}, "datamart id of the connection"),
        ({"datamart_id": "1509/../1"}, "datamart id of the connection"),
        ({"organisation_id": True}, "organisation id of the connection"),
        ({"timeout": "s3cret-token"}, "timeout"),
        ({"timeout": True}, "timeout"),
        ({"timeout": [1]}, "timeout"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": "-1"}, "timeout"),
        ({"timeout": "nan"}, "timeout"),
        ({"timeout": "inf"}, "timeout"),
        ({"timeout": 10**400}, "timeout"),
        ({"rate_limit": "0"}, "rate_limit"),
        ({"rate_limit": "many"}, "rate_limit"),
        ({"list_lag": "long"}, "list_lag"),
        ({"proxy": "socks5://user:s3cret-token@proxy.example"}, "HTTP proxy"),
    ],
)
def test_what_cannot_be_right_is_named_and_shows_no_secret(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(MicsConfigurationError, match=said) as caught:
        read(**fields)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(caught.value.__cause__)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_with_a_login_the_password_is_that_account_s() -> None:
    credentials = read(login=" jeanne@example.com ", password=" pass word ").credentials
    assert isinstance(credentials, LoginCredentials)
    assert credentials.renewal().content == b'{"email":"jeanne@example.com","password":" pass word "}'


def test_a_login_of_spaces_is_none() -> None:
    assert isinstance(read(login="  ").credentials, TokenCredentials)


@pytest.mark.parametrize(("password", "told"), [(TOKEN, []), (f" {TOKEN}\n", [TOKEN])])
def test_a_token_with_white_space_around_it_is_masked_without_it_too(password: str, told: list[str]) -> None:
    heard: list[str] = []
    found = read_connection(
        host=None, port=None, schema=None, login=None, password=password, extra={}, on_new_secret=heard.append
    )
    assert found.credentials.header(0) == TOKEN
    assert heard == told


def test_no_representation_shows_a_secret() -> None:
    found = read(proxy="http://user:s3cret@proxy.example:3128", password="s3cret")
    assert "s3cret" not in repr(found)
    assert "s3cret" not in str(found)
