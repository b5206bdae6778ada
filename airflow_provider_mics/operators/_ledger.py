"""The ledger of a task: what its tries know of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.bulk.cancel import cancel
from airflow_provider_mics.bulk.counted import counted
from airflow_provider_mics.bulk.delivery import SourceChangedError, stop_if_lines_count_again
from airflow_provider_mics.bulk.ledger import Ledger
from airflow_provider_mics.bulk.sent_part import SentPart
from airflow_provider_mics.bulk.upload import Uploader
from airflow_provider_mics.exceptions import MicsError, MicsNotFoundError
from airflow_provider_mics.operators._state import generation, is_retry, state_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.bulk.early_verdict import EarlyVerdict
    from airflow_provider_mics.bulk.ledger import EarlierLoad
    from airflow_provider_mics.hooks.mics import MicsHook


def open_ledger(context: Context, hook: MicsHook) -> Ledger:
    """Open the ledger of a task's load: the one that an earlier try has left, or that of a new load.

    A clear is a new load: what is still pending of the old one is cancelled.

    :raises MicsStateError: Airflow's state store cannot be reached.
    """
    ledger = Ledger.open(state_store(context), generation=generation(context), is_retry=is_retry(context))
    if ledger.is_blind:
        hook.log.warning(
            "This Airflow keeps no state of tasks, as 3.3 and later do. What an earlier try has sent is looked for by "
            "the name of the document import and by the content of its executions."
        )
    settle_earlier_loads(ledger, hook)
    return ledger


def settle_earlier_loads(ledger: Ledger, hook: MicsHook) -> None:
    """Cancel what is pending of loads whose place this one takes, as far as the platform does.

    Where that could not be done it is tried again, here and in the next try. It keeps nobody from sending: what is
    pending may begin at any moment, and waiting for it would not help.
    """
    ledger.settle([earlier.id for earlier in ledger.earlier_loads(unsettled=True) if _settle(earlier, hook)])


def _settle(earlier: EarlierLoad, hook: MicsHook) -> bool:
    """Cancel what is pending of a load, and return whether nothing is left to be done."""
    document_import_id = earlier.load.document_import_id
    if not document_import_id:
        return True
    execution_ids = [record.execution_id for record in earlier.parts if record.execution_id]
    if doubtful := [record.file for record in earlier.parts if record.is_doubtful]:
        hook.log.warning(
            "Of the load before this one, %s may be in document import %s beside those that are known: %s",
            counted(len(doubtful), "part"),
            document_import_id,
            ", ".join(sorted(set(doubtful))),
        )
    if not execution_ids:
        return True
    try:
        found = hook.run(cancel(hook.datamart_id, document_import_id, execution_ids))
    except MicsError as error:
        hook.log.warning("What was pending of the load before this one could not all be cancelled. %s", error)
        # What is not there is not pending.
        return isinstance(error, MicsNotFoundError)
    canceled = [execution_id for execution_id, execution in found.items() if execution.is_canceled]
    hook.log.warning(
        "This load takes the place of one of %s of document import %s. Cancelled, as they were pending: "
        "%s. In all the same: %s.",
        counted(len(execution_ids), "execution"),
        document_import_id,
        ", ".join(canceled) or "none",
        ", ".join(execution_id for execution_id in execution_ids if execution_id not in canceled) or "none",
    )
    return True


#: What was sent; and where lines were put aside and how many, or None if none were.
Sending = tuple[list[SentPart], dict[str, Any] | None]


def send_load(
    hook: MicsHook,
    document_import: DocumentImport,
    ledger: Ledger,
    send: Callable[[Uploader], Sending],
    early_verdict: EarlyVerdict | None = None,
) -> Sending:
    """Send a load, or what earlier tries have not sent of it.

    :param send: Sends the load's parts, by the uploader it is given.
    :param early_verdict: Judges the load while it is being sent; None: nobody does.
    :raises MicsUploadError: The source is not what it was, and lines that are in would count again.
    """
    uploader = _uploader(hook, document_import, ledger, early_verdict)
    try:
        recalled = uploader.recall()
        if recalled is not None:
            hook.log.info("All is in already: an earlier try has sent %s.", counted(len(recalled), "part"))
            return recalled, ledger.load.dead_letter
        sent, dead_letter = send(uploader)
    except SourceChangedError as error:
        stop_if_lines_count_again(str(error), document_import, ledger)
        hook.log.warning("%s This is a new load: everything is sent.", error)
        ledger.begin()
        settle_earlier_loads(ledger, hook)
        sent, dead_letter = send(_uploader(hook, document_import, ledger, early_verdict))
    ledger.note(parts=len(sent), dead_letter=dead_letter)
    return sent, dead_letter


def _uploader(
    hook: MicsHook, document_import: DocumentImport, ledger: Ledger, early_verdict: EarlyVerdict | None
) -> Uploader:
    return Uploader(
        hook.client,
        hook.datamart_id,
        document_import,
        ledger=ledger,
        list_lag_s=hook.connection.list_lag_s,
        early_verdict=early_verdict,
    )
