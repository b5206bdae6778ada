"""``airflow mics errors``: why lines were rejected."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.api import executions
from airflow_provider_mics.bulk.counted import by_count, counted
from airflow_provider_mics.bulk.reasons import Reason
from airflow_provider_mics.bulk.report import Report, text_path, write_report
from airflow_provider_mics.cli.connected import hook_of
from airflow_provider_mics.cli.judging import show_reasons
from airflow_provider_mics.cli.running import OK, command
from airflow_provider_mics.storage import find_files, open_for_writing

if TYPE_CHECKING:
    import argparse
    from typing import BinaryIO

    from airflow_provider_mics.cli.screen import Screen


@command
def show_errors(args: argparse.Namespace, screen: Screen) -> int:
    """Download error files, and show what they say."""
    hook = hook_of(args)
    document_import = hook.get_document_import(args.document_import_id)
    if wanted := list(dict.fromkeys(args.execution_ids)):
        found = hook.run(executions.read_some(hook.datamart_id, args.document_import_id, wanted))
    else:
        found = hook.run(executions.read_all(hook.datamart_id, args.document_import_id))
    ended = [execution for execution in found.values() if execution.is_ended]
    if waiting := len(found) - len(ended):
        screen.warning(f"Not ended yet, and left out: {waiting} of {counted(len(found), 'execution')}.")
    path = f"{args.save.rstrip('/')}/{document_import.id}.json" if args.save else ""
    report = Report(
        path=path,
        download=hook.download_data_file,
        open_for_writing=open_for_writing if path else _nowhere,
        find_files=find_files,
    )
    with screen.working("Downloading error files"):
        facts = write_report(report, document_import, ended, ())
    if screen.is_document:
        screen.document(_document(facts, path))
    else:
        _show(facts, path, screen)
    return OK


def _nowhere(_: str) -> BinaryIO:
    """Open a file that is not kept."""
    return io.BytesIO()


def _document(facts: dict[str, Any], path: str) -> dict[str, Any]:
    names = ("execution_id", "status", "accepted", "rejected")
    return {
        "document_import": facts["document_import"],
        "accepted": facts["accepted"],
        "rejected": facts["rejected"],
        "reasons": facts["reasons"],
        "executions": [{name: item[name] for name in names} for item in facts["executions"]],
        "notes": facts["notes"],
        "report": path or None,
    }


def _show(facts: dict[str, Any], path: str, screen: Screen) -> None:
    document_import = facts["document_import"]
    rows = [
        (item["execution_id"], item["status"], item["accepted"], item["rejected"])
        for item in facts["executions"]
        if item["rejected"] != 0
    ]
    if rows:
        screen.table(("execution", "status", "accepted", "rejected"), rows, texts=2)
    if reasons := [Reason(**item) for item in facts["reasons"]]:
        show_reasons(reasons, screen)
    for note in facts["notes"]:
        screen.line(note, style="dim")
    count = len(facts["executions"])
    screen.line(
        f"Document import {document_import['id']} ({document_import['name']}): "
        f"{screen.counted(facts['accepted'], 'line')} accepted, {screen.number(facts['rejected'])} rejected, "
        f"in {counted(count, 'execution')} that {by_count(count, 'has', 'have')} ended.",
        style="bold",
    )
    if path:
        screen.line(f"Saved: {path}, {text_path(path)}, and the error files in {path}.d")
