"""``airflow mics validate``: checks lines, sends nothing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.bulk.counted import by_count, counted
from airflow_provider_mics.bulk.dead_letters import DeadLetters
from airflow_provider_mics.bulk.findings import MAX_TOLD
from airflow_provider_mics.bulk.planning import check_document_import
from airflow_provider_mics.cli.checking import Check
from airflow_provider_mics.cli.progress import watched
from airflow_provider_mics.cli.running import BAD, OK, command
from airflow_provider_mics.cli.screen import safe
from airflow_provider_mics.cli.sources import check_not_replaced, document_type_from, find_sources
from airflow_provider_mics.storage import open_for_writing

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from airflow_provider_mics.bulk.checks import Problem
    from airflow_provider_mics.cli.checking import FileReport
    from airflow_provider_mics.cli.screen import Screen

_COUNTS = ("lines", "good", "bad", "blank", "deletions")


@command
def validate(args: argparse.Namespace, screen: Screen) -> int:
    """Check files and tell what is in them."""
    document_type, is_known = document_type_from(args.document_type)
    sources = find_sources(args.files, args.mime_type)
    check_document_import(document_type, sources.mime_type)
    if not is_known:
        screen.warning(f"The rules of {document_type} are not known here: only the JSON of its lines is checked.")
    with contextlib.ExitStack() as stack:
        dead_letters = None
        if path := args.dead_letter:
            check_not_replaced(path, sources.files)
            dead_letters = stack.enter_context(DeadLetters(path, lambda: open_for_writing(path)))
        check = Check(
            document_type=document_type,
            mime_type=sources.mime_type,
            max_part_bytes=args.max_part_bytes,
            dead_letters=dead_letters,
        )
        files = stack.enter_context(watched(sources.files, screen, "Checking"))
        reports = [check.report(file) for file in files]
    if screen.is_document:
        screen.document(_document(check, reports))
    else:
        _show(check, reports, screen)
    return OK if all(report.is_good for report in reports) else BAD


def _document(check: Check, reports: Sequence[FileReport]) -> dict[str, Any]:
    return {
        "document_type": check.document_type,
        "mime_type": check.mime_type,
        "ok": all(report.is_good for report in reports),
        "total": {name: _total(reports, name) for name in _COUNTS},
        "files": [
            {
                "file": report.file,
                "ok": report.is_good,
                **{name: getattr(report, name) for name in _COUNTS},
                "problems": [_problem(problem) for problem in report.problems],
                "error": report.error,
            }
            for report in reports
        ],
        "dead_letter": _dead_letter(check),
    }


def _problem(problem: Problem) -> dict[str, Any]:
    names = ("line", "offset", "field", "reason", "remedy")
    return {name: getattr(problem, name) for name in names}


def _dead_letter(check: Check) -> dict[str, Any] | None:
    if check.dead_letters is None or not check.dead_letters.lines:
        return None
    return {"path": check.dead_letters.path, "lines": check.dead_letters.lines}


def _show(check: Check, reports: Sequence[FileReport], screen: Screen) -> None:
    rows: list[Sequence[object]] = [[report.file, *(getattr(report, name) for name in _COUNTS)] for report in reports]
    if len(reports) > 1:
        rows.append(["total", *(_total(reports, name) for name in _COUNTS)])
    screen.table(("file", *_COUNTS), rows)
    for report in reports:
        for problem in report.problems:
            _show_problem(report.file, problem, screen)
        if len(report.problems) >= MAX_TOLD and report.bad > len({problem.line for problem in report.problems}):
            hint = "" if check.dead_letters else "; --dead-letter writes all bad lines down"
            screen.line(f"Only the first problems of {report.file} are shown{hint}.")
        if report.error:
            screen.line(report.error, style="red")
        if not report.is_good:
            screen.line()
    _conclude(check, reports, screen)


def _show_problem(file: str, problem: Problem, screen: Screen) -> None:
    if not screen.is_pretty:
        screen.line(f"{file}, {problem}")
        return
    from rich.text import Text

    where = f"{safe(file)}, line {problem.line} (byte {problem.offset}): "
    subject = f"{safe(problem.field)} " if problem.field else ""
    screen.styled(
        Text.assemble(where, (subject, "bold"), (f"{safe(problem.reason)}. ", "red"), (safe(problem.remedy), "dim"))
    )


def _conclude(check: Check, reports: Sequence[FileReport], screen: Screen) -> None:
    lines, bad = _total(reports, "lines"), _total(reports, "bad")
    # Their header is wrong, or they are damaged: what their other lines are is not known.
    unread = sum(not report.is_good and (not report.bad or report.error is not None) for report in reports)
    if bad:
        screen.line(
            f"{screen.number(bad)} of {screen.counted(lines, 'line')} {by_count(bad, 'is', 'are')} not what "
            f"mediarithmics takes as {check.document_type}.",
            style="bold red",
        )
    if unread:
        files = counted(len(reports), "file")
        screen.line(f"{unread} of {files} could not be checked to the end.", style="bold red")
    if all(report.is_good for report in reports):
        good = by_count(lines, "The only line is good.", f"All {screen.number(lines)} lines are good.")
        screen.line(good if lines else "There are no lines.", style="bold green")
    if written := _dead_letter(check):
        screen.line(f"Bad lines written to {written['path']}: {screen.number(written['lines'])}")


def _total(reports: Sequence[FileReport], name: str) -> int:
    return sum(getattr(report, name) for report in reports)
