"""The example that is started by hand: its form, its run, and the way from its task to Navigator."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from playwright.sync_api import expect

from devel.airflow_rest import quoted
from tests.e2e.conftest import BAD_LINES

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from devel.cluster import LocalAirflow
    from devel.crm_export import CrmExport
    from devel.sandbox_process import SandboxProcess

DAG: Final = "import_file"
LINK: Final = "Document import in mediarithmics"


@pytest.fixture
def params(airflow: LocalAirflow) -> dict[str, dict[str, Any]]:
    """What the Dag declares, by name."""
    airflow.api.wait_dag(DAG)
    declared = airflow.api.call("GET", f"/dags/{DAG}/details")["params"]
    return {
        name: {"value": param["value"], "description": param["description"], **param["schema"]}
        for name, param in declared.items()
    }


@pytest.fixture
def form(page: Page, params: dict[str, dict[str, Any]]) -> Locator:
    page.goto(f"/dags/{DAG}")
    page.get_by_role("button", name="Trigger").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("#element_path")).to_be_visible()
    return dialog


def root_of(form: Locator, title: str) -> Locator:
    label = form.page.locator("label", has_text=re.compile(rf"^{re.escape(title)}\W*$"))
    return form.locator("[data-scope=field][data-part=root]").filter(has=label)


def test_every_parameter_has_title_help_and_the_right_control(
    form: Locator, page: Page, params: dict[str, dict[str, Any]], show: Callable[[str], None]
) -> None:
    show("trigger-1-empty")
    for name, param in params.items():
        root = root_of(form, param["title"])
        expect(root).to_have_count(1)
        assert root.locator("label").inner_text().strip(" *\n") == param["title"]
        expect(root.locator("[data-part=helper-text]")).to_have_text(param["description"])
        if "enum" in param:
            expect(root.locator(f"#element_{name}")).to_contain_text(param["values_display"][param["value"]])
            root.get_by_role("combobox").click()
            options = page.get_by_role("option")
            expect(options).to_have_text([param["values_display"][value] for value in param["enum"]])
            show(f"trigger-2-{name}")
            options.get_by_text(param["values_display"][param["value"]], exact=True).click()
            expect(options).to_have_count(0)
        elif param["type"] == "integer":
            expect(root.get_by_role("spinbutton")).to_have_value(str(param["value"]))
        else:
            expect(root.locator(f"input#element_{name}")).to_have_value(param["value"] or "")


def test_a_form_without_file_cannot_be_sent(form: Locator) -> None:
    expect(form.get_by_role("button", name="Trigger", exact=True)).to_be_disabled()


def test_the_form_loads_a_file_and_its_task_leads_to_navigator(
    form: Locator,
    page: Page,
    airflow: LocalAirflow,
    sandbox: SandboxProcess,
    export: CrmExport,
    params: dict[str, dict[str, Any]],
    show: Callable[[str], None],
) -> None:
    file = export.profiles[1]
    form.locator("#element_path").fill(str(file.path))
    form.locator("#element_name").fill("From the form")
    root_of(form, params["document_type"]["title"]).get_by_role("combobox").click()
    page.get_by_role("option", name="User profiles").click()
    limit = root_of(form, params["max_rejected"]["title"]).get_by_role("spinbutton")
    limit.fill(str(BAD_LINES))
    limit.press("Tab")
    show("trigger-3-filled-in")
    with page.expect_response(lambda reply: reply.request.method == "POST" and "dagRuns" in reply.url) as sent:
        form.get_by_role("button", name="Trigger", exact=True).click()
    run_id = sent.value.json()["dag_run_id"]
    assert airflow.api.wait_run(DAG, run_id) == "success"
    summary = airflow.api.xcom(DAG, run_id, "import_file")
    assert (summary["lines"], summary["rejected"]) == (file.lines, BAD_LINES)

    page.goto(f"/dags/{DAG}/runs/{quoted(run_id)}/tasks/import_file/details")
    button = page.get_by_role("link", name=LINK)
    fields = sandbox.connection["extra"]
    expect(button).to_have_attribute(
        "href",
        f"https://navigator.mediarithmics.com/#/v2/o/{fields['organisation_id']}/datastudio/datamart/"
        f"{fields['datamart_id']}/imports/{summary['document_import_id']}",
    )
    show("task-1-link")
    page.goto(f"/dags/{DAG}/runs/{quoted(run_id)}/tasks/import_file")
    expect(page.get_by_text(f"{BAD_LINES} rejected").first).to_be_visible()
    show("task-2-log")
