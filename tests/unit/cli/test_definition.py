"""What Airflow is told of the commands, each time any of its own starts."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from airflow_provider_mics.api.constants import DEFAULT_MAX_PART_BYTES
from airflow_provider_mics.cli import definition
from airflow_provider_mics.get_provider_info import get_provider_info
from benchmarks.imports import environment
from tests.unit.cli.commands import command, every_command, parse

if TYPE_CHECKING:
    from pathlib import Path


def test_airflow_is_told_where_they_are() -> None:
    function = definition.get_mics_cli_commands
    assert get_provider_info()["cli"] == [f"{function.__module__}.{function.__name__}"]


def test_it_imports_airflow_s_definitions_and_nothing_else() -> None:
    nodes = list(ast.walk(ast.parse(inspect.getsource(definition))))
    assert not [node for node in nodes if isinstance(node, ast.Import)]
    modules = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert modules == {"__future__", "typing", "airflow.cli.cli_config"}


def test_it_brings_nothing_in_that_airflow_has_not(tmp_path: Path) -> None:
    code = (
        "import sys, airflow.cli.cli_config\n"
        "before = set(sys.modules)\n"
        "from airflow_provider_mics.cli.definition import get_mics_cli_commands\n"
        "get_mics_cli_commands()\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    assert set(done.stdout.splitlines()[-1].split()) - {"airflow_provider_mics"} == {
        "airflow_provider_mics.cli",
        "airflow_provider_mics.cli.definition",
    }


@pytest.mark.parametrize("name", ["validate", "plan", "upload"])
def test_the_default_size_of_parts_is_the_operators(name: str) -> None:
    files = ["a.ndjson", "b.ndjson"]
    args = parse(name, *files, *(["-t", "USER_PROFILE"] if name == "validate" else []))
    assert (args.files, args.max_part_bytes, args.mime_type, args.output) == (
        files,
        DEFAULT_MAX_PART_BYTES,
        None,
        "table",
    )
    (option,) = [arg for arg in command(name).args if arg.flags == ("--max-part-bytes",)]
    assert option.kwargs["help"].endswith(f"Default: {DEFAULT_MAX_PART_BYTES}")


@pytest.mark.parametrize("name", every_command())
def test_it_leads_to_a_function(name: str) -> None:
    """Which is imported when the command is run, and not before."""
    path = inspect.getclosurevars(command(name).func).nonlocals["import_path"]
    module, _, function = path.rpartition(".")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("name", every_command())
def test_every_command_can_print_a_document(name: str) -> None:
    (option,) = [arg for arg in command(name).args if "--output" in arg.flags]
    assert option.kwargs["choices"] == ("table", "json", "yaml")


@pytest.mark.parametrize("name", every_command())
def test_those_that_talk_to_mediarithmics_take_a_connection(name: str) -> None:
    flags = {flag for arg in command(name).args for flag in arg.flags}
    assert ({"--conn-id", "--datamart-id"} <= flags) is (name not in {"validate", "plan", "sandbox"})


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("validate", []),
        ("validate", ["a.ndjson"]),
        ("validate", ["--document-type", "USER_PROFILE"]),
        ("plan", []),
        ("plan", ["a.ndjson", "--max-part-bytes", "0"]),
        ("plan", ["a.ndjson", "--document-type"]),
        ("plan", ["a.ndjson", "--output", "xml"]),
        ("upload", []),
        ("upload", ["a.ndjson", "--max-rejected", "-1"]),
        ("imports create", ["Profiles"]),
        ("imports list", ["--limit", "0"]),
        ("executions cancel", ["7"]),
        ("sandbox", ["--port", "many"]),
    ],
)
def test_what_is_missing_or_wrong_is_a_usage_error(
    name: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(name, *arguments)
    assert "command error" in capsys.readouterr().err
