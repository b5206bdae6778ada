"""Waiting in the triggerer, shared by the sensor and the operator that does all in one task."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_mics.bulk.watch import Step, Watch
from airflow_provider_mics.exceptions import MicsWaitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_mics.hooks.mics import MicsHook

#: Airflow's own limit on a deferral comes this long after the trigger's deadline, in s. It ends a task without a word
#: about the load, so it is only for a trigger that has died.
_SAFETY_NET_S = 600.0


def deferral(watch: Watch, hook: MicsHook, poke_interval: float) -> dict[str, Any]:
    """Return the arguments with which a task defers until ``watch`` is over."""
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

    @classmethod
    def read(cls, event: Mapping[str, Any] | None) -> Self:
        """Read the trigger's event. Anything but a known event is refused.

        :raises MicsWaitError: It is no event of this trigger.
        """
        try:
            known = dict(event or {})
            return cls(
                Step(known["status"]), known["document_import_id"], known["execution_ids"], known.get("message") or ""
            )
        except (KeyError, ValueError):
            raise MicsWaitError(
                "The trigger ended with an event that this version of the provider does not know.",
                hint="Triggerer and workers must run the same version; restart the triggerer after an upgrade.",
            ) from None

    def not_seen_through(self) -> MicsWaitError:
        """Return the error for a wait that did not see the end."""
        what = "did not end in time" if self.step is Step.TIMEOUT else "cannot be looked at"
        return MicsWaitError(
            f"The executions of document import {self.document_import_id} {what}. {self.message}".rstrip(),
            hint="They go on at the platform. Clear this task to wait for them again.",
        )
