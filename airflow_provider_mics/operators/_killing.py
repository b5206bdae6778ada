"""Cancelling the executions of a task that is killed, or late, while it runs."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from airflow.providers.common.compat.sdk import AirflowTaskTimeout

from airflow_provider_mics.triggers._fate import is_abandoned, task_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_mics.bulk.killing import Killed
    from airflow_provider_mics.hooks.mics import MicsHook

log = logging.getLogger(__name__)

#: Time that cancelling may take while Airflow kills the task, in s: its supervisor sends SIGKILL 5 s after SIGTERM
#: (Airflow 3.3.2, ``ActivitySubprocess.kill``).
KILL_S: Final = 4.0
#: Time that it may take when nobody is in a hurry, in s.
CANCEL_S: Final = 60.0

_RUNNING: Final = "running"


def cancel_killed(
    context: Context | None,
    hook: MicsHook,
    document_import_id: str,
    execution_ids: Sequence[str] | None,
    *,
    cancel_on_clear: bool,
    cancel_on_timeout: bool,
) -> None:
    """Cancel the executions of a task that is being killed while it runs, if nobody goes on with them. Never raises.

    :param context: Of the task, if it has begun.
    :param execution_ids: None: not known; nothing is cancelled then.
    :param cancel_on_clear: See :func:`~airflow_provider_mics.triggers._fate.is_abandoned`.
    :param cancel_on_timeout: Whether an ``execution_timeout`` cancels.
    """
    if not execution_ids or context is None:
        return
    is_timeout = isinstance(sys.exception(), AirflowTaskTimeout)
    if is_timeout and not cancel_on_timeout:
        return
    ends_at = time.monotonic() + KILL_S

    def kill() -> Killed | None:
        if not is_timeout and not _is_abandoned(context, cancel_on_clear=cancel_on_clear):
            return None
        return _cancel(hook, document_import_id, execution_ids, within_s=ends_at - time.monotonic())

    _in_thread(kill, document_import_id, within_s=KILL_S)


def cancel_now(hook: MicsHook, document_import_id: str, execution_ids: Sequence[str] | None) -> list[str]:
    """Cancel executions that have not started, log what became of them, and return those. Never raises.

    :param execution_ids: None: those of the import, which may be anybody's; nothing is cancelled then.
    """
    if not execution_ids:
        return []
    killed = _in_thread(
        lambda: _cancel(hook, document_import_id, execution_ids, within_s=CANCEL_S),
        document_import_id,
        within_s=CANCEL_S + KILL_S,
    )
    return killed.cancelled if killed else []


def _in_thread(work: Callable[[], Killed | None], document_import_id: str, *, within_s: float) -> Killed | None:
    """Do it in a thread: a signal handler may have interrupted what holds a lock that this needs."""
    done: list[Any] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as error:  # noqa: BLE001 - killing goes on whatever happens
            done.append(error)

    thread = threading.Thread(target=run, name="mics-cancel", daemon=True)
    thread.start()
    thread.join(within_s)
    match done:
        case []:
            log.warning("Cancelling executions of document import %s took too long", document_import_id)
        case [Exception() as error]:
            log.warning("Executions of document import %s could not be cancelled: %s", document_import_id, error)
        case [None]:
            log.info("Document import %s: nothing is cancelled, as it is still waited for", document_import_id)
        case [killed]:
            killed.tell()
            found: Killed = killed
            return found
    return None


def _cancel(hook: MicsHook, document_import_id: str, execution_ids: Sequence[str], *, within_s: float) -> Killed:
    from airflow_provider_mics.api.async_client import AsyncMicsClient
    from airflow_provider_mics.bulk.killing import cancel_pending

    async def main() -> Killed:
        # A client of its own: the task's may be in the middle of a call.
        async with AsyncMicsClient(hook.connection.settings, hook.connection.credentials) as client:
            return await cancel_pending(client, hook.datamart_id, document_import_id, execution_ids, within_s=within_s)

    return asyncio.run(main())


def _is_abandoned(context: Context, *, cancel_on_clear: bool) -> bool:
    ti: Any = context["ti"]
    try:
        state = task_state(ti.get_task_states, ti)
    except Exception as error:  # noqa: BLE001 - Airflow's, of many kinds
        log.info("The task's state could not be read: %s", type(error).__name__)
        state = _RUNNING
    if state != _RUNNING:
        return is_abandoned(state, goes_on=False, cancel_on_clear=cancel_on_clear)
    # The worker is being stopped: a retry takes over, if there is one left.
    return not ti.try_number <= ti.max_tries
