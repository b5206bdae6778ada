"""The classes that this provider offers, found by looking."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any, Final

from airflow.providers.common.compat.sdk import BaseHook, BaseOperator, BaseOperatorLink
from airflow.triggers.base import BaseTrigger

import airflow_provider_mics
from airflow_provider_mics.triggers.execution import MicsExecutionTrigger

PACKAGE: Final = airflow_provider_mics.__name__


def modules(folder: str) -> list[str]:
    """Return the public modules in a folder of the package; none if there is no such folder."""
    found = pkgutil.iter_modules([f"{root}/{folder}" for root in airflow_provider_mics.__path__])
    return sorted(f"{PACKAGE}.{folder}.{module.name}" for module in found if not module.name.startswith("_"))


def defined_in(module: str, base: type) -> list[type]:
    """Return the public classes of a kind that a module defines."""
    members = inspect.getmembers(importlib.import_module(module), inspect.isclass)
    return [
        member
        for name, member in members
        if issubclass(member, base) and member.__module__ == module and not name.startswith("_")
    ]


def classes(base: type, *folders: str) -> list[Any]:
    """Return the public classes of a kind in some folders of the package."""
    return [found for folder in folders for module in modules(folder) for found in defined_in(module, base)]


OPERATORS: Final = classes(BaseOperator, "operators", "sensors", "transfers")
HOOKS: Final = classes(BaseHook, "hooks")
TRIGGERS: Final = classes(BaseTrigger, "triggers")
LINKS: Final = classes(BaseOperatorLink, "links")

#: What each trigger is made with.
TRIGGER_ARGUMENTS: Final[dict[Any, dict[str, Any]]] = {
    MicsExecutionTrigger: {
        "mics_conn_id": "mics_default",
        "datamart_id": "1509",
        "document_import_id": "36271",
        "execution_ids": ["1", "2"],
        "poke_interval": 30.0,
        "deadline": 1_795_392_000.5,
        "cancel_on_kill": True,
        "cancel_on_clear": True,
    },
}


def constructor_arguments(cls: type) -> dict[str, inspect.Parameter]:
    """Return the arguments that the provider's own classes add, those of a class and of its bases."""
    found: dict[str, inspect.Parameter] = {}
    for owner in cls.__mro__:
        if owner.__module__.partition(".")[0] == PACKAGE and "__init__" in vars(owner):
            parameters = list(inspect.signature(vars(owner)["__init__"]).parameters.values())[1:]
            for parameter in parameters:
                if parameter.kind not in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}:
                    found.setdefault(parameter.name, parameter)
    return found


def required(cls: type) -> dict[str, str]:
    """Return a value for each argument that has no default; they are all texts, or take one."""
    arguments = constructor_arguments(cls).values()
    return {item.name: f"sentinel-{item.name}" for item in arguments if item.default is item.empty}
