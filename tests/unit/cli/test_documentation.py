"""docs/cli.md: what it shows can be typed, and it leaves no option out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

import pytest

from airflow_provider_mics.cli.definition import get_mics_cli_commands
from tests.unit.cli.commands import command, parse

TEXT: Final = (Path(__file__).parents[3] / "docs/cli.md").read_text()
TYPED: Final = re.findall(r"^\$ airflow mics (.*?)(?: \|.*)?$", TEXT, flags=re.MULTILINE)


@pytest.mark.parametrize("typed", TYPED)
def test_what_is_typed_there_can_be_typed(typed: str) -> None:
    name, *arguments = shlex.split(typed)
    assert parse(name, *arguments).files


@pytest.mark.parametrize("name", [item.name for group in get_mics_cli_commands() for item in group.subcommands])
def test_every_command_and_option_is_there(name: str) -> None:
    assert any(typed.startswith(f"{name} ") for typed in TYPED)
    options = [flag for arg in command(name).args for flag in arg.flags if flag.startswith("--")]
    assert [flag for flag in options if f"`{flag}" not in TEXT] == []
