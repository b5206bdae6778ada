"""What the triggers of one event loop share: a client for each connection, a poller for each document import."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from typing import TYPE_CHECKING

from airflow_provider_mics.bulk.polling import Poller
from airflow_provider_mics.hooks.mics import MicsHook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow_provider_mics.api.async_client import AsyncMicsClient

#: A triggerer has one event loop; others have theirs to themselves, as clients belong to the loop they were opened in.
_shares: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Share]] = weakref.WeakKeyDictionary()


def poller_of(mics_conn_id: str, datamart_id: str, document_import_id: str) -> Poller:
    """Return the poller of a document import, which all that wait for it at present share."""
    shares = _shares.setdefault(asyncio.get_running_loop(), {})
    share = shares.get(mics_conn_id)
    if share is None:
        share = shares[mics_conn_id] = _Share(mics_conn_id)
    key = (datamart_id, document_import_id)
    poller = share.pollers.get(key)
    if poller is None:

        def forget() -> None:
            del share.pollers[key]
            if not share.pollers and shares.get(mics_conn_id) is share:
                del shares[mics_conn_id]

        poller = share.pollers[key] = Poller(datamart_id, document_import_id, share.use_client, forget)
    return poller


class _Share:
    """The pollers of one connection, and their client, which is open while one of them looks."""

    def __init__(self, mics_conn_id: str) -> None:
        self.pollers: dict[tuple[str, str], Poller] = {}
        self._mics_conn_id = mics_conn_id
        self._users = 0
        self._opening = asyncio.Lock()
        self._open: tuple[contextlib.AsyncExitStack, AsyncMicsClient] | None = None

    @contextlib.asynccontextmanager
    async def use_client(self) -> AsyncIterator[AsyncMicsClient]:
        self._users += 1
        try:
            async with self._opening:
                if self._open is None:
                    stack = contextlib.AsyncExitStack()
                    client = await stack.enter_async_context(MicsHook(self._mics_conn_id).async_client())
                    self._open = stack, client
            yield self._open[1]
        finally:
            self._users -= 1
            if not self._users and self._open is not None:
                (stack, _), self._open = self._open, None
                await stack.aclose()
