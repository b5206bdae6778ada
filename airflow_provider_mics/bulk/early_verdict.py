"""Ending a bad load before all of it is sent."""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from typing import TYPE_CHECKING

from airflow_provider_mics.api import executions
from airflow_provider_mics.bulk.cancel import cancel
from airflow_provider_mics.bulk.counted import counted
from airflow_provider_mics.bulk.verdict import Limits, judge
from airflow_provider_mics.bulk.watch import Step, Watch
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsError, MicsRejectedLinesError, MicsWaitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_mics.api.client import MicsClient
    from airflow_provider_mics.api.models import Execution
    from airflow_provider_mics.bulk.sent_part import SentPart

log = logging.getLogger(__name__)


@dataclasses.dataclass(kw_only=True)
class EarlyVerdict:
    """Looks at a load while its parts are being sent.

    :param canary: Whether to send the first part alone, and to judge it before any other is sent.
    :param abort_after_rejected: Rejected lines, over all parts that have ended, beyond which no other part is sent.
    :param limits: What the canary is judged by.
    :param interval_s: Time between two looks, in s.
    :param deadline: Begins the wait, and tells when it ends, in s since the epoch.
    :param cancel_on_timeout: Whether a canary that has not started by then is cancelled.
    """

    canary: bool
    abort_after_rejected: int | None
    limits: Limits
    interval_s: float
    deadline: Callable[[], float]
    cancel_on_timeout: bool = False
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _ended: dict[str, Execution] = dataclasses.field(default_factory=dict)
    _looked_at: float = -math.inf

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        if self.abort_after_rejected is not None and self.abort_after_rejected < 0:
            raise MicsConfigurationError(f"abort_after_rejected must be 0 or more, not {self.abort_after_rejected}.")

    def waits_for_all(self, index: int) -> bool:
        """Return whether all parts before the one at ``index``, from 1, must be in before it is judged."""
        return self.canary and index > 1 and not self._ended

    def before(
        self, index: int, sent: Mapping[int, SentPart], client: MicsClient, datamart_id: str, document_import_id: str
    ) -> None:
        """Judge what there is to judge before the part at ``index`` is sent.

        :param sent: The parts that are in.
        :raises MicsLoadError: The load is not worth going on with.
        :raises MicsWaitError: The canary did not end in time.
        """
        if self.waits_for_all(index):
            self._await_canary(sent[1], client, datamart_id, document_import_id)
        if self.abort_after_rejected is not None and self.now() - self._looked_at >= self.interval_s:
            self._look(sent, client, datamart_id, document_import_id)
            rejected = sum(item.result.total_failure or 0 for item in self._ended.values() if item.result)
            if rejected > self.abort_after_rejected:
                raise MicsRejectedLinesError(
                    f"Document import {document_import_id} has rejected {counted(rejected, 'line')} so far, in "
                    f"{counted(len(self._ended), 'execution')}, more than "
                    f"abort_after_rejected={self.abort_after_rejected} allows. No other part is sent.",
                    hint="Mend the lines at their source, or raise abort_after_rejected.",
                )

    def _await_canary(self, part: SentPart, client: MicsClient, datamart_id: str, document_import_id: str) -> None:
        log.info("Execution %s is the canary: no other part is sent before it has ended.", part.execution_id)
        watch = Watch(
            document_import_id=document_import_id,
            execution_ids=[part.execution_id],
            deadline=self.deadline(),
        )
        seen = watch.look(client.run, datamart_id, self.now)
        while seen.step is Step.WAIT:
            self.sleep(watch.pause(self.interval_s, self.now()))
            seen = watch.look(client.run, datamart_id, self.now)
        if seen.step is not Step.ENDED:
            message = (
                f"The canary, execution {part.execution_id} of document import {document_import_id}, has not ended, so "
                "no other part was sent."
            )
            if seen.step is Step.TIMEOUT and self.cancel_on_timeout and self._cancel(watch, client, datamart_id):
                # A retry would send it again, and cancel it at once: the time is over.
                raise MicsWaitError(
                    message,
                    hint="It had not started and is cancelled. A clear sends everything: raise timeout before.",
                    retryable=False,
                )
            raise MicsWaitError(
                message,
                hint="It goes on at the platform. A retry looks at it again, and sends the rest if it has ended well.",
            )
        load = f"The canary of document import {document_import_id}, which was sent alone"
        judge(list(seen.found.values()), load=load, lines_sent=part.lines, limits=self.limits)
        self._ended.update(seen.found)

    def _cancel(self, watch: Watch, client: MicsClient, datamart_id: str) -> bool:
        """Cancel what is waited for; return whether that could be done."""
        try:
            found = client.run(cancel(datamart_id, watch.document_import_id, watch.execution_ids or ()))
        except MicsError as error:
            log.warning("The canary could not be cancelled. %s", error)
            return False
        return all(execution.is_canceled for execution in found.values())

    def _look(
        self, sent: Mapping[int, SentPart], client: MicsClient, datamart_id: str, document_import_id: str
    ) -> None:
        self._looked_at = self.now()
        open_ones = [part.execution_id for part in sent.values() if part.execution_id not in self._ended]
        try:
            found = client.run(executions.read_some(datamart_id, document_import_id, open_ones))
        except MicsError as error:
            log.warning("The executions could not be looked at between parts; sending goes on. %s", error)
            return
        self._ended.update({item.execution_id: item for item in found.values() if item.is_ended})
