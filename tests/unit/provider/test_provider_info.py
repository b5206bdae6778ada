"""What Airflow is told about the provider is well-formed, true and complete."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
from importlib.metadata import distribution, entry_points
from pathlib import Path
from typing import Any, Final

import airflow
import jsonschema  # type: ignore[import-untyped]
import pytest
from airflow.providers.common.compat.sdk import BaseHook, BaseOperator
from airflow.sdk._shared.secrets_masker import should_hide_value_for_key
from airflow.triggers.base import BaseTrigger

from airflow_provider_mics.get_provider_info import get_provider_info
from airflow_provider_mics.hooks import connection
from airflow_provider_mics.hooks.connection import read_connection
from tests.unit.provider.classes import HOOKS, LINKS, PACKAGE, defined_in, modules

INFO: Final = get_provider_info()
CONNECTIONS: Final[list[dict[str, Any]]] = INFO["connection-types"]
(MICS,) = [item for item in CONNECTIONS if item["connection-type"] == "mics"]
FIELDS: Final[dict[str, dict[str, Any]]] = MICS["conn-fields"]
INTEGRATIONS: Final = {item["integration-name"] for item in INFO["integrations"]}
#: Keys whose values are lists of modules, with what such a module is there for.
LISTS: Final[dict[str, type]] = {
    "hooks": BaseHook,
    "operators": BaseOperator,
    "sensors": BaseOperator,
    "triggers": BaseTrigger,
}
#: A value for each extra field that is not its default.
VALUES: Final[dict[str, object]] = {
    "datamart_id": "1509",
    "organisation_id": "1426",
    "navigator_url": "https://navigator.example",
    "timeout": 7,
    "verify": "false",
    "proxy": "http://proxy.example:3128",
    "rate_limit": 3.5,
    "list_lag": 90.0,
}


def schema(name: str) -> Any:
    (folder,) = {Path(path) for path in airflow.__path__ if (Path(path) / name).exists()}
    return json.loads((folder / name).read_text())


def resolve(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def listed(key: str) -> list[str]:
    return [module for item in INFO.get(key, ()) for module in item["python-modules"]]


def test_it_is_what_airflow_s_schema_wants() -> None:
    jsonschema.validate(INFO, schema("provider_info.schema.json"))


@pytest.mark.parametrize("item", CONNECTIONS, ids=lambda item: item["connection-type"])
def test_connection_types_are_what_airflow_s_schema_of_providers_wants(item: dict[str, Any]) -> None:
    whole = schema("provider.yaml.schema.json")
    wanted = whole["properties"]["connection-types"]["items"]
    jsonschema.validate(item, {**wanted, "definitions": whole.get("definitions", {})})
    # Airflow's schema lets a misspelt key pass.
    assert set(item) <= set(wanted["properties"])
    for field in item["conn-fields"].values():
        jsonschema.Draft7Validator.check_schema(field["schema"])


def test_no_key_is_unknown_to_airflow() -> None:
    assert set(INFO) <= set(schema("provider_info.schema.json")["properties"])


def test_it_is_found_through_the_entry_point_of_the_distribution_it_names() -> None:
    (entry,) = entry_points(group="apache_airflow_provider", module=get_provider_info.__module__)
    assert entry.load() is get_provider_info
    assert entry.dist is not None
    assert INFO["package-name"] == entry.dist.name == distribution(PACKAGE).name


def test_it_is_made_anew_for_each_caller() -> None:
    get_provider_info()["connection-types"].clear()
    assert get_provider_info() == INFO


@pytest.mark.parametrize(("key", "kind"), LISTS.items(), ids=LISTS)
def test_modules_are_listed_exactly(key: str, kind: type) -> None:
    assert sorted(listed(key)) == sorted(module for module in modules(key) if defined_in(module, kind))


def test_every_folder_of_modules_has_its_key() -> None:
    keys = {"transfers": "transfers", "decorators": "task-decorators", "notifications": "notifications"} | {
        key: key for key in LISTS
    }
    for folder, key in keys.items():
        assert bool(modules(folder)) == bool(INFO.get(key)), f"{folder} and {key} do not agree"


def test_transfers_and_decorators_exist() -> None:
    assert [item["python-module"] for item in INFO.get("transfers", ())] == modules("transfers")
    for item in INFO.get("task-decorators", ()):
        assert callable(resolve(item["class-name"]))


def test_links_are_listed_exactly() -> None:
    assert [resolve(path) for path in INFO["extra-links"]] == LINKS


def test_integrations_are_declared() -> None:
    named = {item["integration-name"] for key in LISTS for item in INFO[key]}
    assert named <= INTEGRATIONS


def test_every_hook_has_its_connection_type() -> None:
    declared = {resolve(item["hook-class-name"]): item for item in CONNECTIONS}
    assert set(declared) == set(HOOKS)
    for hook, item in declared.items():
        assert (item["connection-type"], item["hook-name"]) == (hook.conn_type, hook.hook_name)
        # Airflow reads "-" in the scheme of a connection's URI as "_".
        assert "-" not in hook.conn_type
        assert hook.conn_name_attr in inspect.signature(hook).parameters


def test_the_form_has_the_fields_that_are_read() -> None:
    """Those are the names that ``read_connection`` and its helpers take from ``given``."""
    read = set()
    for node in ast.walk(ast.parse(inspect.getsource(connection))):
        if isinstance(node, ast.Call):
            asked = node.func.value if isinstance(node.func, ast.Attribute) else None
            whole = [asked, *node.args]
            names = [part.id for part in whole if isinstance(part, ast.Name)]
            texts = [part.value for part in node.args if isinstance(part, ast.Constant)]
            if "given" in names and texts:
                read.add(texts[0])
    assert read == set(FIELDS) == set(VALUES)


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_of_the_form_makes_a_difference(name: str) -> None:
    jsonschema.validate(VALUES[name], FIELDS[name]["schema"])

    def read(extra: dict[str, Any]) -> Any:
        found = read_connection(host=None, port=None, schema=None, login=None, password="api:t", extra=extra)
        # Each has credentials of its own, which are equal to no others.
        return found.settings, found.datamart_id, found.organisation_id, found.navigator_url, found.list_lag_s

    # As the form saves them: those left empty are null.
    empty = dict.fromkeys(FIELDS)
    assert read(empty) == read({})
    assert read(empty | {name: VALUES[name]}) != read(empty)


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_of_the_form_is_optional_and_explained(name: str) -> None:
    field = FIELDS[name]
    assert "null" in field["schema"]["type"]
    assert field["label"]
    assert field["description"]
    jsonschema.validate(None, field["schema"])


def test_nothing_secret_is_kept_outside_the_password() -> None:
    for item in CONNECTIONS:
        fields = item["conn-fields"]
        assert [name for name, field in fields.items() if field["schema"].get("format") == "password"] == []
        # The address of a proxy may name a user and a password; by its name, Airflow shows it nowhere.
        assert {name for name in fields if should_hide_value_for_key(name)} <= {"proxy"}
        assert "password" not in item["ui-field-behaviour"]["hidden-fields"]


def test_a_port_can_be_given() -> None:
    """Without one, Airflow 3.3.1 and 3.3.2 do not test a stored connection."""
    assert "port" not in MICS["ui-field-behaviour"]["hidden-fields"]
