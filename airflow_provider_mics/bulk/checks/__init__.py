"""Checks of what is about to be sent, line by line: pure functions of bytes, without files and without Airflow.

The caller reads a file in blocks, and gives each with what the one before left over::

    checker = checker_for("USER_PROFILE", "APPLICATION_X_NDJSON")
    result = checker.check_block(block, first_line=1, offset=0, problems=problems, limit=20)
    # next: first_line=result.next_line, offset=result.consumed, and block=block[result.consumed:] + what follows
"""

from __future__ import annotations

from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.bulk.checks.csv_checker import CsvChecker
from airflow_provider_mics.bulk.checks.findings import Problem
from airflow_provider_mics.bulk.checks.ndjson import NdjsonChecker
from airflow_provider_mics.bulk.checks.results import MAX_LINE_BYTES, BadLine, BlockResult, Checker

__all__ = ["MAX_LINE_BYTES", "BadLine", "BlockResult", "Checker", "Problem", "checker_for"]


def checker_for(document_type: str, mime_type: str, *, max_line_bytes: int = MAX_LINE_BYTES) -> Checker:
    """Return what checks a file of a document import.

    Of document types that are new to us, only the JSON or the CSV itself is checked.

    :param document_type: One of ``DocumentType``, or another word.
    :param mime_type: One of ``MimeType``.
    :param max_line_bytes: Longest line that is looked at, and the most that has to be in memory; longer ones are bad.
    """
    if mime_type == MimeType.CSV:
        return CsvChecker(document_type, max_line_bytes=max_line_bytes)
    return NdjsonChecker(document_type, max_line_bytes=max_line_bytes)
