"""Cancelling what a killed task leaves at the platform: best effort, in bounded time, and never an error."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.api import executions
from airflow_provider_mics.api.constants import ExecutionStatus
from airflow_provider_mics.bulk.cancel import cancel
from airflow_provider_mics.exceptions import MicsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_mics.api.async_client import AsyncMicsClient
    from airflow_provider_mics.api.models import Execution

log = logging.getLogger(__name__)

#: Cancellations under way at a time: a killed task has seconds, and a call takes a round trip or two.
_AT_ONCE: Final = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Killed:
    """What became of the executions of a killed task.

    :param found: Each as it was last seen.
    :param unknown: Why nothing is known of the others, by execution id.
    """

    document_import_id: str
    found: Mapping[str, Execution]
    unknown: Mapping[str, str]

    @property
    def cancelled(self) -> list[str]:
        """Those that are cancelled: no line of them comes in."""
        return [execution_id for execution_id, execution in self.found.items() if execution.is_canceled]

    @property
    def gone_on(self) -> list[str]:
        """Those that have started and go on: the platform cancels only what is PENDING."""
        return [execution_id for execution_id, execution in self.found.items() if not execution.is_ended]

    def tell(self) -> None:
        """Log it: what is cancelled, and what could not be."""
        if self.cancelled:
            log.info("Document import %s: cancelled %s", self.document_import_id, ", ".join(self.cancelled))
        if self.gone_on:
            log.warning(
                "Document import %s: too late to cancel, these go on at the platform: %s",
                self.document_import_id,
                ", ".join(f"{execution_id} {self.found[execution_id].status}" for execution_id in self.gone_on),
            )
        if self.unknown:
            log.warning(
                "Document import %s: not known whether these are cancelled; look at them in Navigator: %s",
                self.document_import_id,
                ", ".join(f"{execution_id} ({reason})" for execution_id, reason in self.unknown.items()),
            )


async def cancel_pending(
    client: AsyncMicsClient,
    datamart_id: str,
    document_import_id: str,
    execution_ids: Sequence[str],
    *,
    within_s: float,
) -> Killed:
    """Cancel those executions that have not started, and find out what became of all of them.

    :param within_s: After this time what has not been learned is unknown, in s.
    """
    found: dict[str, Execution] = {}
    unknown = dict.fromkeys(execution_ids, f"no answer within {within_s:g} s")
    free = asyncio.Semaphore(_AT_ONCE)

    async def cancel_one(execution_id: str) -> None:
        async with free:
            try:
                found.update(await client.run(cancel(datamart_id, document_import_id, [execution_id])))
            except MicsError as error:
                found.pop(execution_id, None)
                unknown[execution_id] = str(error)

    try:
        async with asyncio.timeout(within_s):
            try:
                found.update(await client.run(executions.read_some(datamart_id, document_import_id, execution_ids)))
            except MicsError as error:
                log.info("Cancelling without having looked before: %s", error)
            await asyncio.gather(*[cancel_one(item) for item in execution_ids if _may_be_pending(found.get(item))])
    except TimeoutError:
        # What was only seen before, and may have been cancelled since.
        for execution_id in [item for item in found if _may_be_pending(found[item])]:
            del found[execution_id]
    return Killed(document_import_id, found, {item: reason for item, reason in unknown.items() if item not in found})


def _may_be_pending(execution: Execution | None) -> bool:
    return execution is None or not (execution.is_ended or execution.status == ExecutionStatus.RUNNING)
