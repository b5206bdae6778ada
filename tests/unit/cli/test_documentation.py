"""docs/cli.md: what it shows can be typed, and it leaves no option out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

import pytest

from tests.unit.cli.commands import every_command, parse

TEXT: Final = (Path(__file__).parents[3] / "docs/cli.md").read_text()
TYPED: Final = re.findall(r"^\$ airflow mics (.*?)(?: \|.*)?$", TEXT, flags=re.MULTILINE)
COMMANDS: Final = every_command()


@pytest.mark.parametrize("typed", TYPED)
def test_what_is_typed_there_can_be_typed(typed: str) -> None:
    (name,) = [name for name in COMMANDS if f"{typed} ".startswith(f"{name} ")]
    parse(name, *shlex.split(typed.removeprefix(name)))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_there(name: str) -> None:
    assert any(f"{typed} ".startswith(f"{name} ") for typed in TYPED)
    options = [flag for arg in COMMANDS[name].args for flag in arg.flags if flag.startswith("--")]
    assert [flag for flag in options if f"`{flag}" not in TEXT] == []
