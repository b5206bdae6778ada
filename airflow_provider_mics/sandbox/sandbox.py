"""The stand-in as a context manager, served from a thread of its own."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from airflow_provider_mics.sandbox.clock import Clock, ClockKind
from airflow_provider_mics.sandbox.connection import Surroundings
from airflow_provider_mics.sandbox.defaults import (
    DEFAULT_DATAMART,
    DEFAULT_EMAIL,
    DEFAULT_FORBIDDEN,
    DEFAULT_ORGANISATION,
    DEFAULT_PASSWORD,
    DEFAULT_TOKEN,
    is_loopback,
)
from airflow_provider_mics.sandbox.engine import Engine
from airflow_provider_mics.sandbox.front import Front
from airflow_provider_mics.sandbox.serving import ServerThread
from airflow_provider_mics.sandbox.settings import Settings

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_mics.sandbox.items import Items
    from airflow_provider_mics.sandbox.metax.metax import Metax
    from airflow_provider_mics.sandbox.plans import FaultPlans
    from airflow_provider_mics.sandbox.record import RequestRecord
    from airflow_provider_mics.sandbox.state import DocumentImport, Execution

#: How often ``wait_until`` looks without being told, seconds.
_LOOK_AGAIN_S: Final = 0.02


class Sandbox:
    """A mediarithmics stand-in on real sockets.

    Use it as a context manager::

        with Sandbox() as s:
            requests.get(f"{s.url}/v1/datamarts/{s.datamart_id}", headers={"Authorization": s.token})

    Everything it offers may be called from any thread.

    :param host: address to listen on; one that is not loopback needs ``allow_remote``.
    :param port: 0: a free one.
    :param token: long-term token, accepted with and without its ``api:`` prefix; ``more_tokens`` are accepted beside.
    :param datamarts: organisation ids by datamart id; the first one is ``datamart_id``.
    :param forbidden_datamarts: datamarts answered with 403.
    :param accounts: passwords by e-mail address, for logins.
    :param clock: "real", or "manual", which moves only by ``advance``; ``start`` is its first reading in seconds
        since the epoch.
    :param settings: behaviour, also changed later through ``settings``.
    :param ssl_context: serve https with it.
    :param folder: uploads are kept in a private folder made under this one, until ``stop``; None: the system's
        folder for temporary files.
    :param keep_requests: how many requests ``requests`` remembers.
    :param log: told each request when it is done.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str = DEFAULT_TOKEN,
        more_tokens: Iterable[str] = (),
        datamarts: Mapping[str, str] | None = None,
        forbidden_datamarts: Iterable[str] = (DEFAULT_FORBIDDEN,),
        accounts: Mapping[str, str] | None = None,
        clock: ClockKind = "real",
        start: float | None = None,
        settings: Settings | None = None,
        ssl_context: ssl.SSLContext | None = None,
        allow_remote: bool = False,
        folder: Path | None = None,
        keep_requests: int = 10_000,
        log: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        if not allow_remote and not is_loopback(host):
            message = f"{host} is not a loopback address; the sandbox has no protection, pass allow_remote to insist"
            raise ValueError(message)
        self._changed = threading.Condition()
        known = dict(datamarts) if datamarts is not None else {DEFAULT_DATAMART: DEFAULT_ORGANISATION}
        self.datamart_id, self.organisation_id = next(iter(known.items()))
        self.forbidden_datamart_id = next(iter(forbidden_datamarts), None)
        self.accounts = dict(accounts) if accounts is not None else {DEFAULT_EMAIL: DEFAULT_PASSWORD}
        self.clock = Clock(clock, start)
        self._parent = folder
        self._folder: Path | None = None
        self._engine = Engine(
            tokens=[token, *more_tokens],
            accounts=self.accounts,
            datamarts=known,
            forbidden=forbidden_datamarts,
            clock=self.clock,
            settings=settings or Settings(),
            keep_requests=keep_requests,
            on_change=self._notify,
        )
        engine = self._engine
        around = Surroundings(Front(engine), engine.faults, engine.recorder, self.clock, log)
        self._server = ServerThread(around, host, port, ssl_context)

    # Life ------------------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen; returns once requests are answered. A stopped stand-in cannot be started again."""
        self._folder = Path(tempfile.mkdtemp(prefix="mics-sandbox-", dir=self._parent))
        self._engine.executions.folder = self._folder
        try:
            self._engine.url = self._server.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End every connection, thread and check, and delete what was received; may be called again."""
        self._engine.faults.clear()
        self._server.stop()
        self._engine.executions.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What clients need -----------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Base URL, without a slash at its end."""
        return self._engine.url

    @property
    def port(self) -> int:
        """Port it listens on."""
        return int(self.url.rpartition(":")[2])

    @property
    def token(self) -> str:
        """The long-term token."""
        return self._engine.token

    @property
    def metax(self) -> Metax:
        """The other vendor: ``metax.access`` holds its token and clients, ``metax.subscribers`` the histories."""
        return self._engine.metax

    def rotate_token(self, new: str | None = None) -> str:
        """Replace the long-term token, by a random one if none is given; the old one is refused from now on."""
        return self._engine.rotate_token(new)

    def revoke_tokens(self) -> None:
        """End every token and refresh token that logins brought."""
        self._engine.access.revoke_issued()

    # Behaviour -------------------------------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """Behaviour; its fields may be set at any time."""
        return self._engine.settings

    @property
    def faults(self) -> FaultPlans:
        """Planned faults."""
        return self._engine.faults

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self.clock.advance(seconds)
        self._notify()

    def hold(self) -> None:
        """Keep executions where they are."""
        self.clock.hold()

    def release(self) -> None:
        """Let executions go on."""
        self.clock.release()
        self._notify()

    def set_status(self, execution_id: str, status: str | None, message: str | None = None) -> None:
        """Give an execution a status, known to the vendor or not, which it keeps; None lets its life cycle go on.

        :param message: ``error.message`` of the execution.
        :raises KeyError: there is no such execution.
        """
        self._engine.set_status(execution_id, status, message)
        self._notify()

    def override(self, execution_id: str, **fields: Any) -> None:
        """Lay fields over an execution's resource, objects merged: ``result=None``, ``result={"total_success": 3}``.

        An object laid over ``result`` or ``parameters`` shows once they do.
        """
        self._engine.override(execution_id, fields)

    def publish(self) -> dict[str, int]:
        """Let lists show everything created so far; returns how many imports and executions that changed."""
        return self._engine.state.publish()

    def reset(self) -> None:
        """Forget imports, executions, users, faults and requests; settings, tokens and the clock stay."""
        self._engine.reset()

    # What was received -----------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[RequestRecord]:
        """The last requests, oldest first."""
        return self._engine.recorder.records()

    @property
    def uploads(self) -> list[dict[str, Any]]:
        """Every upload in the order of arrival, with what became of it (see ``Engine.uploads``)."""
        return self._engine.uploads()

    @property
    def counts(self) -> dict[str, int]:
        """How often each thing happened: "total", kinds of request, "status_<code>", "dropped", "connections"..."""
        return self._engine.recorder.counts()

    def count(self, name: str) -> int:
        """How often one thing happened; 0 for never."""
        return self.counts.get(name, 0)

    @property
    def imports(self) -> list[DocumentImport]:
        """Document imports, oldest first."""
        return self._engine.state.imports()

    @property
    def executions(self) -> list[Execution]:
        """Executions of all imports, oldest first."""
        return self._engine.state.executions()

    def execution(self, execution_id: str) -> dict[str, Any]:
        """Return an execution's resource as a GET would now."""
        return self._engine.resource(self._engine.execution(execution_id))

    def received(self, execution_id: str) -> Path:
        """Path of the bytes received for an execution; gone after ``stop``."""
        return self._engine.execution(execution_id).path

    @property
    def activities(self) -> list[dict[str, Any]]:
        """Activities received by the unit API, oldest first."""
        return self._engine.users.tracking.activities

    @property
    def items(self) -> Items:
        """How often each item of the unit API arrived, and was carried out."""
        return self._engine.items

    def wait_until(self, condition: Callable[[Sandbox], bool], timeout: float = 10) -> None:
        """Wait until something holds, looking again whenever anything happens, and often in between.

        :raises TimeoutError: it did not within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while not condition(self):
                if time.monotonic() > deadline:
                    message = f"Not so within {timeout} s; counts: {self.counts}"
                    raise TimeoutError(message)
                # The clock moves executions along without telling anybody.
                self._changed.wait(_LOOK_AGAIN_S)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()
