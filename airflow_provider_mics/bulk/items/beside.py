"""Running an event loop beside the main thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

#: How long what is under way may still take after an interruption, in s.
_GRACE_S: Final = 10.0


def run_beside(work: Callable[[], Awaitable[None]], stop: Callable[[], None]) -> None:
    """Do asynchronous work on an event loop in a thread of its own, and wait for its end.

    What a signal's handler raises, such as Airflow's ``execution_timeout``, is raised in the main thread wherever it
    is. In an event loop that would be a callback, where it is logged and forgotten, or one of many tasks.

    :param work: What to do.
    :param stop: Asks it to end, after an interruption; it is cancelled if it takes too long.
    """
    done: concurrent.futures.Future[None] = concurrent.futures.Future()
    cancel: concurrent.futures.Future[Callable[[], object]] = concurrent.futures.Future()

    async def cancellable() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task:
            cancel.set_result(lambda: loop.call_soon_threadsafe(task.cancel))
        await work()

    def run() -> None:
        try:
            asyncio.run(cancellable())
        except BaseException as error:  # noqa: BLE001 - raised in the main thread
            done.set_exception(error)
        else:
            done.set_result(None)

    thread = threading.Thread(target=run, name="mics-items")
    thread.start()
    try:
        done.result()
    except BaseException:
        if not done.done():
            stop()
            with contextlib.suppress(TimeoutError, Exception):
                done.result(_GRACE_S)
        if not done.done():
            with contextlib.suppress(RuntimeError):
                # The loop may have ended meanwhile.
                cancel.result()()
        raise
    finally:
        thread.join()
