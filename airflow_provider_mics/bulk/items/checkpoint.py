"""Writing the progress down while items are sent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.bulk.items.resume import begin
from airflow_provider_mics.exceptions import MicsStateError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from airflow_provider_mics.bulk.items.progress import Progress
    from airflow_provider_mics.bulk.state_store import StateStore

log = logging.getLogger(__name__)

#: Key of the progress in the state of the task.
KEY: Final = "mics_items"
#: Time between two writings, in s: what ends in it is sent again after a kill, where that does no harm.
_INTERVAL_S: Final = 1.0


class Checkpoint:
    """The progress of a run, and where it is kept.

    :param store: Keeps it from try to try.
    :param source: Fingerprint of the source.
    :param generation: Differs between before and after a clear.
    :param is_retry: Whether this is not the first try.
    :raises MicsInputError: The source is not the one that an earlier try has sent a part of.
    """

    def __init__(self, store: StateStore, *, source: str, generation: int, is_retry: bool) -> None:
        self._store = store
        self._unread: MicsStateError | None = None
        stored = None
        try:
            stored = store.get(KEY)
        except MicsStateError as error:
            # Items that may be sent twice do not need it.
            self._unread = error
            log.warning("%s What may be sent twice is sent from the start.", error)
        is_blind_retry = is_retry and not store.survives
        self.progress: Progress = begin(stored, source=source, generation=generation, is_blind_retry=is_blind_retry)
        self._saving = asyncio.Lock()
        self._saved = -1

    async def announce(self, numbers: Iterable[int]) -> None:
        """Write down that items which must not be sent twice will be under way, before they are.

        :raises MicsStateError: It cannot be written, or what earlier tries wrote could not be read.
        """
        if self._unread:
            raise self._unread
        self.progress.announce(numbers)
        await self._save()

    async def save(self) -> None:
        """Write down what has ended. Failing to is worth a warning: it costs the next try some calls."""
        if self._unread or self._saved == self.progress.changes:
            return
        try:
            await self._save()
        except MicsStateError as error:
            log.warning("%s", error)

    def complete(self) -> None:
        """Write down that all was done, and well."""
        self.progress.is_complete = True
        try:
            self._store.set(KEY, self.progress.as_json())
        except MicsStateError as error:
            # The items are in: no failure may send them again.
            log.warning("%s", error)

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Write down what has ended, again and again and at the end."""
        saver = asyncio.create_task(self._save_regularly())
        try:
            yield
        finally:
            saver.cancel()
            await asyncio.gather(saver, return_exceptions=True)
            await self.save()

    async def _save_regularly(self) -> None:
        while True:
            await asyncio.sleep(_INTERVAL_S)
            await asyncio.shield(self.save())

    async def _save(self) -> None:
        # Writings keep their order: a later one knows more.
        async with self._saving:
            changes = self.progress.changes
            await asyncio.to_thread(self._store.set, KEY, self.progress.as_json())
            self._saved = changes
