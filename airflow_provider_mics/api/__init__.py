"""What mediarithmics understands, without Airflow: endpoints without I/O, and two thin transports that send them.

What the hooks use of it is imported when it is first named, as in ``api.document_imports.create(...)``: whoever parses
Dag files imports hooks, and sends nothing. Import statements work as with any package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "absence",
    "api_tokens",
    "associations",
    "channels",
    "compartments",
    "credentials",
    "data_files",
    "directory",
    "document_imports",
    "executions",
    "labels",
    "metax",
    "metax_credentials",
    "models",
    "processings",
    "segments",
    "settings",
    "user_activities",
    "user_choices",
    "user_points",
    "user_profiles",
]

if TYPE_CHECKING:
    from types import ModuleType

    from airflow_provider_mics.api import (
        absence,
        api_tokens,
        associations,
        channels,
        compartments,
        credentials,
        data_files,
        directory,
        document_imports,
        executions,
        labels,
        metax,
        metax_credentials,
        models,
        processings,
        segments,
        settings,
        user_activities,
        user_choices,
        user_points,
        user_profiles,
    )
else:
    # Not for type checkers, which would take any name for a module then.
    def __getattr__(name: str) -> ModuleType:
        """Import a module of this package; asked once for each, as an imported module becomes an attribute."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(f"{__name__}.{name}")
