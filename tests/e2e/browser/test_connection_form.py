"""Admin > Connections, as somebody who has just installed the provider uses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from airflow_provider_mics.get_provider_info import get_provider_info
from airflow_provider_mics.hooks.mics import MicsHook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator, Page

    from devel.cluster import LocalAirflow
    from devel.sandbox_process import SandboxProcess

CONNECTION: Final[dict[str, Any]] = get_provider_info()["connection-types"][0]
BEHAVIOUR: Final[dict[str, Any]] = CONNECTION["ui-field-behaviour"]
NAME: Final = "mics_from_the_form"
#: What the form calls the fields that we do not rename.
PLAIN: Final = {"description": "Description", "port": "Port"}


@pytest.fixture
def form(page: Page, airflow: LocalAirflow) -> Locator:
    page.goto("/connections")
    page.get_by_role("button", name="Add Connection").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").click()
    page.get_by_role("option", name=CONNECTION["hook-name"], exact=True).click()
    expect(dialog.locator("input[name=host]")).to_be_visible()
    return dialog


@pytest.fixture
def connection(form: Locator, page: Page, airflow: LocalAirflow, sandbox: SandboxProcess) -> Iterator[Locator]:
    """The row of a connection to the sandbox that was saved with the form."""
    fields = sandbox.connection
    form.locator("input[name=connection_id]").fill(NAME)
    form.locator("input[name=host]").fill(fields["host"])
    form.locator("input[name=port]").fill(str(urlsplit(fields["host"]).port))
    form.locator("input[name=password]").fill(fields["password"])
    open_section(form, "Extra Fields")
    extra_field(form, "datamart_id").fill(fields["extra"]["datamart_id"])
    extra_field(form, "timeout").fill("45")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    yield page.get_by_role("row").filter(has_text=NAME)
    airflow.api.delete_connection(NAME)


def open_section(form: Locator, name: str) -> None:
    form.get_by_role("button", name=name, exact=True).click()


def field(form: Locator, control: str) -> Locator:
    """Return the part of the form with a control, its label and its help text."""
    return form.locator("[data-scope=field][data-part=root]").filter(has=form.page.locator(control))


def extra_field(form: Locator, name: str) -> Locator:
    return form.locator(f"input#element_{name}, [id='number-input:element_{name}'] input")


def label_of(root: Locator) -> str:
    return root.locator("label").inner_text().strip()


def toast(page: Page, kind: str, text: str) -> Locator:
    return page.locator(f"[data-scope=toast][data-part=root][data-type={kind}]").filter(has_text=text)


def test_the_standard_fields_are_named_and_explained(form: Locator, show: Callable[[str], None]) -> None:
    show("connection-1-empty")
    names = PLAIN | BEHAVIOUR["relabeling"]
    for name, label in names.items():
        control = f"[name={name}]"
        expect(form.locator(control)).to_be_visible()
        assert label_of(field(form, control)) == label
        if name in BEHAVIOUR["placeholders"]:
            expect(form.locator(control)).to_have_attribute("placeholder", BEHAVIOUR["placeholders"][name])
    for name in BEHAVIOUR["hidden-fields"]:
        expect(form.locator(f"[name={name}]")).to_have_count(0)
    expect(form.locator("input[name=password]")).to_have_attribute("type", "password")


def test_a_name_stands_beside_its_field_in_one_line(form: Locator) -> None:
    for name in PLAIN | BEHAVIOUR["relabeling"]:
        # A long one wraps, and pushes its field out of the column.
        box = field(form, f"[name={name}]").locator("label").bounding_box()
        assert box is not None
        assert box["height"] < 30


def test_the_extra_fields_are_named_and_explained(form: Locator, show: Callable[[str], None]) -> None:
    open_section(form, "Extra Fields")
    for name, declared in CONNECTION["conn-fields"].items():
        control = extra_field(form, name)
        expect(control).to_be_visible()
        root = form.locator("[data-scope=field][data-part=root]").filter(has_text=declared["description"])
        expect(root).to_have_count(1)
        assert label_of(root) == declared["label"]
        expect(root.locator("[data-part=helper-text]")).to_have_text(declared["description"])
        is_number = "number" in declared["schema"]["type"]
        expect(root.get_by_role("spinbutton")).to_have_count(int(is_number))
    assert form.locator("[id^='element_'], [id^='number-input:element_'][data-part=root]").count() == len(
        CONNECTION["conn-fields"]
    )
    show("connection-2-extra-fields")


def test_only_id_and_type_are_required(form: Locator) -> None:
    open_section(form, "Extra Fields")
    labels = [label.text_content() or "" for label in form.locator("label").all()]
    assert [label.strip(" *") for label in labels if "*" in label] == ["Connection ID", "Connection Type"]
    form.locator("input[name=connection_id]").fill(NAME)
    form.locator("input[name=connection_id]").press("Tab")
    expect(form.get_by_role("button", name="Save")).to_be_enabled()


def test_the_saved_connection_works(
    connection: Locator,
    page: Page,
    airflow: LocalAirflow,
    sandbox: SandboxProcess,
    show: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection.get_by_role("button", name="Test Connection").click()
    expect(toast(page, "success", "Connected to datamart")).to_be_visible()
    show("connection-3-works")

    saved = airflow.api.connection(NAME)
    assert sandbox.connection["password"] not in json.dumps(saved)
    # Null and empty as the form leaves them; only the password is not given away.
    saved["extra"] = json.loads(saved["extra"])
    assert saved["extra"] == dict.fromkeys(CONNECTION["conn-fields"]) | {
        "datamart_id": sandbox.connection["extra"]["datamart_id"],
        "timeout": 45,
    }
    fields = {name: saved[name] for name in ("conn_type", "host", "port", "login", "schema", "extra")}
    fields["password"] = sandbox.connection["password"]
    monkeypatch.setenv("AIRFLOW_CONN_AS_SAVED", json.dumps(fields))
    hook = MicsHook("as_saved")
    assert hook.test_connection()[0]
    assert hook.connection.settings.timeout_s == pytest.approx(45)


def test_a_wrong_token_is_told_and_no_token_is_shown(
    connection: Locator, page: Page, sandbox: SandboxProcess, show: Callable[[str], None]
) -> None:
    connection.get_by_role("button", name="Edit Connection").click()
    form = page.get_by_role("dialog")
    password = form.locator("input[name=password]")
    expect(password).to_have_value("***")
    form.get_by_role("button", name="Show value").click()
    expect(password).to_have_value("***")
    assert sandbox.connection["password"] not in page.content()
    password.fill("api:wrong")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()

    connection.get_by_role("button", name="Test Connection").click()
    refused = toast(page, "error", "The API does not accept the token")
    expect(refused).to_be_visible()
    assert "api:wrong" not in refused.inner_text()
    show("connection-4-wrong-token")
