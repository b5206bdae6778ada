"""From PENDING to an end: the status of an execution at a moment, and the resource that shows it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.api.constants import SUCCESS_STATUSES, TERMINAL_STATUSES, ExecutionStatus
from airflow_provider_mics.sandbox.clock import milliseconds
from airflow_provider_mics.sandbox.messages import merge

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox.clock import Clock
    from airflow_provider_mics.sandbox.lines import Report
    from airflow_provider_mics.sandbox.settings import Settings
    from airflow_provider_mics.sandbox.state import Execution

#: States in which nothing of the file was looked at yet.
WAITING_STATUSES: Final = frozenset(
    {ExecutionStatus.PENDING, ExecutionStatus.SCHEDULED, ExecutionStatus.WAITING_DEPENDENT_JOB}
)


@dataclass(slots=True)
class Phase:
    """Where an execution is.

    :param started: reading of the life cycle's clock when it first left the waiting states; None: it has not.
    :param ended: the same for its end.
    """

    status: str
    started: int | None
    ended: int | None


def planned_path(settings: Settings) -> list[tuple[str, int]]:
    """Return the life cycle of an execution that is created now: statuses, and milliseconds in each."""
    if settings.life_cycle:
        return [(str(status), milliseconds(seconds)) for status, seconds in settings.life_cycle]
    return [
        (ExecutionStatus.PENDING.value, milliseconds(settings.pending_s)),
        (ExecutionStatus.RUNNING.value, milliseconds(settings.running_s)),
        (settings.success_status, 0),
    ]


def phase(execution: Execution, progress: int) -> Phase:
    """Tell where an execution is when the life cycle's clock reads ``progress``."""
    pin = execution.pin
    if pin is None:
        return _along(execution.life_cycle, execution.created_progress, progress)
    before = _along(execution.life_cycle, execution.created_progress, pin.at)
    started = before.started
    if started is None and pin.status not in WAITING_STATUSES and not pin.cancelled:
        started = pin.at
    ended = pin.at if pin.status in TERMINAL_STATUSES and not pin.cancelled else None
    return Phase(pin.status, started, ended)


def _along(path: Sequence[tuple[str, int]], created: int, progress: int) -> Phase:
    entered = created
    started = None
    for index, (status, length) in enumerate(path):
        if started is None and status not in WAITING_STATUSES:
            started = entered
        last = index == len(path) - 1
        if last or status in TERMINAL_STATUSES or progress < entered + length:
            return Phase(status, started, entered if status in TERMINAL_STATUSES else None)
        entered += length
    message = "A life cycle needs at least one status"
    raise ValueError(message)


def needs_report(execution: Execution, settings: Settings, progress: int) -> bool:
    """Tell whether the resource shows what only the check of the lines can say."""
    now = phase(execution, progress)
    return _shows_parameters(execution, now, settings, progress) or _shows_result(now, settings)


def resource(execution: Execution, settings: Settings, clock: Clock, report: Report | None) -> dict[str, Any]:
    """Render an execution as the vendor's samples show it, keys in their order.

    Ids are strings at the top and numbers inside ``parameters``; ``end_date`` is absent until the end; ``error`` is
    filled even for SUCCEEDED when lines failed; times are milliseconds.

    :param report: the check of its lines; needed when ``needs_report`` says so.
    """
    progress = clock.progress()
    now = phase(execution, progress)
    if settings.result_while_pending and now.started is None and execution.pin is None:
        now = Phase(now.status, execution.created_progress, progress)
    shown = report is not None and _shows_result(now, settings)
    start = None if now.started is None else clock.date_of(now.started)
    end = None if now.ended is None else clock.date_of(now.ended)
    parameters = _shows_parameters(execution, now, settings, progress)
    value: dict[str, Any] = {
        "parameters": _parameters(execution, report, settings) if parameters else None,
        "result": _result(execution, report, settings) if report is not None and shown else None,
        "error": _error(execution, report if shown else None),
        "id": execution.id,
        "status": now.status,
        "creation_date": execution.created,
        "start_date": start,
        "duration": None if start is None or end is None else end - start,
        "organisation_id": execution.organisation_id,
        "user_id": None,
        "cancel_status": "REQUESTED" if execution.pin is not None and execution.pin.cancelled else None,
        "debug": None,
        "is_retryable": False,
        "permalink_uri": base64.b64encode(f"1:0:0:{execution.id}".encode()).decode(),
        "num_tasks": report.total if report is not None and shown else None,
        "completed_tasks": report.success if report is not None and shown else None,
        "erroneous_tasks": report.failed if report is not None and shown else None,
        "retry_count": 0,
        "job_type": "DOCUMENT_IMPORT",
        "import_mode": "MANUAL_FILE",
        "import_type": None,
    }
    if end is not None:
        value["end_date"] = end
    for patch in (settings.execution_override, execution.override):
        # Counts laid over a result wait for the result, or for the end of an execution that has none.
        early = {name for name in ("result", "parameters") if value[name] is None and now.ended is None}
        merge(value, {name: item for name, item in patch.items() if name not in early or not isinstance(item, Mapping)})
    return value


def cancelled_resource(value: dict[str, Any], organisation_id: str) -> dict[str, Any]:
    """Add what only the answer to CANCEL has, by the vendor's sample."""
    # The community's id equals the organisation's in the sample; INFERRED that it does so elsewhere.
    return {**value, "permalink_uri": None, "community_id": organisation_id}


def _shows_result(now: Phase, settings: Settings) -> bool:
    # UNKNOWN whether FAILED and the like carry a result: ours do not, unless a test overrides it.
    return now.status in SUCCESS_STATUSES or (settings.result_while_pending and now.status in WAITING_STATUSES)


def _shows_parameters(execution: Execution, now: Phase, settings: Settings, progress: int) -> bool:
    if now.started is not None or settings.result_while_pending:
        return True
    lag = settings.parameters_lag_s
    cancelled = execution.pin is not None and execution.pin.cancelled
    return lag is not None and not cancelled and progress >= execution.created_progress + milliseconds(lag)


def _count(value: int, settings: Settings) -> int | str:
    return str(value) if settings.counts_as_strings else value


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text


def _parameters(execution: Execution, report: Report | None, settings: Settings) -> dict[str, Any]:
    lines = execution.lines if report is None else report.total
    return {
        "datamart_id": _number(execution.document_import.datamart_id),
        "document_import_id": _number(execution.document_import.id),
        "mime_type": execution.document_import.mime_type,
        "document_type": execution.document_import.document_type,
        "input_file_name": execution.input_file_name,
        "file_uri": execution.file_uri,
        "number_of_lines": _count(lines, settings),
        "segment_id": None,
    }


def _result(execution: Execution, report: Report, settings: Settings) -> dict[str, Any]:
    return {
        "total_success": _count(report.success, settings),
        "total_failure": _count(report.failed, settings),
        "input_file_name": execution.input_file_name,
        "input_file_uri": execution.file_uri,
        "error_file_uri": execution.error_file_uri,
        # UNKNOWN what makes it true, and what the map holds; the samples show these.
        "possible_issue_on_identifiers": False,
        "top_identifiers": {},
    }


def _error(execution: Execution, report: Report | None) -> dict[str, str] | None:
    if execution.pin is not None and execution.pin.message is not None:
        return {"message": execution.pin.message}
    if report is not None and report.failed:
        return {"message": report.message()}
    return None
