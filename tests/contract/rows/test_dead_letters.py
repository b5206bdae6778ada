"""Rows that make no good lines, put aside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.exceptions import MicsInputError
from tests.contract.rows.conftest import profile, received
from tests.contract.rows.test_decorator import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.faces.conftest import Night


def rows() -> Iterator[dict[str, Any]]:
    for number in range(2000):
        good = profile(f"crm-{number}", "Lyon")
        yield good | {"operation": "MERGE"} if number % 500 == 7 else good


def test_good_lines_are_sent_and_the_others_put_aside(sandbox: Sandbox, night: Night) -> None:
    aside = night.folder / "aside.ndjson"

    summary = run(night, rows, preflight="dead_letter", dead_letter_path=str(aside), max_part_bytes=100_000)

    bad = [row for row in rows() if row["operation"] == "MERGE"]
    assert received(sandbox, summary["execution_ids"]) == [row for row in rows() if row not in bad]
    assert (summary["lines"], summary["accepted"], summary["rejected"]) == (2000, 1996, 0)
    assert summary["dead_letter"] == {"path": str(aside), "lines": 4}
    put_aside = [json.loads(line) for line in aside.read_text().splitlines()]
    assert [json.loads(item["content"]) for item in put_aside] == bad
    assert [item["line"] for item in put_aside] == [8, 508, 1008, 1508]
    assert {problem["field"] for item in put_aside for problem in item["problems"]} == {"operation"}


def test_rows_of_which_none_is_good_fail(sandbox: Sandbox, night: Night) -> None:
    def bad() -> list[dict[str, Any]]:
        return [{"operation": "MERGE"}] * 3

    with pytest.raises(MicsInputError, match="of 3 rows, none makes a USER_PROFILE line"):
        run(night, bad, preflight="dead_letter", dead_letter_path=str(night.folder / "aside.ndjson"))
    assert not sandbox.executions


def test_deletions_are_bounded_here_too(sandbox: Sandbox, night: Night) -> None:
    def deletions() -> list[dict[str, Any]]:
        return [{"operation": "DELETE", "user_account_id": "crm-1"}] * 3

    with pytest.raises(MicsInputError, match="3 lines delete something, more than max_deletions=2"):
        run(
            night,
            deletions,
            preflight="dead_letter",
            dead_letter_path=str(night.folder / "aside.ndjson"),
            max_deletions=2,
        )
