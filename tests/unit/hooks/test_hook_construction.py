"""What the hook does before it needs its connection, and what it says of its connection when it does."""

from __future__ import annotations

import json

import pytest

from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.hooks.mics import MicsHook


def connect(monkeypatch: pytest.MonkeyPatch, **fields: object) -> None:
    value = {"conn_type": "mics", "password": "api:s3cret", **fields}
    monkeypatch.setenv("AIRFLOW_CONN_MICS_DEFAULT", json.dumps(value))


def test_constructing_it_touches_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        pytest.fail("the connection was asked for")

    monkeypatch.setattr(MicsHook, "get_connection", fail)
    hook = MicsHook("no_such_connection", datamart_id="1509")
    assert hook.datamart_id == "1509"
    assert (MicsHook().mics_conn_id, MicsHook.conn_type, MicsHook.default_conn_name) == (
        "mics_default",
        "mics",
        "mics_default",
    )


def test_its_connection_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, extra={"datamart_id": "1509"})
    hook = MicsHook()
    assert hook.datamart_id == "1509"
    monkeypatch.delenv("AIRFLOW_CONN_MICS_DEFAULT")
    assert hook.datamart_id == "1509"
    assert hook.client is hook.client


@pytest.mark.parametrize(
    ("argument", "extra", "expected"),
    [("7", {"datamart_id": "8"}, "7"), (None, {"datamart_id": "8"}, "8"), (None, {"datamart_id": 8}, "8")],
)
def test_the_datamart_is_the_argument_s_or_else_the_connection_s(
    argument: str | None, extra: dict[str, object], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, extra=extra)
    assert MicsHook(datamart_id=argument).datamart_id == expected


def test_without_any_datamart_it_says_where_to_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch)
    with pytest.raises(MicsConfigurationError, match=r"connection mics_default\..*Set datamart_id"):
        _ = MicsHook().datamart_id


def test_a_template_that_was_not_rendered_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch)
    with pytest.raises(MicsConfigurationError, match="must be a number"):
        _ = MicsHook(datamart_id="{{ var.value.dm }}").datamart_id


@pytest.mark.parametrize("wrong", ["../../x", "{{ ti.xcom_pull() }}", "1?a=b"])
def test_what_is_no_id_enters_no_address_in_navigator(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, extra={"datamart_id": "1509", "organisation_id": "1426"})
    with pytest.raises(MicsConfigurationError, match="must be a number"):
        MicsHook().document_import_url(wrong)


@pytest.mark.parametrize("extra", [{}, {"navigator_url": "https://navigator.example/"}])
def test_the_address_of_an_import_in_navigator(extra: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, extra={"datamart_id": "1509", "organisation_id": "1426", **extra})
    base = "https://navigator.example" if extra else "https://navigator.mediarithmics.com"
    assert MicsHook().document_import_url("36271") == f"{base}/#/v2/o/1426/datastudio/datamart/1509/imports/36271"
