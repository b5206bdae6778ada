"""Several calls of which a later one depends on an earlier reply, written once for both transports.

A conversation is a generator that yields calls and is sent what they gave; an error of a call is thrown into it. It
does no I/O: a transport runs it, on a worker with ``requests``, in the triggerer with ``aiohttp``. It may also yield a
pause, where the platform needs time.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from airflow_provider_mics.api.call import Call
from airflow_provider_mics.exceptions import MicsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.api.models import Page

T = TypeVar("T")

_FIRST_PAUSE_S: Final = 0.5
_MAX_PAUSE_S: Final = 15.0


@dataclasses.dataclass(frozen=True, slots=True)
class Pause:
    """Wait for some seconds before the next step."""

    seconds: float


#: One step of a conversation.
Step = Call[Any] | Pause
#: Yields calls and never pauses.
Exchange = Generator[Call[Any], Any, T]
#: Yields calls and pauses, is sent the calls' results, returns what it was for.
Conversation = Generator[Step, Any, T]


def pauses() -> Iterator[Pause]:
    """Give pauses between one look and the next, longer and longer."""
    seconds = _FIRST_PAUSE_S
    while True:
        yield Pause(seconds)
        seconds = min(seconds * 2, _MAX_PAUSE_S)


def every_page(
    call_at: Callable[[int], Call[Page[T]]], enough: Callable[[list[T]], bool] = lambda _: False
) -> Conversation[list[T]]:
    """Read a list page by page, to its end or until it is enough.

    An element that a shifting list shows on two pages is returned twice.

    :param call_at: Makes the call for the page that starts at an offset.
    :param enough: Tells from what has been read whether the rest is not needed.
    """
    items: list[T] = []
    while True:
        page: Page[T] = yield call_at(len(items))
        items.extend(page.items)
        if not page.items or enough(items):
            return items
        # Routes that are not paginated send neither a total nor a page size, and all there is.
        is_last = (
            len(page.items) < (page.max_results or sys.maxsize) if page.total is None else len(items) >= page.total
        )
        if is_last:
            return items


def hold(conversation: Generator[Any, Any, T], perform: Callable[[Any], Any]) -> T:
    """Hold a conversation.

    :param perform: Takes one step.
    """
    try:
        step = next(conversation)
        while True:
            try:
                result = perform(step)
            except MicsError as error:
                step = conversation.throw(error)
            else:
                step = conversation.send(result)
    except StopIteration as end:
        return cast("T", end.value)


async def hold_async(conversation: Generator[Any, Any, T], perform: Callable[[Any], Awaitable[Any]]) -> T:
    """Hold a conversation, as :func:`hold` does, with steps that are awaited."""
    try:
        step = next(conversation)
        while True:
            try:
                result = await perform(step)
            except MicsError as error:
                step = conversation.throw(error)
            else:
                step = conversation.send(result)
    except StopIteration as end:
        return cast("T", end.value)
