"""The examples of docs/metax.md are what they say."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider_mics.bulk.checks.user_stats_rules import check_user_stats
from airflow_provider_mics.hooks.metax import MetaxHook
from airflow_provider_mics.operators.metax import MetaxPutUserStatsOperator
from airflow_provider_mics.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.contract.metax.conftest import SetConnection

TEXT = (Path(__file__).parents[3] / "docs" / "metax.md").read_text()
DAG_FILE, TASK = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
(LINES,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("line", LINES.splitlines())
def test_the_lines_are_good(line: str) -> None:
    assert list(check_user_stats(json.loads(line), is_delta=True)) == []


def test_the_dag_is_one(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text(DAG_FILE.replace('3 * * *"):', '3 * * *") as dag:'))
    (task,) = runpy.run_path(str(path))["dag"].tasks
    assert isinstance(task, MetaxPutUserStatsOperator)


def test_the_task_of_your_own(
    set_connection: SetConnection, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "example.py"
    path.write_text(TASK)
    with Sandbox() as sandbox:
        set_connection(sandbox.url, login=None, password="metax-sandbox-token")
        runpy.run_path(str(path))
        assert "[{'Id': 'NNVG10006424'}]" in capsys.readouterr().out
        assert sandbox.metax.subscribers.get("user@example.org") == {
            "favorites": [],
            "view_data": [{"asset_id": "XYZ", "user_rating": 4}],
        }


def test_the_connection_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    (value,) = re.findall(r"AIRFLOW_CONN_METAX_DEFAULT='(.*)'", TEXT)
    monkeypatch.setenv("AIRFLOW_CONN_METAX_DEFAULT", value)
    assert MetaxHook().connection.settings.base_url == "https://metax.example.com"
