"""``airflow mics executions ...``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from airflow_provider_mics.api import executions
from airflow_provider_mics.api.conversation import every_page
from airflow_provider_mics.bulk.cancel import cancel
from airflow_provider_mics.bulk.reasons import group_reasons
from airflow_provider_mics.cli.connected import hook_of
from airflow_provider_mics.cli.execution_rows import HEADS, TEXTS, facts_of, row_of, status_of
from airflow_provider_mics.cli.imports import PAGE_SIZE, told_of
from airflow_provider_mics.cli.judging import conclude_on, show_reasons
from airflow_provider_mics.cli.running import BAD, OK, command
from airflow_provider_mics.cli.waiting import limits_of, shown, wait, watch_for

if TYPE_CHECKING:
    import argparse

    from airflow_provider_mics.api.models import Execution
    from airflow_provider_mics.cli.screen import Screen


@command
def list_executions(args: argparse.Namespace, screen: Screen) -> int:
    """List the executions of a document import."""
    hook = hook_of(args)
    found = hook.run(
        every_page(
            lambda first_result: executions.find(
                hook.datamart_id, args.document_import_id, first_result=first_result, max_results=PAGE_SIZE
            )
        )
    )
    newest = sorted(found, key=lambda item: int(item.execution_id), reverse=True)
    shown_here = newest[: args.limit]
    if screen.is_document:
        screen.document([facts_of(item) for item in shown_here])
        return OK
    screen.table(HEADS, [row_of(item) for item in shown_here], texts=TEXTS)
    screen.line(f"Executions: {told_of(shown_here, newest, screen)}")
    return OK


@command
def show_execution(args: argparse.Namespace, screen: Screen) -> int:
    """Show an execution."""
    execution = hook_of(args).get_execution(args.document_import_id, args.execution_id)
    reasons = group_reasons([execution])
    facts = facts_of(execution)
    if screen.is_document:
        screen.document(facts | {"reasons": [dataclasses.asdict(item) for item in reasons]})
        return OK
    screen.fields(facts | {"status": status_of(execution)})
    if reasons:
        screen.above_table()
        show_reasons(reasons, screen)
    return OK


@command
def cancel_executions(args: argparse.Namespace, screen: Screen) -> int:
    """Cancel executions."""
    hook = hook_of(args)
    wanted = list(dict.fromkeys(args.execution_ids))
    found = hook.run(cancel(hook.datamart_id, args.document_import_id, wanted))
    started = [item for item in found.values() if not item.is_canceled]
    if screen.is_document:
        screen.document(
            {
                "cancelled": [execution_id for execution_id, item in found.items() if item.is_canceled],
                "already_started": [item.execution_id for item in started],
            }
        )
    else:
        screen.table(("execution", "status"), [(name, status_of(item)) for name, item in found.items()], texts=2)
        if started:
            screen.line(f"Too late for {len(started)} of {len(found)}: only PENDING executions can be cancelled.")
    return BAD if started else OK


@command
def watch_executions(args: argparse.Namespace, screen: Screen) -> int:
    """Watch executions until they have ended, and judge the load."""
    hook = hook_of(args)
    limits = limits_of(args)
    watch = watch_for(args.document_import_id, list(dict.fromkeys(args.execution_ids)) or None, args)
    document_import = hook.get_document_import(args.document_import_id)
    with shown(screen) as looked:
        found: list[Execution] = wait(hook, watch, args.interval, looked)
    return conclude_on(screen, document_import, found, parts=None, limits=limits)
