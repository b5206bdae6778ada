"""What docs/cli.md and README.md show of the command line is what comes out."""

from __future__ import annotations

from tests.contract.cli.captured import DOCUMENTS, captured, shown, steady


def test_what_they_show_is_what_comes_out() -> None:
    """If it is not, and shall not be: ``python -m tests.contract.cli.captured``."""
    found = captured()
    for document in DOCUMENTS:
        for typed, output in shown(document):
            if typed in found:
                assert steady(output) == steady(found[typed]), f"{document.name}: {typed}"
