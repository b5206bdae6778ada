"""What a load of files sends: every line of them checked before, or unread."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from airflow_provider_mics.bulk.planning import Plan, plan_load
from airflow_provider_mics.bulk.preflight import check_load
from airflow_provider_mics.exceptions import MicsConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_mics.bulk.dead_letters import DeadLetters
    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.problem_report import ProblemReport


def plan_files(
    files: Iterable[SourceFile],
    *,
    document_type: str,
    mime_type: str,
    encoding: str | None,
    is_checked: bool,
    max_part_bytes: int,
    dead_letters: DeadLetters | None = None,
    max_deletions: int | None = None,
    report: ProblemReport | None = None,
    goes_on: bool = False,
) -> Plan:
    """Cut files into the parts of a load.

    :param encoding: The document import's; None: UTF-8.
    :param is_checked: Whether every line is checked before.
    :param dead_letters: Where bad lines are put aside, so that the others are sent; None: a bad line stops the load.
    :param max_deletions: Most lines that delete something; None: any number.
    :param report: Where all problems of the lines are written; None: nowhere.
    :param goes_on: Whether lines are still checked while parts before them are sent, where none can stop the load.
    :raises MicsConfigurationError: See :func:`check_encoding`.
    :raises MicsInputError: The files cannot be sent as they are.
    """
    if not is_checked:
        return plan_load(files, mime_type=mime_type, max_part_bytes=max_part_bytes)
    check_encoding(encoding)
    return check_load(
        files,
        document_type=document_type,
        mime_type=mime_type,
        max_part_bytes=max_part_bytes,
        dead_letters=dead_letters,
        max_deletions=max_deletions,
        report=report,
        goes_on=goes_on,
    )


def check_encoding(encoding: str | None) -> None:
    """Refuse to check lines that are not UTF-8.

    :param encoding: The document import's; None: UTF-8.
    :raises MicsConfigurationError: They are not.
    """
    if not _is_utf_8(encoding):
        raise MicsConfigurationError(
            f"Lines are checked as UTF-8; the document import takes {encoding}.",
            hint='Write the files in UTF-8, or send them unread: preflight="off".',
        )


def _is_utf_8(encoding: str | None) -> bool:
    try:
        return codecs.lookup(encoding or "utf-8").name == "utf-8"
    except LookupError:
        return False
