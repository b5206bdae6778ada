"""What the hooks of this provider have in common."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import importlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from airflow.providers.common.compat.sdk import BaseHook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from airflow_provider_mics.api.async_client import AsyncMicsClient
    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.api.client import MicsClient
    from airflow_provider_mics.api.conversation import Conversation
    from airflow_provider_mics.api.credentials import Credentials
    from airflow_provider_mics.api.settings import APISettings

T = TypeVar("T")


class APIConnection(Protocol):
    """What every Airflow connection of this provider says."""

    @property
    def settings(self) -> APISettings:
        """Where the API is."""

    @property
    def credentials(self) -> Credentials:
        """What proves who is asking."""


C = TypeVar("C", bound=APIConnection)


class APIHook(BaseHook, Generic[C]):
    """A connection and the clients that use it. Nothing is resolved or sent before the first method that needs it.

    :param conn_id: The Airflow connection.
    """

    def __init__(self, conn_id: str) -> None:
        super().__init__()
        self._conn_id = conn_id

    #: Reads an Airflow connection, given its fields, its extra decoded, and what to call with each token that is got.
    read_fields: ClassVar[Callable[..., Any]]

    def read(self, found: Any, extra: Mapping[str, Any], on_new_secret: Callable[[str], None]) -> C:
        """Read an Airflow connection.

        :param extra: The connection's, decoded.
        :param on_new_secret: Called with each token that is got, so that it can be masked in logs.
        """
        connection: C = self.read_fields(
            host=found.host,
            port=found.port,
            schema=found.schema,
            login=found.login,
            password=found.password,
            extra=extra,
            on_new_secret=on_new_secret,
        )
        return connection

    @cached_property
    def connection(self) -> C:
        """The Airflow connection, read once."""
        return self._read_connection()

    @cached_property
    def client(self) -> MicsClient:
        """The client that sends this hook's calls; it may be shared by threads."""
        # Deferred: requests is heavy, and Dag files import this module.
        from airflow_provider_mics.api.client import MicsClient

        return MicsClient(
            self.connection.settings,
            self.connection.credentials,
            reload=lambda: self._read_connection().credentials,
        )

    @contextlib.asynccontextmanager
    async def async_client(
        self, *, connections: int = 20, rate_limit: float | None = None
    ) -> AsyncIterator[AsyncMicsClient]:
        """Open a client for the running event loop, without blocking it.

        :param connections: Connections open at the same time, and so calls under way.
        :param rate_limit: Most requests per second, where that is less than the connection's limit.
        """
        from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson
        from airflow.sdk.log import amask_secret

        # aiohttp takes half a second to be imported, in which nothing else of the triggerer would run.
        client_module = await asyncio.to_thread(importlib.import_module, "airflow_provider_mics.api.async_client")
        masking: set[asyncio.Task[None]] = set()

        def mask(secret: str) -> None:
            task = asyncio.ensure_future(amask_secret(secret))
            masking.add(task)
            task.add_done_callback(masking.discard)

        async def read() -> C:
            found = await get_async_connection(self._conn_id, hook=self)
            return self.read(found, await get_async_extra_dejson(found), mask)

        async def read_again() -> Credentials:
            return (await read()).credentials

        try:
            connection = await read()
            async with client_module.AsyncMicsClient(
                _limited(connection.settings, rate_limit),
                connection.credentials,
                reload=read_again,
                connections=connections,
            ) as client:
                yield client
        finally:
            if masking:
                await asyncio.wait(masking)

    def _read_connection(self) -> C:
        from airflow.sdk.log import mask_secret

        found = self.get_connection(self._conn_id)
        return self.read(found, found.extra_dejson, mask_secret)

    def send(self, call: Call[T]) -> T:
        """Make one call."""
        return self.client.send(call)

    def run(self, conversation: Conversation[T]) -> T:
        """Make the calls of a conversation."""
        return self.client.run(conversation)


def _limited(settings: APISettings, rate_limit: float | None) -> APISettings:
    if rate_limit is None or (settings.rate_limit and settings.rate_limit <= rate_limit):
        return settings
    return dataclasses.replace(settings, rate_limit=rate_limit)
