"""Telling how a load ended."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.bulk.counted import by_count
from airflow_provider_mics.bulk.outcome import conclude
from airflow_provider_mics.bulk.reasons import group_reasons
from airflow_provider_mics.cli.execution_rows import HEADS, TEXTS, facts_of, row_of
from airflow_provider_mics.cli.running import BAD, OK
from airflow_provider_mics.exceptions import MicsLoadError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_mics.api.models import DocumentImport, Execution
    from airflow_provider_mics.bulk.reasons import Reason
    from airflow_provider_mics.bulk.report import Report
    from airflow_provider_mics.bulk.sent_part import SentPart
    from airflow_provider_mics.bulk.verdict import Limits
    from airflow_provider_mics.cli.screen import Screen


def conclude_on(
    screen: Screen,
    document_import: DocumentImport,
    executions: Sequence[Execution],
    *,
    parts: Sequence[SentPart] | None,
    limits: Limits,
    dead_letter: dict[str, Any] | None = None,
    report: Report | None = None,
) -> int:
    """Judge a load whose executions have all ended, show how it ended, and return the exit code."""
    summary: dict[str, Any] | None = None
    problem: str | None = None
    try:
        summary = conclude(
            document_import, executions, parts=parts, limits=limits, dead_letter=dead_letter, report=report
        )
    except MicsLoadError as error:
        problem = str(error)
    reasons = group_reasons(executions)
    if screen.is_document:
        screen.document(
            {
                "ok": problem is None,
                "error": problem,
                "document_import_id": str(document_import.id),
                "document_import_name": document_import.name,
                "executions": [facts_of(item) for item in executions],
                "reasons": [dataclasses.asdict(item) for item in reasons],
                "summary": summary,
            }
        )
        return BAD if problem else OK
    screen.table(HEADS, [row_of(item) for item in executions], texts=TEXTS)
    if summary is None:
        screen.line(str(problem), style="bold red")
        return BAD
    accepted, lines = summary["accepted"], screen.counted(summary["lines"], "line")
    are_in = f"{screen.number(accepted)} of {lines} {by_count(accepted, 'is', 'are')} in"
    screen.line(f"The load is good: {are_in}.", style="bold green")
    if dead_letter:
        screen.line(f"Bad lines written to {dead_letter['path']}: {screen.number(dead_letter['lines'])}")
    if summary["report"]:
        screen.line(f"Report of the rejected lines: {summary['report']}")
    return OK


def show_reasons(reasons: Sequence[Reason], screen: Screen) -> None:
    """Show why lines were rejected."""
    rows = [(item.text, item.error_id, item.count) for item in reasons]
    screen.table(("reason", "for example error id", "lines"), rows, texts=2)
