"""The examples of docs/sources.md are what they say."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG

from airflow_provider_mics.bulk.checks import checker_for
from airflow_provider_mics.bulk.mapping import CommandMapping
from tests.unit.bulk.mapping.mapped import lines

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.faces.conftest import Night

TEXT = (Path(__file__).parents[3] / "docs" / "sources.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
#: A row that has every column of the examples.
ROW: dict[str, Any] = {
    "crm_id": 7,
    "email": "jean@example.com",
    "city": "Lyon",
    "visits": 3,
    "updated_at": "2026-11-23T02:00:00",
    "bought_at": "2026-11-23",
    "shop": "lyon-2",
    "amount": 12.5,
    "score": float("nan"),
}


def example(tmp_path: Path, number: int) -> dict[str, Any]:
    path = tmp_path / "example.py"
    path.write_text(EXAMPLES[number].replace("catchup=False):", "catchup=False) as dag:"))
    return runpy.run_path(str(path))


def is_good(document_type: str, line: bytes) -> None:
    problems: list[Any] = []
    checker = checker_for(document_type, "APPLICATION_X_NDJSON")
    result = checker.check_block(line + b"\n", first_line=1, offset=0, problems=problems, limit=10, final=True)
    assert problems == []
    assert result.lines == 1


@pytest.mark.parametrize("number", [0, 2])
def test_a_mapping_makes_lines_of_its_document_type(tmp_path: Path, number: int) -> None:
    (operator,) = example(tmp_path, number)["dag"].tasks
    assert isinstance(operator.command, dict)
    (line,) = lines(operator.command, list(ROW), [tuple(ROW.values())])
    is_good(operator.document_type, line)


@pytest.mark.parametrize("email", ["jean@example.com", None, ""])
def test_the_purchase_is_an_activity(tmp_path: Path, email: str | None) -> None:
    command = example(tmp_path, 1)["purchase"]
    (line,) = lines(command, list(ROW), [tuple((ROW | {"email": email}).values())])
    is_good("USER_ACTIVITY", line)
    assert (b"USER_EMAIL" in line) is bool(email)
    assert "email" in CommandMapping(command).columns


def test_the_function_s_task_runs(sandbox: Sandbox, night: Night, tmp_path: Path) -> None:
    consents = example(tmp_path, 3)["consents"]
    with DAG("other", schedule=None):
        operator = consents("450").operator
    operator.deferrable = False
    operator.poke_interval = 0.05
    summary = operator.execute(night.context)
    assert (summary["lines"], summary["accepted"]) == (1000, 1000)
