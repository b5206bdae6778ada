from __future__ import annotations

import subprocess
import sys

import pytest

from airflow_provider_mics import api

HEAVY = ("airflow", "requests", "urllib3", "aiohttp", "msgspec", "tenacity", "pendulum", "h11", "asyncio")
TOP = "airflow_provider_mics"


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    return set(done.stdout.split())


def test_the_package_imports_nothing_heavy() -> None:
    loaded = loaded_by(f"import {TOP}")
    assert TOP in loaded
    assert {name for name in loaded if name.split(".")[0] in HEAVY or name.startswith(f"{TOP}.")} == set()


@pytest.mark.parametrize("module", [f"{TOP}.get_provider_info", f"{TOP}.exceptions", f"{TOP}.api.constants"])
def test_what_is_read_by_every_airflow_process_imports_nothing_heavy(module: str) -> None:
    assert {name for name in loaded_by(f"import {module}") if name.split(".")[0] in HEAVY} == set()


def test_the_api_layer_does_not_import_airflow() -> None:
    loaded = loaded_by(f"import {TOP}.api.client, {TOP}.api.async_client")
    assert {name for name in loaded if name.split(".")[0] == "airflow"} == set()
    assert {name for name in loaded if name.startswith(f"{TOP}.") and ".api" not in name} == {f"{TOP}.exceptions"}


def test_reading_a_connection_imports_no_http_library() -> None:
    loaded = loaded_by(f"import {TOP}.api.credentials, {TOP}.hooks.connection")
    assert loaded.isdisjoint({"requests", "aiohttp", "tenacity"})


def test_importing_hooks_imports_no_endpoint() -> None:
    loaded = loaded_by(f"import {TOP}.hooks.mics, {TOP}.hooks.metax")
    assert {f"{TOP}.hooks.mics", f"{TOP}.hooks.metax"} < loaded
    assert {name for name in loaded if name.startswith(f"{TOP}.api.")} == {
        f"{TOP}.api.constants",
        f"{TOP}.api.identifiers",
    }


def test_the_api_has_what_it_names_and_nothing_else() -> None:
    names = loaded_by(f"from {TOP} import api; [getattr(api, name) for name in api.__all__]")
    assert {f"{TOP}.api.{name}" for name in api.__all__} < names
    assert not hasattr(api, "document_exports")
