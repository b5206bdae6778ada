"""The tables of docs/loads.md: what each cell says is a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
TEXT = (REPOSITORY / "docs" / "loads.md").read_text()
NOTES = dict(re.findall(r"^\[\^([\w-]+)\]: (.+)$", TEXT, re.MULTILINE))
ROWS = [
    (title, [cell.strip() for cell in line.strip("|").split("|")])
    for title, section in re.findall(r"^## (.+)\n((?:(?!^## ).*\n)+)", TEXT, re.MULTILINE)
    for line in section.splitlines()
    if line.startswith("| ") and not line.startswith(("| state", "| killed"))
]


def notes_of(cell: str) -> set[str]:
    return set(re.findall(r"\[\^([\w-]+)\]", cell))


def test_each_cell_names_its_tests() -> None:
    assert len(ROWS) > 20
    for title, (state, *cells) in ROWS:
        told = cells[:1] if title.startswith("What was killed") else cells
        for cell in told:
            # To mark what has ended does nothing, and says nothing.
            is_ended = not cell and state.startswith(("ended", "succeeded", "all sent, succeeded"))
            assert is_ended or notes_of(cell), (title, state, cell)


def test_each_note_is_there_and_used() -> None:
    used = {note for _, cells in ROWS for cell in cells for note in notes_of(cell)}
    assert used == set(NOTES)


@pytest.mark.parametrize("note", NOTES)
def test_each_test_that_is_named_exists(note: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)(?:\[([\w-]+)\])?`", NOTES[note])
    assert len(named) == NOTES[note].count("`") // 2 > 0
    for path, function, case in named:
        source = (REPOSITORY / path).read_text()
        assert f"def {function}(" in source
        assert f'"{case}": Point(' in source or not case
