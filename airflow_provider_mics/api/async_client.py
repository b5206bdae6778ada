"""The transport of the triggerer: ``aiohttp``."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import aiohttp
import tenacity
import yarl
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from airflow_provider_mics.api.call import Call, Reply
from airflow_provider_mics.api.conversation import Conversation, Pause, Step, hold_async
from airflow_provider_mics.api.credentials import Credentials, Renewal, authorized, tell_not_read_again
from airflow_provider_mics.api.envelope import read_reply
from airflow_provider_mics.api.pace import Pace
from airflow_provider_mics.api.settings import CONNECT_TIMEOUT_S, APISettings
from airflow_provider_mics.api.transport import (
    MAX_REPLY_BYTES,
    UNANSWERED_HINT,
    UNREACHED_HINT,
    cause_of,
    headers_of,
    is_timeout,
    is_tls_refusal,
    repeating,
    too_large,
)
from airflow_provider_mics.exceptions import (
    MicsAuthenticationError,
    MicsConfigurationError,
    MicsError,
    MicsTLSError,
    MicsTransportError,
    Outcome,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

#: Idle connections are kept this long, in s: longer than waits usually sleep between polls, as a new TLS connection
#: costs as much as many polls.
_KEEPALIVE_S = 90.0


class AsyncMicsClient:
    """Sends calls and reads their answers without blocking; belongs to one event loop.

    Use as an asynchronous context manager. Large bodies are a worker's task: calls with ``open_body`` are refused.

    :param reload: Reads the credentials again where they were written down, for when the API refuses those it was
        given. None: they cannot be.
    :param connections: Connections open at the same time, and so calls under way.
    """

    def __init__(
        self,
        settings: APISettings,
        credentials: Credentials,
        *,
        reload: Callable[[], Awaitable[Credentials]] | None = None,
        connections: int = 20,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._reload = reload
        self._reloading = asyncio.Lock()
        self._renewing = asyncio.Lock()
        self._connections = connections
        self._pace = Pace(settings.rate_limit)
        self._proxy = settings.effective_proxy
        self._session: aiohttp.ClientSession | None = None

    async def send(self, call: Call[T]) -> T:
        """Make one call.

        :raises MicsCallError: It did not succeed.
        """
        used = self._credentials
        try:
            return await hold_async(authorized(call, used, time.time), self._authorized_step)
        except MicsAuthenticationError:
            newer = await self._newer_than(used)
            if newer is None:
                raise
        return await hold_async(authorized(call, newer, time.time), self._authorized_step)

    async def run(self, conversation: Conversation[T]) -> T:
        """Make the calls of a conversation and return what it returns."""
        return await hold_async(conversation, self._step)

    async def _step(self, step: Step) -> Any:
        return await (asyncio.sleep(step.seconds) if isinstance(step, Pause) else self.send(step))

    async def __aenter__(self) -> Self:
        # Reading the CA certificates takes some 20 ms, in which nothing else of the triggerer would run.
        context = await asyncio.to_thread(_ssl_context, self._settings)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=self._connections, keepalive_timeout=_KEEPALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=self._settings.timeout_s
            ),
            # It would let a .netrc entry replace our Authorization header; the settings have read the proxy.
            trust_env=False,
        )
        # It would send a PUT again by itself where a connection that was used before ends; whether a call may be
        # repeated is decided here.
        self._session._retry_connection = False  # noqa: SLF001 - there is no public switch (aiohttp 3.14)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def _newer_than(self, refused: Credentials) -> Credentials | None:
        """Return other credentials than those that were refused; None if there are none."""
        if self._reload is None:
            return None
        async with self._reloading:
            # Another call may have read them meanwhile.
            if self._credentials is refused:
                try:
                    read = await self._reload()
                except Exception as error:  # noqa: BLE001 - each store of connections raises its own kind
                    tell_not_read_again(error)
                    return None
                if read != refused:
                    self._credentials = read
            return self._credentials if self._credentials is not refused else None

    async def _authorized_step(self, step: Call[Any] | Renewal) -> Any:
        if not isinstance(step, Renewal):
            return await self._repeatedly(step)
        async with self._renewing:
            return await hold_async(step.calls(), self._repeatedly)

    async def _repeatedly(self, call: Call[T]) -> T:
        try:
            return await self._once(call)
        except MicsError as error:
            failure: MicsError | None = error

        async def attempt() -> T:
            nonlocal failure
            if failure:
                # The first attempt. tenacity costs half as much as a whole call, so only those that fail pay for it.
                first, failure = failure, None
                raise first
            return await self._once(call)

        result: T = await tenacity.AsyncRetrying(sleep=asyncio.sleep, **repeating(call))(attempt)
        return result

    async def _once(self, call: Call[T]) -> T:
        if delay_s := self._pace.delay(time.monotonic()):
            await asyncio.sleep(delay_s)
        return read_reply(call, await self._exchange(call))

    async def _exchange(self, call: Call[Any]) -> Reply:
        if self._session is None or call.open_body:
            raise TypeError("An asynchronous client is used within 'async with', and not for uploads")
        try:
            async with self._session.request(
                call.method,
                # Else it would undo the escapes of what is allowed in paths, such as a comma in an account id.
                yarl.URL((call.base_url or self._settings.base_url) + call.path, encoded=True),
                params=list(call.query),
                headers=headers_of(call),
                data=call.content,
                proxy=self._settings.proxy_for(call.base_url) if call.base_url else self._proxy,
                allow_redirects=False,
            ) as response:
                return Reply(
                    status=response.status,
                    headers={name.lower(): value for name, value in response.headers.items()},
                    body=await _read(call, response),
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # The original's text, and so its traceback, would carry the URL.
            raise self._failure(call, error) from None

    def _failure(self, call: Call[Any], error: BaseException) -> MicsTransportError:
        if is_tls_refusal(error):
            hint = "Check the connection's host, and its verify, which may name a file of CA certificates."
            return MicsTLSError(f"{cause_of(error)}.", call=call.what, outcome=Outcome.NOT_SENT, hint=hint)
        if isinstance(error, aiohttp.ClientHttpProxyError):
            cause = f"the proxy answered HTTP {error.status}"
        elif isinstance(error, aiohttp.ConnectionTimeoutError):
            cause = f"not reached within {CONNECT_TIMEOUT_S:g} s"
        elif is_timeout(error):
            cause = f"no answer within {self._settings.timeout_s:g} s"
        else:
            cause = cause_of(error)
        never_connected = isinstance(
            error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.ClientHttpProxyError
        )
        outcome = Outcome.NOT_SENT if never_connected else Outcome.UNKNOWN
        what_now = UNREACHED_HINT if never_connected else UNANSWERED_HINT if is_timeout(error) else None
        return MicsTransportError(f"{cause}.", call=call.what, outcome=outcome, hint=what_now)


async def _read(call: Call[Any], response: aiohttp.ClientResponse) -> bytes:
    blocks: list[bytes] = []
    size = 0
    async for block in response.content.iter_any():
        size += len(block)
        if size > MAX_REPLY_BYTES:
            raise too_large(call)
        blocks.append(block)
    return b"".join(blocks)


def _ssl_context(settings: APISettings) -> ssl.SSLContext | bool:
    verify = settings.effective_verify
    if verify is False:
        return False
    # Where nothing is named, the CA certificates that requests brings, so that both transports trust the same servers.
    found = Path(DEFAULT_CA_BUNDLE_PATH if verify is True else verify)
    try:
        return ssl.create_default_context(
            cafile=None if found.is_dir() else str(found), capath=str(found) if found.is_dir() else None
        )
    except (ssl.SSLError, OSError) as error:
        raise MicsConfigurationError(
            f"The CA file of the connection's verify, {found}, cannot be read: {cause_of(error)}.",
            hint="It must hold certificates in PEM form.",
        ) from None
