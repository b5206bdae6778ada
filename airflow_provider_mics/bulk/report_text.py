"""The readable text of a report. It may be mailed: of what was in the lines it holds nothing."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.api.constants import SUCCESS_STATUSES
from airflow_provider_mics.api.redaction import template_of
from airflow_provider_mics.bulk.counted import counted
from airflow_provider_mics.bulk.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Rejected lines that the text lists. The JSON document has more.
MAX_LISTED: Final = 1000


def readable(facts: Mapping[str, Any], lines: Iterable[Mapping[str, Any]], path: str) -> Iterator[str]:
    """Give the lines of the text.

    :param facts: The report without its rejected lines.
    :param lines: The rejected lines.
    :param path: Where the JSON document is.
    """
    document_import = facts["document_import"]
    yield f"Document import {document_import['id']} ({document_import['name']}), {document_import['document_type']}"
    executions = counted(len(facts["executions"]), "execution")
    yield f"{counted(facts['accepted'], 'line')} accepted, {facts['rejected']} rejected, in {executions}."
    if put_aside := facts["dead_letter"]:
        yield f"{put_aside['lines']} more were put aside before: {put_aside['path']}"
    yield from ("", "Reasons")
    for reason in facts["reasons"]:
        yield f"  {Reason(**reason)}"
    yield from ("", "Executions with rejected lines, or a bad end")
    for execution in facts["executions"]:
        if execution["rejected"] or execution["status"] not in SUCCESS_STATUSES:
            yield f"  {_execution(execution)}"
    if facts["notes"]:
        yield from ("", "Notes")
        for note in facts["notes"]:
            yield f"  {note}"
    yield from ("", "Rejected lines")
    wording = functools.lru_cache(1024)(template_of)
    for index, line in enumerate(lines):
        if index == MAX_LISTED:
            yield f"  ... see {path} for more."
            break
        error_id = f" (error id {line['error_id']})" if line["error_id"] else ""
        yield f"  {_place(line)}: {wording(line['message']) if line['message'] else 'no reason given'}{error_id}"


def _execution(execution: Mapping[str, Any]) -> str:
    text = f"{execution['execution_id']} {execution['status']}"
    if execution["rejected"] is not None:
        text += f", {execution['accepted']} accepted, {execution['rejected']} rejected"
    if part := execution["part"]:
        text += f": {part['file']}, part {part['number']}"
        if part["first_byte"] is not None:
            text += f" (bytes {part['first_byte']}-{part['last_byte']})"
    if (file := execution["error_file"]) and file["path"]:
        text += f"; error file {file['path']}"
    return text


def _place(line: Mapping[str, Any]) -> str:
    within = f"execution {line['execution_id']}"
    if line["line"] is not None:
        within = f"line {line['line']} of {within}"
    if line["source_line"] is not None:
        return f"{line['source']}, line {line['source_line']} ({within})"
    if line["source_position"] is not None:
        return f"{line['source']}, line {line['source_position']} of those sent ({within})"
    return f"{line['source']} ({within})" if line["source"] else within
