"""One measurement in a fresh interpreter: what something costs after ``from airflow.sdk import DAG, BaseOperator``.

``python -m benchmarks.import_probe KIND TARGET...`` prints milliseconds and the modules that came in, as JSON. KIND:

``import``
    the modules named;
``parse``
    a Dag file;
``skeleton``
    the same Dag file with empty operators in place of ours: what Airflow itself takes for a Dag of that shape.
"""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.machinery
import json
import runpy
import sys
import time
import types
from typing import Any

from airflow.sdk import DAG, BaseOperator

PACKAGE = "airflow_provider_mics"
# Imported, as a Dag file is said to have imported them before.
_ = DAG


class _Empty(BaseOperator):
    """Takes the place of every operator and sensor."""

    def __init__(self, *, task_id: str, **kwargs: Any) -> None:  # noqa: ARG002 - whatever ours take
        super().__init__(task_id=task_id)


class _Skeleton(types.ModuleType):
    """Takes the place of every module of ours."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Empty


class _SkeletonFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds such a module for each name in our package."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> Any:  # noqa: ARG002
        if fullname.partition(".")[0] != PACKAGE:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Skeleton(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing is in it."""


def main() -> None:
    """Measure once."""
    kind, *targets = sys.argv[1:]
    if kind == "skeleton":
        sys.meta_path.insert(0, _SkeletonFinder())
    before = set(sys.modules)
    # What is left from the start would otherwise be collected in some runs and not in others.
    gc.collect()
    started = time.perf_counter()
    for target in targets:
        if kind == "import":
            importlib.import_module(target)
        else:
            runpy.run_path(target)
    took = time.perf_counter() - started
    sys.stdout.write(json.dumps({"ms": took * 1000, "modules": sorted(set(sys.modules) - before)}))


if __name__ == "__main__":
    main()
