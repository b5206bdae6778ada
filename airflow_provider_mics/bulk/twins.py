"""Parts that came in after all, when they had been shown absent and sent again.

The platform's list has then lagged longer than it was given time for. That cannot be helped, but must not go unseen.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_provider_mics.api import data_files, executions
from airflow_provider_mics.api.constants import REPEATABLE_DOCUMENT_TYPES
from airflow_provider_mics.bulk.content import Content
from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsCallError,
    MicsConfigurationError,
    MicsDoubledLinesError,
)

if TYPE_CHECKING:
    from airflow_provider_mics.api.conversation import Conversation
    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.bulk.ledger import Ledger, PartRecord

log = logging.getLogger(__name__)


def check_twins(datamart_id: str, document_import: DocumentImport, ledger: Ledger) -> Conversation[None]:
    """Look for second executions of parts that were sent again, and tell of them.

    One that has not been picked up yet does not tell what it holds, and is not seen.

    :raises MicsDoubledLinesError: Lines that count again each time are in twice.
    """
    sent_again = {record.digest: record for record in ledger.parts() if record.times_sent > 1 and record.digest}
    if not sent_again:
        return
    document_import_id = str(document_import.id)
    try:
        twins = yield from _find(datamart_id, document_import_id, ledger, sent_again)
    except MicsCallError as error:
        log.warning("Whether a part that was sent again has come in twice could not be looked at. %s", error)
        return
    if not twins:
        return
    told = ", ".join(f"{record.execution_id} and {twin} ({record.file})" for twin, record in twins.items())
    message = (
        f"Parts of document import {document_import_id} are in twice, as the platform listed them only after they had "
        f"been sent again: executions {told}."
    )
    if document_import.document_type in REPEATABLE_DOCUMENT_TYPES:
        log.warning("%s Lines of %s may be.", message, document_import.document_type)
        return
    raise MicsDoubledLinesError(
        message, hint="Ask the vendor to undo one of each pair, and set a larger list_lag in the connection's extra."
    )


def _find(
    datamart_id: str, document_import_id: str, ledger: Ledger, sent_again: dict[str, PartRecord]
) -> Conversation[dict[str, PartRecord]]:
    listed = yield from executions.read_all(datamart_id, document_import_id)
    twins: dict[str, PartRecord] = {}
    for execution in listed.values():
        uri = None if ledger.is_foreign(execution) else execution.input_file
        if not uri:
            continue
        try:
            stored: Content = yield data_files.read_through(uri, Content)
        except (MicsAPIError, MicsConfigurationError) as error:
            log.warning("What execution %s holds cannot be read. %s", execution.execution_id, error)
            continue
        if record := sent_again.get(stored.digest):
            twins[execution.execution_id] = record
    return twins
