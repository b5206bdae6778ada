"""Both clients behind one face, so that every case is tried with each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from airflow_provider_mics.api.async_client import AsyncMicsClient
from airflow_provider_mics.api.client import MicsClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.api.conversation import Conversation
    from airflow_provider_mics.api.credentials import Credentials
    from airflow_provider_mics.api.settings import APISettings

T = TypeVar("T")


class Talker(Protocol):
    """A client whose methods wait for the answer."""

    def send(self, call: Call[T], /) -> T:
        """Make one call."""

    def run(self, conversation: Conversation[T], /) -> T:
        """Make the calls of a conversation."""

    def close(self) -> None:
        """Close the connections."""


class AsyncTalker:
    """The asynchronous client, on an event loop that runs only while something is sent."""

    def __init__(self, settings: APISettings, credentials: Credentials) -> None:
        self._runner = asyncio.Runner()
        self._client = AsyncMicsClient(settings, credentials)
        try:
            self._runner.run(self._client.__aenter__())
        except BaseException:
            self._runner.close()
            raise

    def send(self, call: Call[T], /) -> T:
        return self._runner.run(self._client.send(call))

    def run(self, conversation: Conversation[T], /) -> T:
        return self._runner.run(self._client.run(conversation))

    def close(self) -> None:
        self._runner.run(self._client.__aexit__())
        self._runner.close()


KINDS: dict[str, Callable[[Any, Any], Talker]] = {"requests": MicsClient, "aiohttp": AsyncTalker}
