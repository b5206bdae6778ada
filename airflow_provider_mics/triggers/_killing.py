"""Cancelling the executions of a task that is killed while it is deferred."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.triggers._fate import is_abandoned, task_state
from airflow_provider_mics.xcom_keys import PARTS_KEY

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from airflow_provider_mics.hooks.mics import MicsHook

log = logging.getLogger(__name__)

#: Time that Airflow may take to tell how the task is, in s. The first question of a triggerer takes it seven, and on a
#: busy machine half a minute. Airflow itself waits ``[triggerer] on_kill_timeout`` for it all, by default 30 s, and
#: then cancels what does not mind; see :func:`undisturbed`.
ASK_S: Final = 60.0
#: Time that cancelling may take, in s.
KILL_S: Final = 20.0

_DEFERRED: Final = "deferred"
#: What still cancels; asyncio itself keeps only weak references.
_under_way: set[asyncio.Task[None]] = set()


async def undisturbed(work: Coroutine[Any, Any, None]) -> None:
    """Do it to its end, and wait for that as long as Airflow lets.

    Airflow 3.3.2 cancels ``on_kill`` again each second while it runs.
    """
    task = asyncio.ensure_future(work)
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)


async def cancel_killed(
    hook: MicsHook,
    datamart_id: str,
    document_import_id: str,
    execution_ids: Sequence[str],
    *,
    task_instance: Any,
    cancel_on_clear: bool,
) -> None:
    """Cancel the executions of a task, if nobody waits for them any more. Never raises.

    :param cancel_on_clear: See :func:`~airflow_provider_mics.triggers._fate.is_abandoned`.
    """
    from airflow_provider_mics.bulk.killing import cancel_pending

    try:
        async with asyncio.timeout(ASK_S):
            abandoned = await _is_abandoned(task_instance, execution_ids, cancel_on_clear=cancel_on_clear)
        if not abandoned:
            log.info("Document import %s: nothing is cancelled, as it is still waited for", document_import_id)
            return
        async with asyncio.timeout(KILL_S):
            # A client of its own: that of the wait is closed while this goes on.
            async with hook.async_client() as client:
                killed = await cancel_pending(
                    client, datamart_id, document_import_id, execution_ids, within_s=KILL_S / 2
                )
        killed.tell()
    except Exception as error:  # noqa: BLE001 - killing goes on whatever happens
        log.warning(
            "Executions of document import %s could not be cancelled: %s",
            document_import_id,
            str(error) or type(error).__name__,
        )


async def _is_abandoned(task_instance: Any, execution_ids: Sequence[str], *, cancel_on_clear: bool) -> bool:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    state = await asyncio.to_thread(task_state, RuntimeTaskInstance.get_task_states, task_instance)
    # Airflow 3.3.2 also kills the trigger of a triggerer that was taken for dead, and whose triggers another one has.
    is_same = state == _DEFERRED and (
        not cancel_on_clear or await asyncio.to_thread(_waits_for, task_instance, execution_ids)
    )
    return is_abandoned(state, goes_on=is_same, cancel_on_clear=cancel_on_clear)


def _waits_for(task_instance: Any, execution_ids: Sequence[str]) -> bool:
    """Return whether the task that is deferred now is the one that sent these executions, and no later attempt."""
    from airflow.providers.common.compat.sdk import XCom

    parts = XCom.get_one(
        key=PARTS_KEY,
        dag_id=task_instance.dag_id,
        task_id=task_instance.task_id,
        run_id=task_instance.run_id,
        map_index=task_instance.map_index,
    )
    return {part["execution_id"] for part in parts or ()} >= set(execution_ids)
