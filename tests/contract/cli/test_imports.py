"""``airflow mics imports`` and ``airflow mics connection``."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from airflow.utils import yaml

from airflow_provider_mics.hooks.mics import MicsHook
from tests.contract.cli.conftest import connection_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.cli.conftest import Night
    from tests.unit.cli.commands import Ran

pytestmark = pytest.mark.usefixtures("sandbox")


class Terminal(io.StringIO):
    """Somebody at a keyboard."""

    def isatty(self) -> bool:
        return True


def create(count: int) -> list[str]:
    hook = MicsHook()
    names = [f"Profiles - 2026-11-{number:02}" for number in range(1, count + 1)]
    return [str(hook.create_document_import(document_type="USER_PROFILE", name=name).id) for name in names]


def test_the_newest_are_listed_first(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    # Whatever the page size: the API does not say what it grants.
    sandbox.settings.default_page_size = sandbox.settings.max_page_size = 3
    ids = create(7)
    ran = mics("imports list", "--limit", 2)

    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].split() == ["id", "name", "type", "format", "priority"]
    assert [line.split()[0] for line in lines[1:3]] == [ids[6], ids[5]]
    assert lines[1].split()[1:] == ["Profiles", "-", "2026-11-07", "USER_PROFILE", "APPLICATION_X_NDJSON", "MEDIUM"]
    assert lines[3:] == ["", "Document imports: the newest 2 of 7; --limit shows more"]


def test_they_are_found_by_name_and_type(document: Callable[..., Any]) -> None:
    create(3)
    other = str(MicsHook().create_document_import(document_type="USER_CHOICE", name="Choices").id)

    assert [item["id"] for item in document("imports list", "-t", "user_choice")] == [other]
    assert [item["name"] for item in document("imports list", "--name", "11-02")] == ["Profiles - 2026-11-02"]
    assert document("imports list", "--name", "profiles") == []


def test_none_is_no_error(mics: Callable[..., Ran]) -> None:
    ran = mics("imports list")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Document imports: 0")


def test_one_is_created_and_shown(sandbox: Sandbox, mics: Callable[..., Ran], document: Callable[..., Any]) -> None:
    made = document("imports create", "Segments", "-t", "user_segment", "-m", "csv", "--priority", "high")

    (there,) = sandbox.imports
    resource = there.resource()
    url = made.pop("url")
    assert made == resource
    assert (resource["document_type"], resource["mime_type"], resource["priority"]) == (
        "USER_SEGMENT",
        "TEXT_CSV",
        "HIGH",
    )
    assert url.endswith(f"/o/{sandbox.organisation_id}/datastudio/datamart/{sandbox.datamart_id}/imports/{there.id}")
    ran = mics("imports show", there.id)
    assert ran.code == 0
    assert dict(line.split(maxsplit=1) for line in ran.out.splitlines()) == {**resource, "url": url}


def test_yaml_says_the_same(mics: Callable[..., Ran], night: Night) -> None:
    as_yaml = mics("imports show", night.id, "--output", "yaml")
    as_json = mics("imports show", night.id, "--output", "json")
    assert yaml.safe_load(as_yaml.out) == json.loads(as_json.out)
    assert as_yaml.out.startswith(f"id: '{night.id}'\n")


def test_one_of_the_same_name_is_not_created_twice(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    assert mics("imports create", "Profiles", "-t", "USER_PROFILE").code == 0
    again = mics("imports create", "Profiles", "-t", "USER_PROFILE")
    assert (again.code, again.out) == (2, "")
    assert f"'Profiles' of this type and format: {sandbox.imports[0].id}" in again.err
    assert len(sandbox.imports) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Profiles", "-t", "USER_PROFILE", "-m", "csv"], "TEXT_CSV is for USER_SEGMENT only"),
        (["Profiles", "-t", "USER_PROFILE", "-m", "xml"], "no mime type 'xml'"),
        ([" ", "-t", "USER_PROFILE"], "needs a name"),
    ],
)
def test_what_cannot_be_right_is_not_sent(
    sandbox: Sandbox, mics: Callable[..., Ran], arguments: list[str], said: str
) -> None:
    ran = mics("imports create", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert not sandbox.requests


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("YES", 0), ("n", 1), ("", 1)])
def test_deleting_asks(
    sandbox: Sandbox, mics: Callable[..., Ran], night: Night, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(f"{answer}\n"))
    ran = mics("imports delete", night.id)
    assert ran.code == code
    assert ran.err.startswith(
        f"Remove document import {night.id} (Profiles of the night, USER_PROFILE) from view? [y/N]"
    )
    assert (sandbox.imports == []) is (code == 0)


def test_deleting_without_anybody_to_ask_needs_a_word(
    sandbox: Sandbox, mics: Callable[..., Ran], night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    refused = mics("imports delete", night.id)
    assert refused.code == 2
    assert "--yes" in refused.err
    assert len(sandbox.imports) == 1
    assert (
        mics("imports delete", night.id, "--yes").out
        == f"Deleted document import {night.id} (Profiles of the night).\n"
    )
    assert sandbox.imports == []


def test_a_wrong_id_says_so(mics: Callable[..., Ran]) -> None:
    ran = mics("imports show", "7")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: Could not get document import 7 of datamart ")


def test_names_can_do_nothing_to_a_terminal(mics: Callable[..., Ran]) -> None:
    MicsHook().create_document_import(document_type="USER_PROFILE", name="a\x1b[2Jb\u202ec")
    for output in ("table", "json", "yaml"):
        out = mics("imports list", "-o", output).out
        assert "\x1b" not in out
        assert "\u202e" not in out


def test_a_connection_that_works(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    ran = mics("connection test")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Connected to datamart {sandbox.datamart_id}")


def test_a_connection_that_does_not(sandbox: Sandbox, mics: Callable[..., Ran]) -> None:
    sandbox.rotate_token()
    ran = mics("connection test", "-o", "json")
    assert ran.code == 1
    found = json.loads(ran.out)
    assert (found["conn_id"], found["ok"]) == ("mics_default", False)
    assert found["message"].startswith("The API does not accept the token or password.")


def test_another_connection_and_datamart(
    sandbox: Sandbox, mics: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_MICS_DEFAULT")
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", connection_to(sandbox))
    missing = mics("connection test")
    assert (missing.code, missing.out) == (2, "")
    assert "There is no Airflow connection mics_default. Set AIRFLOW_CONN_MICS_DEFAULT here" in missing.err
    assert mics("connection test", "--conn-id", "other").code == 0
    assert mics("connection test", "--conn-id", "other", "--datamart-id", "99").code == 1
