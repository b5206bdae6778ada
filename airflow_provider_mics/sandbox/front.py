"""The door: the vendor's API, and beside it the control API under its own prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_mics.sandbox.control import PREFIX, Control

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox.connection import Target
    from airflow_provider_mics.sandbox.engine import Engine


class Front:
    """Sends each request to whoever answers it."""

    def __init__(self, engine: Engine) -> None:
        self._app = engine.app
        self._control = Control(engine)

    def find(self, method: str, path: str) -> Target:
        """Find who answers a path."""
        return self._control if path.startswith(PREFIX) else self._app.find(method, path)
