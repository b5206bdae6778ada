"""Connections of type metax: what they say in each form, what is wrong with others, and the form itself."""

from __future__ import annotations

import ast
import inspect
import json
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]
import pytest
from airflow.sdk import Connection

from airflow_provider_mics.api.credentials import TokenCredentials
from airflow_provider_mics.api.metax_credentials import DEFAULT_OAUTH_URL, ClientCredentials
from airflow_provider_mics.api.settings import APISettings
from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.get_provider_info import get_provider_info
from airflow_provider_mics.hooks import connection as shared
from airflow_provider_mics.hooks import metax_connection
from airflow_provider_mics.hooks.metax import MetaxHook
from airflow_provider_mics.hooks.metax_connection import MetaxConnection, read_metax_connection

HOST = "https://metax.example.com"
SECRET = "s3cret-token"
(FORM,) = [item for item in get_provider_info()["connection-types"] if item["connection-type"] == "metax"]
FIELDS: Final[dict[str, Any]] = FORM["conn-fields"]
#: A value for each field of the form that is not its default.
VALUES: Final[dict[str, Any]] = {
    "oauth_url": "https://oauth.example.com/token",
    "timeout": 7,
    "verify": "false",
    "proxy": "http://proxy.example:3128",
    "rate_limit": 3.5,
}


def read(
    *,
    host: str | None = HOST,
    port: int | None = None,
    schema: str | None = None,
    login: str | None = None,
    password: str | None = SECRET,
    extra: dict[str, Any] | None = None,
    **others: Any,
) -> MetaxConnection:
    return read_metax_connection(
        host=host, port=port, schema=schema, login=login, password=password, extra=extra or {}, **others
    )


def meaning(found: MetaxConnection) -> tuple[APISettings, Any]:
    return found.settings, found.credentials


def test_an_access_token() -> None:
    found = read()
    assert found.settings == APISettings(base_url=HOST)
    assert isinstance(found.credentials, TokenCredentials)
    assert found.credentials.header(0) == "Bearer s3cret-token"


def test_a_client_id_and_secret() -> None:
    assert read(login=" client ", password="s3cret").credentials == ClientCredentials("client", "s3cret")
    renewal = read(login="client", extra={"oauth_url": "https://x.example/t"}).credentials.renewal()
    assert renewal is not None
    assert (renewal.base_url, renewal.path) == ("https://x.example", "/t")
    renewal = read(login="client", extra={"oauth_url": None}).credentials.renewal()
    assert renewal is not None
    assert f"{renewal.base_url}{renewal.path}" == DEFAULT_OAUTH_URL


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"login": "client", "password": "s/cr@t: é"},
        {"host": "metax.example.com", "port": 8443},
        {"host": "http://127.0.0.1:8010"},
        {"extra": VALUES},
        {"login": "client", "extra": dict.fromkeys(FIELDS)},
    ],
)
def test_every_form_means_the_same(fields: dict[str, Any]) -> None:
    given = {"host": HOST, "password": "s3cret-token", **fields, "extra": json.dumps(fields.get("extra", {}))}
    original = Connection(conn_id="metax_default", conn_type="metax", **given)
    forms = [
        original,
        Connection.from_uri(original.get_uri(), conn_id="metax_default"),
        Connection.from_json(original.as_json(), conn_id="metax_default"),
    ]
    found = [
        read(
            host=form.host,
            port=form.port,
            schema=form.schema,
            login=form.login,
            password=form.password,
            extra=form.extra_dejson,
        )
        for form in forms
    ]
    assert meaning(found[0]) == meaning(found[1]) == meaning(found[2])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"host": None}, "has no host"),
        ({"host": " "}, "has no host"),
        ({"host": "http://metax.example.com"}, "only over https"),
        ({"host": "https://[::1"}, "not an address"),
        ({"password": None}, "has no password"),
        ({"password": " ", "login": "client"}, "has no password"),
        ({"password": "Bearer s3cret"}, "Put only the access token there; 'Bearer' is put before it"),
        ({"password": "s3cret token"}, "is no access token"),
        ({"login": "client:id"}, "no colon"),
        ({"login": "client", "extra": {"oauth_url": "http://oauth.example.com"}}, "oauth_url is http://oauth"),
        ({"login": "client", "extra": {"oauth_url": "s3cret"}}, "oauth_url of the connection must be an address"),
        ({"extra": {"timeout": "s3cret"}}, "timeout"),
    ],
)
def test_what_cannot_be_right_is_named_and_shows_no_secret(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(MicsConfigurationError, match=said) as caught:
        read(**fields)
    assert "s3cret" not in str(caught.value)


def test_no_representation_shows_a_secret() -> None:
    assert "s3cret" not in repr(read())
    assert "s3cret" not in repr(read(login="client", password="s3cret"))


def test_a_secret_with_white_space_around_it_is_masked_without_it_too() -> None:
    told: list[str] = []
    read(password=" s3cret-token\n", on_new_secret=told.append)
    assert told == ["s3cret-token"]


def names_read() -> set[str]:
    """Return the names that are taken from ``given``, here and by what connections of both types share."""
    sources = [inspect.getsource(metax_connection), inspect.getsource(shared.settings_of)]
    found = set()
    for node in (node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        asked = node.func.value if isinstance(node.func, ast.Attribute) else None
        names = [part.id for part in [asked, *node.args] if isinstance(part, ast.Name)]
        texts = [part.value for part in node.args if isinstance(part, ast.Constant)]
        if "given" in names and texts:
            found.add(str(texts[0]))
    return found


def test_the_form_has_the_fields_that_are_read() -> None:
    assert names_read() == set(FIELDS) == set(VALUES)


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_of_the_form_is_explained_optional_and_makes_a_difference(name: str) -> None:
    field = FIELDS[name]
    assert field["label"]
    assert field["description"]
    jsonschema.validate(VALUES[name], field["schema"])
    jsonschema.validate(None, field["schema"])
    empty = dict.fromkeys(FIELDS)
    assert meaning(read(login="client", extra=empty)) == meaning(read(login="client"))
    assert meaning(read(login="client", extra=empty | {name: VALUES[name]})) != meaning(read(login="client"))


def test_the_form_says_what_goes_where() -> None:
    behaviour = FORM["ui-field-behaviour"]
    assert {"host", "login", "password"} <= set(behaviour["relabeling"])
    # Without a port, Airflow 3.3.1 and 3.3.2 do not test a stored connection.
    assert not {"port", "login", "password"} & set(behaviour["hidden-fields"])


def test_the_hook_touches_no_connection_before_it_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = MetaxHook("no_such_connection")
    assert (hook.metax_conn_id, MetaxHook().metax_conn_id) == ("no_such_connection", "metax_default")
    value = {"conn_type": "metax", "host": HOST, "password": "s3cret"}
    monkeypatch.setenv("AIRFLOW_CONN_METAX_DEFAULT", json.dumps(value))
    hook = MetaxHook()
    assert hook.connection.settings.base_url == HOST
    assert hook.client is hook.client
