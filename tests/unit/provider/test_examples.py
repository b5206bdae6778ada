"""The example Dags can be read, quietly, and reading them imports nothing that they do not need."""

from __future__ import annotations

import types
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pendulum
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.execution_time.context import MacrosAccessor

from benchmarks.imports import EXAMPLES, environment, forbidden, probe, public_modules

if TYPE_CHECKING:
    from pathlib import Path

each_example = pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)


def test_there_are_examples() -> None:
    assert {"import_file", "nightly_crm"} <= {file.stem for file in EXAMPLES}


@each_example
def test_it_is_read_without_error_and_warning(file: Path) -> None:
    bag = DagBag(file, load_op_links=False)

    assert bag.import_errors == {}
    assert dict(bag.captured_warnings) == {}
    assert set(bag.dags) == {file.stem}
    assert bag.dags[file.stem].tasks


@each_example
def test_reading_it_imports_nothing_heavy(file: Path, tmp_path: Path) -> None:
    _, modules = probe("parse", str(file), environ=environment(tmp_path))

    assert any(name.startswith("airflow_provider_mics.operators.") for name in modules)
    assert forbidden(modules) == []


@each_example
def test_its_templates_hold_in_a_run_that_has_no_logical_date(file: Path) -> None:
    assert rendered(file, pendulum.datetime(2026, 11, 23, 9, tz="UTC"))


def test_an_hourly_run_reads_the_hour_that_has_ended() -> None:
    file = next(file for file in EXAMPLES if file.stem == "tracking")

    for minute in (0, 30):
        fields = rendered(file, pendulum.datetime(2026, 11, 23, 9, minute, tz="UTC"))
        assert fields["activities", "path"] == "/srv/2026-11-23T08/activities.ndjson"


def rendered(file: Path, run_after: pendulum.DateTime) -> dict[tuple[str, str], Any]:
    """Render every template of an example as in a run started by ``airflow dags trigger``, by task and field."""
    dag = DagBag(file, load_op_links=False).dags[file.stem]
    context: Any = {
        "dag_run": types.SimpleNamespace(run_after=run_after),
        "run_id": "manual__2026-11-23",
        "macros": MacrosAccessor(),
        "var": {"value": defaultdict(lambda: "/srv")},
        "params": {name: param.value for name, param in dag.params.items()},
    }
    fields = {(task.task_id, name): getattr(task, name) for task in dag.tasks for name in task.template_fields}
    return {
        (task_id, name): dag.get_task(task_id).render_template(value, context)
        for (task_id, name), value in fields.items()
        if isinstance(value, str)
    }


def test_neither_does_importing_everything_that_is_public(tmp_path: Path) -> None:
    _, modules = probe("import", *public_modules(), environ=environment(tmp_path))

    assert forbidden(modules) == []


def test_what_is_forbidden_would_be_found(tmp_path: Path) -> None:
    _, modules = probe("import", "requests", environ=environment(tmp_path))

    assert forbidden(modules) == ["requests", "urllib3"]
