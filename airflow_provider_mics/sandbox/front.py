"""The door: the vendor's API, and beside it the control API under its own prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_mics.sandbox.control import PREFIX, Control
from airflow_provider_mics.sandbox.record import CONTROL

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox.engine import Engine
    from airflow_provider_mics.sandbox.messages import Request, Response


class Front:
    """Sends each request to whoever answers it."""

    def __init__(self, engine: Engine) -> None:
        self._app = engine.app
        self._control = Control(engine)

    def kind_of(self, method: str, path: str) -> str:
        """Name the route of a path; "control" for the control API."""
        if path.startswith(PREFIX):
            return CONTROL
        route, _, _ = self._app.find(method, path)
        return "unknown" if route is None else route.kind

    async def handle(self, request: Request) -> Response:
        """Answer a request."""
        return await (self._control if request.path.startswith(PREFIX) else self._app).handle(request)
