"""How a load ended: its verdict, and the summary that its task returns."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.bulk.counted import counted
from airflow_provider_mics.bulk.reasons import describe_reasons
from airflow_provider_mics.bulk.report import has_rejections, write_report
from airflow_provider_mics.bulk.verdict import judge
from airflow_provider_mics.exceptions import MicsError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from airflow_provider_mics.api.models import DocumentImport, Execution
    from airflow_provider_mics.bulk.report import Report
    from airflow_provider_mics.bulk.sent_part import SentPart
    from airflow_provider_mics.bulk.verdict import Limits, Tally

log = logging.getLogger(__name__)


def conclude(
    document_import: DocumentImport,
    executions: Collection[Execution],
    *,
    parts: Sequence[SentPart] | None,
    limits: Limits,
    dead_letter: dict[str, Any] | None = None,
    report: Report | None = None,
) -> dict[str, Any]:
    """Judge a load whose executions have all ended, and return its summary.

    :param parts: What was sent; None: not known to the caller.
    :param dead_letter: Where lines were put aside before, and how many: ``{"path", "lines"}``.
    :param report: Writes a report if lines were rejected, before the load is judged; None: there shall be none.
    :raises MicsLoadError: It is not good. The message names the report.
    """
    written, about_report = _write_report(report, document_import, executions, parts or (), dead_letter)
    try:
        tally = judge(
            executions,
            load=f"Document import {document_import.id} ({document_import.name})",
            lines_sent=sum(part.lines for part in parts) if parts is not None else None,
            limits=limits,
        )
    except MicsError as error:
        if about_report:
            error.args = (f"{error} {about_report}",)
        raise
    for execution in executions:
        if execution.result and execution.result.possible_issue_on_identifiers:
            log.warning("Execution %s: the platform sees a possible issue on identifiers.", execution.execution_id)
    if tally.rejected:
        log.warning("Rejected lines: %s", describe_reasons(tally.reasons, tally.rejected))
    log.info(
        "Document import %s (%s): %s in %s, %d accepted, %d rejected",
        document_import.id,
        document_import.name,
        counted(tally.lines, "line"),
        counted(len(executions), "execution"),
        tally.accepted,
        tally.rejected,
    )
    return load_summary(
        document_import, executions=executions, parts=parts, tally=tally, dead_letter=dead_letter, report=written
    )


def load_summary(
    document_import: DocumentImport,
    *,
    executions: Collection[Execution] = (),
    parts: Sequence[SentPart] | None,
    tally: Tally | None = None,
    dead_letter: dict[str, Any] | None = None,
    report: str | None = None,
) -> dict[str, Any]:
    """Return the summary of a load: JSON values only, and nothing of its rows.

    ``bytes`` is the number sent, or None where not known; ``duration_s`` the time in s from the first upload's
    acceptance to the last execution's end, by the platform's clock, or None where it does not say. A load that was not
    waited for has no ``accepted`` and ``rejected``.

    :param parts: What was sent; None: not known to the caller.
    :param tally: The verdict; None: the load was not waited for.
    :param dead_letter: Where lines were put aside before, and how many. They are among ``lines``: accepted, rejected
        and put aside add up to them.
    :param report: Where the report is.
    """
    put_aside = dead_letter["lines"] if dead_letter else 0
    execution_ids = [part.execution_id for part in parts or ()] or [item.execution_id for item in executions]
    return {
        "document_import_id": str(document_import.id),
        "document_import_name": document_import.name,
        "execution_ids": execution_ids,
        "parts": len(execution_ids),
        "lines": (tally.lines if tally else sum(part.lines for part in parts or ())) + put_aside,
        "bytes": sum(part.bytes for part in parts) if parts is not None else None,
        "accepted": tally.accepted if tally else None,
        "rejected": tally.rejected if tally else None,
        "dead_letter": dead_letter,
        "report": report,
        "duration_s": _duration_s(executions),
    }


def _write_report(
    report: Report | None,
    document_import: DocumentImport,
    executions: Collection[Execution],
    parts: Sequence[SentPart],
    dead_letter: dict[str, Any] | None,
) -> tuple[str | None, str]:
    """Write the report of a load with rejections, and return where it is, and a sentence about it."""
    if report is None or not any(map(has_rejections, executions)):
        return None, ""
    try:
        write_report(report, document_import, executions, parts, dead_letter)
    except Exception as error:  # noqa: BLE001 - every store raises its own kind
        # The lines that are in are in: a report is worth no failure, which would send them again.
        reason = error if isinstance(error, MicsError) else f"{type(error).__name__}."
        about = f"The report could not be written: {reason}"
        log.warning("%s", about)
        return None, about
    log.info("The report is %s", report.path)
    return report.path, f"The full report is {report.path}"


def _duration_s(executions: Collection[Execution]) -> float | None:
    begins = [execution.creation_date for execution in executions if execution.creation_date is not None]
    ends = [execution.end_date for execution in executions if execution.end_date is not None]
    if not begins or len(ends) < len(executions):
        return None
    return (max(ends) - min(begins)) / 1000
