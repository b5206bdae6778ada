"""Waiting for executions, with somebody looking on."""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING

from airflow_provider_mics.bulk.verdict import Limits
from airflow_provider_mics.bulk.watch import Step, Watch
from airflow_provider_mics.cli.execution_rows import HEADS, TEXTS, row_of
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsWaitError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Collection, Iterator, Sequence

    from airflow_provider_mics.api.models import Execution
    from airflow_provider_mics.cli.screen import Screen
    from airflow_provider_mics.hooks.mics import MicsHook


def limits_of(args: argparse.Namespace) -> Limits:
    """Return which rejections are tolerated: none, unless an argument says so."""
    if args.max_rejected is None and args.max_rejected_ratio is None:
        return Limits()
    return Limits(max_rejected=args.max_rejected, max_rejected_ratio=args.max_rejected_ratio)


def watch_for(document_import_id: str, execution_ids: Sequence[str] | None, args: argparse.Namespace) -> Watch:
    """Begin to follow executions, as the arguments say.

    :raises MicsConfigurationError: A time makes no sense.
    """
    if not args.interval > 0:
        raise MicsConfigurationError(f"The interval must be more than 0 seconds, not {args.interval}.")
    return Watch(
        document_import_id=document_import_id,
        execution_ids=execution_ids,
        deadline=math.inf if args.timeout is None else time.time() + args.timeout,
    )


def wait(
    hook: MicsHook, watch: Watch, interval_s: float, looked: Callable[[Collection[Execution]], None]
) -> list[Execution]:
    """Wait until the executions have ended.

    :param looked: Called with the executions after each look.
    :raises MicsWaitError: Their end could not be seen.
    """
    while True:
        seen = watch.look(hook.run, hook.datamart_id)
        if not seen.failure:
            looked(seen.found.values())
        if seen.step in {Step.TIMEOUT, Step.GIVE_UP}:
            what = "did not end in time" if seen.step is Step.TIMEOUT else "cannot be looked at"
            raise MicsWaitError(
                f"The executions of document import {watch.document_import_id} {what}. {seen.failure}".rstrip(),
                hint=go_on(watch.document_import_id),
            )
        if seen.step is not Step.WAIT:
            return list(seen.found.values())
        time.sleep(watch.pause(interval_s, time.time()))


def go_on(document_import_id: str) -> str:
    """Say what becomes of executions that nobody waits for."""
    return f"They go on at the platform: airflow mics executions watch {document_import_id}."


@contextlib.contextmanager
def shown(screen: Screen) -> Iterator[Callable[[Collection[Execution]], None]]:
    """Give what shows executions after each look: a table that changes, on a terminal; else a line for each change."""
    if not screen.shows_progress:
        yield _Changes(screen).looked
        return
    from rich.live import Live

    with Live(console=screen.aside, transient=True, auto_refresh=False) as live:

        def looked(found: Collection[Execution]) -> None:
            # Those that go on come first: a terminal may not have room for all.
            ordered = sorted(found, key=lambda execution: execution.is_ended)
            live.update(screen.pretty_table(HEADS, [row_of(item) for item in ordered], texts=TEXTS), refresh=True)

        yield looked


class _Changes:
    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._told: dict[str, str] = {}

    def looked(self, found: Collection[Execution]) -> None:
        for execution in found:
            if self._told.get(execution.execution_id) != execution.status:
                self._told[execution.execution_id] = execution.status
                self._screen.note(f"Execution {execution.execution_id}: {execution.status}")
