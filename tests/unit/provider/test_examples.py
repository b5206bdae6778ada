"""The example Dags can be read, quietly, and reading them imports nothing that they do not need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow.dag_processing.dagbag import DagBag

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


def test_neither_does_importing_everything_that_is_public(tmp_path: Path) -> None:
    _, modules = probe("import", *public_modules(), environ=environment(tmp_path))

    assert forbidden(modules) == []


def test_what_is_forbidden_would_be_found(tmp_path: Path) -> None:
    _, modules = probe("import", "requests", environ=environment(tmp_path))

    assert forbidden(modules) == ["requests", "urllib3"]
