"""Waiting in the triggerer, shared by the sensor and the operator that does all in one task."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import time
from typing import TYPE_CHECKING, Any, Final, Self

from airflow_provider_mics.api.constants import LOST_STATUSES
from airflow_provider_mics.bulk.watch import Step, Watch
from airflow_provider_mics.exceptions import MicsExecutionLostError, MicsStateError, MicsWaitError
from airflow_provider_mics.operators._state import generation, state_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_mics.api.models import Execution
    from airflow_provider_mics.hooks.mics import MicsHook

log = logging.getLogger(__name__)

#: Where a wait keeps, from try to try, when it began and what its looks have seen.
WAIT_KEY: Final = "mics_wait"

#: Airflow's own limit on a deferral comes this long after the trigger's deadline, in s. It ends a task without a word
#: about the load, so it is only for a trigger that has died.
_SAFETY_NET_S = 600.0


def deferral(
    watch: Watch,
    hook: MicsHook,
    poke_interval: float,
    *,
    cancel_on_kill: bool = False,
    cancel_on_clear: bool = False,
) -> dict[str, Any]:
    """Return the arguments with which a task defers until ``watch`` is over.

    :param cancel_on_kill: Whether killing the task while it is deferred cancels the executions that it names.
    :param cancel_on_clear: Whether clearing it does, too: as it will make others.
    """
    # Here, as it brings asyncio machinery that Dag files do not need.
    from airflow_provider_mics.triggers.execution import MicsExecutionTrigger

    return {
        "trigger": MicsExecutionTrigger(
            mics_conn_id=hook.mics_conn_id,
            datamart_id=hook.datamart_id,
            document_import_id=watch.document_import_id,
            execution_ids=None if watch.execution_ids is None else list(watch.execution_ids),
            poke_interval=poke_interval,
            deadline=watch.deadline,
            cancel_on_kill=cancel_on_kill,
            cancel_on_clear=cancel_on_clear,
        ),
        "method_name": "execute_complete",
        "timeout": dt.timedelta(seconds=max(0.0, watch.deadline - time.time()) + poke_interval + _SAFETY_NET_S),
    }


@dataclasses.dataclass(frozen=True, slots=True)
class Waited:
    """How a wait ended, and what it was for."""

    step: Step
    document_import_id: str
    execution_ids: Sequence[str] | None
    message: str = ""
    #: When waiting ends, in s since the epoch. A trigger that an older version left tells none: it has waited enough.
    deadline: float = 0.0

    @classmethod
    def read(cls, event: Mapping[str, Any] | None) -> Self:
        """Read the trigger's event. Anything but a known event is refused.

        :raises MicsWaitError: It is no event of this trigger.
        """
        try:
            known = dict(event or {})
            return cls(
                Step(known["status"]),
                known["document_import_id"],
                known["execution_ids"],
                known.get("message") or "",
                float(known.get("deadline") or 0.0),
            )
        except (KeyError, TypeError, ValueError):
            raise MicsWaitError(
                "The trigger ended with an event that this version of the provider does not know.",
                hint="Triggerer and workers must run the same version; restart the triggerer after an upgrade.",
            ) from None

    @property
    def watch(self) -> Watch:
        """What is waited for, as the trigger has left it."""
        watch = Watch(
            document_import_id=self.document_import_id, execution_ids=self.execution_ids, deadline=self.deadline
        )
        watch.take_over(self.step)
        return watch

    def not_seen_through(
        self,
        *,
        hint: str = "They go on at the platform. Clear this task to wait for them again.",
        retryable: bool = True,
    ) -> MicsWaitError:
        """Return the error for a wait that did not see the end.

        :param hint: What to do, one sentence or two.
        :param retryable: Whether another try may see it.
        """
        if self.step is Step.LOST:
            return MicsExecutionLostError(
                f"The platform has lost sight of executions of document import {self.document_import_id}. "
                f"{self.message}".rstrip(),
                hint="Nobody knows what became of their lines. Look at them in Navigator, and ask the vendor.",
            )
        what = "did not end in time" if self.step is Step.TIMEOUT else "cannot be looked at"
        return MicsWaitError(
            f"The executions of document import {self.document_import_id} {what}. {self.message}".rstrip(),
            hint=hint,
            retryable=retryable,
        )


def look(hook: MicsHook, watch: Watch) -> tuple[Waited, Mapping[str, Execution]]:
    """Look once, and return what comes of it, with the executions where they have ended."""
    seen = watch.look(hook.run, hook.datamart_id)
    message = seen.failure
    if seen.step is Step.LOST:
        lost = [item for item in seen.found.values() if item.status in LOST_STATUSES]
        message = ", ".join(f"{item.execution_id} is {item.status}" for item in lost)
    return Waited(seen.step, watch.document_import_id, watch.execution_ids, message, watch.deadline), seen.found


class LastingWait:
    """What a wait knows from try to try, and from look to look where each is a process of its own.

    Where Airflow keeps no state, a retry waits for the whole time anew.

    :param timeout_s: Time from the first try on in which it ends, in s.
    :param began_at: When this try's looks began, if this is not the first of them; counts where no state is kept.
    """

    def __init__(self, context: Context, timeout_s: float, *, began_at: dt.datetime | None = None) -> None:
        self._store = state_store(context)
        #: Whether it is known to the next process.
        self.lasts = self._store.survives
        self._kept: dict[str, Any] = {
            "generation": generation(context),
            "started_at": began_at.timestamp() if began_at else time.time(),
        }
        try:
            kept = self._store.get(WAIT_KEY)
        except MicsStateError as error:
            self._lasts_not(error)
        else:
            # State outlives a clear, which begins a new wait.
            if isinstance(kept, dict) and kept.get("generation") == self._kept["generation"]:
                self._kept = kept
            else:
                self._keep()
        #: When it ends, in s since the epoch.
        self.deadline = float(self._kept["started_at"]) + timeout_s

    def recall(self, watch: Watch) -> None:
        """Give ``watch`` what earlier looks have seen."""
        watch.memory = self._kept.get("memory")

    def remember(self, watch: Watch) -> None:
        """Keep what the next look must know."""
        if self._kept.get("memory") != watch.memory:
            self._kept["memory"] = watch.memory
            self._keep()

    def _keep(self) -> None:
        try:
            self._store.set(WAIT_KEY, self._kept)
        except MicsStateError as error:
            self._lasts_not(error)

    def _lasts_not(self, error: MicsStateError) -> None:
        self.lasts = False
        reason = type(error.__cause__).__name__
        log.warning("When this wait ends cannot be kept: a retry begins it anew (%s)", reason)
