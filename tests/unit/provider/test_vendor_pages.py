"""The table of the vendors' pages names only what exists, and every method of the hook."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from airflow_provider_mics.api.selectors import UserPointSelector
from airflow_provider_mics.hooks.mics import MicsHook
from tests.unit.provider.classes import HOOKS, OPERATORS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "vendor_pages.md").read_text(encoding="utf-8")
#: Rows of the tables that name tests.
ROWS = [line for line in PAGE.splitlines() if line.startswith("|") and ".py" in line]
CLASSES = {found.__name__: found for found in (*HOOKS, *OPERATORS, UserPointSelector)}
#: Methods that are no call of their own.
NO_CALLS = {"send", "run", "read", "async_client", "document_import_url", "test_connection"}


def cells(row: str) -> list[list[str]]:
    """Return the names in each cell of a row."""
    return [re.findall(r"`([^`]+)`", cell) for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("row", ROWS)
def test_what_a_row_names_exists(row: str) -> None:
    _, hooks, operators, tests = cells(row)
    assert hooks or operators
    for name in (*hooks, *operators):
        owner, _, method = name.partition(".")
        assert owner in CLASSES, name
        assert not method or callable(getattr(CLASSES[owner], method, None)), name
    (test,) = tests
    file, _, function = test.partition("::")
    source = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert not function or f"\ndef {function}(" in source


def test_every_call_of_the_hook_is_in_the_table() -> None:
    named = {name.partition(".")[2] for row in ROWS for name in cells(row)[1] if name.startswith("MicsHook.")}
    calls = {
        name
        for owner in MicsHook.__mro__
        if owner.__module__.startswith("airflow_provider_mics.")
        for name, value in vars(owner).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    assert calls - NO_CALLS == named


def test_every_test_of_a_page_is_in_the_table() -> None:
    files = {path.name for path in (ROOT / "tests" / "contract" / "vendor_pages").glob("test_*.py")}
    assert {file for file in files if f"contract/vendor_pages/{file}" not in PAGE} == set()
