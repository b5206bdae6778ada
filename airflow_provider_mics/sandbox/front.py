"""The door: the vendor's API, and beside it the other vendor's and the control API, under their own prefixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_mics.sandbox.control import PREFIX, Control
from airflow_provider_mics.sandbox.metax.metax import PREFIXES as METAX_PREFIXES

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox.connection import Target
    from airflow_provider_mics.sandbox.engine import Engine


class Front:
    """Sends each request to whoever answers it."""

    def __init__(self, engine: Engine) -> None:
        self._app = engine.app
        self._metax = engine.metax
        self._control = Control(engine)

    def find(self, method: str, path: str) -> Target:
        """Find who answers a path."""
        if path.startswith(PREFIX):
            return self._control
        return (self._metax if path.startswith(METAX_PREFIXES) else self._app).find(method, path)
