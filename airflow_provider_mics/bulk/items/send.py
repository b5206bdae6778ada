"""Sending all items of a source: check, send, judge."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.bulk.items.beside import run_beside
from airflow_provider_mics.bulk.items.checkpoint import Checkpoint
from airflow_provider_mics.bulk.items.ending import Health
from airflow_provider_mics.bulk.items.engine import Engine
from airflow_provider_mics.bulk.items.kinds import BULK_IS_BETTER_ABOVE
from airflow_provider_mics.bulk.items.record import Record
from airflow_provider_mics.bulk.items.source import read_items, survey
from airflow_provider_mics.bulk.items.verdict import Tally, judge_items
from airflow_provider_mics.exceptions import MicsError, MicsInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractAsyncContextManager

    from airflow_provider_mics.api.async_client import AsyncMicsClient
    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.bulk.dead_letters import DeadLetters
    from airflow_provider_mics.bulk.items.engine import Prepared
    from airflow_provider_mics.bulk.items.item import ItemKind
    from airflow_provider_mics.bulk.items.source import ItemSource, Read, Survey
    from airflow_provider_mics.bulk.state_store import StateStore
    from airflow_provider_mics.bulk.verdict import Limits

log = logging.getLogger(__name__)

#: Bad lines that a message names.
_MAX_TOLD = 10


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What is sent, and how.

    :param open_client: Opens what sends the calls, for the event loop that runs then.
    :param concurrency: Calls under way at the same time.
    :param are_checked: Whether lines are checked by the rules of their document type before anything is sent.
    :param skips_bad: Whether bad lines are left out, and put aside where there is a place for it; otherwise they stop
        all.
    :param dead_letters: Where items that are not in are put aside.
    :param health: Its ``stop``, set from outside, ends the sending.
    """

    kind: ItemKind
    source: ItemSource
    open_client: Callable[[], AbstractAsyncContextManager[AsyncMicsClient]]
    concurrency: int
    limits: Limits
    are_checked: bool = True
    skips_bad: bool = False
    dead_letters: DeadLetters | None = None
    health: Health = dataclasses.field(default_factory=Health)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """Which try of the task this is, and what is left for the next one.

    :param generation: Differs between before and after a clear.
    :param is_retry: Whether another try of this generation came before.
    """

    store: StateStore
    generation: int = 0
    is_retry: bool = False


def send_items(sending: Sending, attempt: Try) -> dict[str, Any]:
    """Send all items of a source that are not in already, and return the counts.

    :raises MicsInputError: A line is bad, and bad lines are not left out; or the source has changed since an earlier
        try. Nothing was sent.
    :raises MicsItemsError: Not all items are in, and fewer than the limits want.
    """
    started = time.monotonic()
    found = _check(sending)
    if not found.good:
        tally = Tally(invalid=found.bad)
        return tally.summary(sending.dead_letters, time.monotonic() - started)
    checkpoint = Checkpoint(
        attempt.store, source=found.fingerprint, generation=attempt.generation, is_retry=attempt.is_retry
    )
    record = Record(checkpoint.progress, sending.dead_letters, sending.health)
    run_beside(
        lambda: _send(sending, checkpoint, record, has_bad=found.bad > 0),
        stop=lambda: sending.health.end("The task was interrupted."),
    )
    tally = Tally.of(record, checkpoint.progress, good=found.good, invalid=found.bad)
    judge_items(
        tally,
        record,
        noun=sending.kind.noun,
        limits=sending.limits,
        can_go_on=attempt.store.survives or not checkpoint.progress.counts_twice,
        dead_letters=sending.dead_letters,
    )
    checkpoint.complete()
    summary = tally.summary(sending.dead_letters, time.monotonic() - started)
    log.info("Sent %s: %s", sending.kind.noun, summary)
    return summary


async def _send(sending: Sending, checkpoint: Checkpoint, record: Record, *, has_bad: bool) -> None:
    async with sending.open_client() as client:

        async def send(call: Call[Any]) -> None:
            try:
                await client.send(call)
            except MicsError as error:
                if not sending.kind.is_done(error):
                    raise

        engine = Engine(send, checkpoint=checkpoint, record=record, concurrency=sending.concurrency)
        with contextlib.closing(_prepared(sending, is_checked=has_bad and sending.are_checked)) as prepared:
            await engine.run(prepared)


def _prepared(sending: Sending, *, is_checked: bool) -> Generator[Prepared]:
    """Give the items with their calls."""
    make = sending.kind.call
    for item, value, _ in read_items(sending.source.lines(), sending.kind, is_checked=is_checked):
        if value is None:
            # Put aside already.
            yield item, None
            continue
        try:
            yield item, make(value)
        except MicsError as error:
            yield item, error


def _check(sending: Sending) -> Survey:
    """Read the source to its end before anything is sent.

    :raises MicsInputError: A line is bad, and bad lines are not left out.
    """
    told: list[str] = []

    def on_bad(read: Read) -> None:
        item = read.item
        told.extend(f"{item.file}, {problem}" for problem in read.problems[: _MAX_TOLD - len(told)])
        if sending.skips_bad and sending.dead_letters:
            sending.dead_letters.write(item.file, item.line, item.offset, read.problems, item.content)

    found = survey(sending.source, sending.kind, on_bad, is_checked=sending.are_checked)
    noun = sending.kind.noun
    if found.bad and not (sending.skips_bad and found.good):
        raise MicsInputError(
            f"{found.bad} of {found.good + found.bad} lines cannot be sent as {noun}; nothing was sent. "
            f"{' '.join(told)}",
            hint=None
            if sending.skips_bad
            else 'With preflight="dead_letter" the good lines are sent, these put aside.',
        )
    if found.bad:
        log.warning("%d bad lines were put aside. %s", found.bad, " ".join(told))
    if found.good > BULK_IS_BETTER_ABOVE and sending.kind.bulk_hint:
        log.warning("%d %s are sent one by one. %s", found.good, noun, sending.kind.bulk_hint)
    return found
