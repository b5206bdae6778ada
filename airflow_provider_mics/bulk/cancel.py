"""Cancelling executions, which the platform does only while they are PENDING ("Bulk processing")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_mics.api import executions
from airflow_provider_mics.api.constants import ExecutionStatus
from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsAuthenticationError,
    MicsNotFoundError,
    MicsReplyError,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_mics.api.conversation import Conversation
    from airflow_provider_mics.api.models import Execution
    from airflow_provider_mics.exceptions import MicsError

_NOT_STARTED: Final = frozenset(
    {ExecutionStatus.PENDING, ExecutionStatus.SCHEDULED, ExecutionStatus.WAITING_DEPENDENT_JOB}
)


def cancel(
    datamart_id: str, document_import_id: str, execution_ids: Collection[str]
) -> Conversation[dict[str, Execution]]:
    """Cancel executions, and return them as they then are. Those that have started go on, which is no error.

    What the platform answers for those is not documented, so whatever it answers, it is asked how they are.

    :raises MicsCallError: One that has not started was not cancelled, or does not exist. The others were tried.
    """
    found: dict[str, Execution] = {}
    failed: list[MicsError] = []
    for execution_id in execution_ids:
        try:
            found[execution_id] = yield from _cancel(datamart_id, document_import_id, execution_id)
        except MicsAuthenticationError:
            raise
        except (MicsAPIError, MicsReplyError) as error:
            failed.append(error)
    if failed:
        # What another call may still cancel says more than what is not there.
        raise next((error for error in failed if not isinstance(error, MicsNotFoundError)), failed[0])
    return found


def _cancel(datamart_id: str, document_import_id: str, execution_id: str) -> Conversation[Execution]:
    call = executions.cancel(datamart_id, document_import_id, execution_id)
    refusal: MicsError | None = None
    try:
        answered: Execution = yield call
    except MicsAuthenticationError:
        raise
    except MicsAPIError as error:
        refusal = error
    else:
        if answered.is_canceled:
            return answered
    now: Execution = yield executions.get(datamart_id, document_import_id, execution_id)
    if now.status in _NOT_STARTED:
        raise refusal or MicsReplyError(
            f"the API said yes, but it is {now.status}.", call=call.what, hint="Look at it in Navigator, and try again."
        )
    return now
