"""All parts of the stand-in put together, without sockets and threads."""

from __future__ import annotations

import copy
import secrets
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.sandbox import life_cycle
from airflow_provider_mics.sandbox.app import App
from airflow_provider_mics.sandbox.auth import Access
from airflow_provider_mics.sandbox.defaults import DEFAULT_METAX_CLIENT, DEFAULT_METAX_SECRET, DEFAULT_METAX_TOKEN
from airflow_provider_mics.sandbox.directory.api_tokens import ApiTokens
from airflow_provider_mics.sandbox.directory.organisation import Organisation
from airflow_provider_mics.sandbox.executions import Executions
from airflow_provider_mics.sandbox.imports import Imports
from airflow_provider_mics.sandbox.items import Items
from airflow_provider_mics.sandbox.messages import merge, path_segments
from airflow_provider_mics.sandbox.metax.access import MetaxAccess
from airflow_provider_mics.sandbox.metax.metax import Metax
from airflow_provider_mics.sandbox.plans import FaultPlans
from airflow_provider_mics.sandbox.record import Recorder
from airflow_provider_mics.sandbox.routing import Router
from airflow_provider_mics.sandbox.state import Execution, Pin, State
from airflow_provider_mics.sandbox.users.bulk import Bulk
from airflow_provider_mics.sandbox.users.routes import Users
from airflow_provider_mics.sandbox.users.routes import add_routes as add_user_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.settings import Settings


class Engine:
    """What answers requests, and what tests reach into.

    :param on_change: called after anything happened, from whatever thread it happened on.
    """

    def __init__(
        self,
        *,
        tokens: Iterable[str],
        accounts: Mapping[str, str],
        datamarts: Mapping[str, str],
        forbidden: Iterable[str],
        clock: Clock,
        settings: Settings,
        keep_requests: int,
        on_change: Callable[[], None],
    ) -> None:
        self.url = ""
        self.clock = clock
        self.settings = settings
        self.state = State()
        self.faults = FaultPlans(on_change)
        self.recorder = Recorder(keep_requests, on_change)
        self.token, *_ = tokens = list(tokens)
        self.access = Access(
            tokens=tokens,
            accounts=accounts,
            datamarts=datamarts,
            forbidden=forbidden,
            clock=clock,
            settings=settings,
        )
        self.users = Users(clock, settings)
        self.items = Items()
        self.organisation = Organisation(self.access, self.state, settings)
        self.api_tokens = ApiTokens(self.access, clock, settings)
        bulk = Bulk(self.users.points, self.users.tracking, clock, self.organisation.segment_id)
        self.executions = Executions(self.state, settings, clock, bulk)
        router = Router()
        self.app = App(
            router,
            access=self.access,
            imports=Imports(self.state, settings, clock, self.organisation.labels_of),
            executions=self.executions,
            items=self.items,
            settings=settings,
        )
        metax_access = MetaxAccess(DEFAULT_METAX_TOKEN, {DEFAULT_METAX_CLIENT: DEFAULT_METAX_SECRET}, clock, settings)
        self.metax = Metax(metax_access, self.items)
        add_user_routes(router, self.users, self.access)
        self.organisation.add_routes(router)
        self.api_tokens.add_routes(router)
        self.faults.kinds = frozenset({*router.kinds, *self.metax.kinds, "unknown"})

    def execution(self, execution_id: str) -> Execution:
        """Find an execution.

        :raises KeyError: there is none of that id.
        """
        found = self.state.get_execution(execution_id)
        if found is None:
            raise KeyError(execution_id)
        return found

    async def describe(self, execution: Execution) -> dict[str, Any]:
        """Return an execution's resource with what was received for it."""
        return {
            **await self.executions.resource(execution),
            "document_import_id": execution.document_import.id,
            "received": {"bytes": execution.bytes, "sha256": execution.sha256, "lines": execution.lines},
        }

    def uploads(self) -> list[dict[str, Any]]:
        """Return every upload in the order of arrival, with what became of it.

        ``bytes``, ``sha256`` and ``lines`` are those of the file for one that made an execution, and of the request's
        body otherwise, which differs for a form; the last two are null for a body that did not arrive in full.
        """
        found = []
        for order, record in enumerate(self.recorder.uploads(), 1):
            made = None if record.execution_id is None else self.state.get_execution(record.execution_id)
            found.append(
                {
                    "order": order,
                    "request": record.number,
                    "time_ms": record.time_ms,
                    "document_import_id": path_segments(record.path)[4],
                    "complete": record.body_sha256 is not None,
                    "bytes": record.body_bytes if made is None else made.bytes,
                    "sha256": record.body_sha256 if made is None else made.sha256,
                    "lines": record.body_lines if made is None else made.lines,
                    "execution_id": record.execution_id,
                    "status": record.status,
                    "dropped": record.dropped,
                    "fault": record.fault,
                }
            )
        return found

    def set_status(self, execution_id: str, status: str | None, message: str | None = None) -> None:
        """Give an execution a status by hand, known or not, which it keeps; None: its life cycle goes on."""
        execution = self.execution(execution_id)
        with self.state.lock:
            execution.pin = None if status is None else Pin(status, self.clock.progress(), message)

    def override(self, execution_id: str, fields: Mapping[str, Any]) -> None:
        """Lay fields over an execution's resource."""
        execution = self.execution(execution_id)
        with self.state.lock:
            # A new object, as the loop's thread may be reading the old one.
            changed = copy.deepcopy(execution.override)
            merge(changed, fields)
            execution.override = changed

    def rotate_token(self, new: str | None = None) -> str:
        """Replace the long-term token; the old one is refused from now on."""
        new = new or f"api:{secrets.token_urlsafe(16)}"
        self.access.rotate(self.token, new)
        self.token = new
        return new

    def reset(self) -> None:
        """Forget imports, executions, users, faults and requests; settings, tokens and the clock stay."""
        self.faults.clear()
        for execution in self.state.clear():
            # Also with its check still running: an open file outlives its name.
            execution.path.unlink(missing_ok=True)
            execution.error_path.unlink(missing_ok=True)
        self.users.clear()
        self.items.clear()
        self.organisation.clear()
        self.api_tokens.clear()
        self.metax.subscribers.clear()
        self.recorder.clear()

    def resource(self, execution: Execution, timeout: float = 30) -> dict[str, Any]:
        """Render an execution, from a thread other than the loop's."""
        report = None
        if life_cycle.needs_report(execution, self.settings, self.clock.progress()):
            report = execution.report.result(timeout)
        return life_cycle.resource(execution, self.settings, self.clock, report)
