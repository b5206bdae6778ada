"""The transport of workers: ``requests``."""

from __future__ import annotations

import contextlib
import http.cookiejar
import io
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import requests
import tenacity
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from airflow_provider_mics.api.call import BodyReader, Call, Reply
from airflow_provider_mics.api.conversation import Conversation, Pause, Step, hold
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
    links,
    repeating,
    too_large,
)
from airflow_provider_mics.api.unlogged import unlogged
from airflow_provider_mics.exceptions import MicsAuthenticationError, MicsTLSError, MicsTransportError, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_mics.api.call import Sink

T = TypeVar("T")

#: Bytes read from a body at a time; two such blocks are in memory. urllib3's own 16 KiB cost a third more time, half
#: of this a twentieth. The timeout counts anew for each block, so large ones would fail on slow links.
BLOCK_SIZE: Final = 512 * 1024


class MicsClient:
    """Sends calls and reads their answers; may be shared by threads.

    :param reload: Reads the credentials again where they were written down, for when the API refuses those it was
        given: they may have been replaced while this client lives. None: they cannot be.
    :param sleep: Waits for a number of seconds.
    """

    def __init__(
        self,
        settings: APISettings,
        credentials: Credentials,
        *,
        reload: Callable[[], Credentials] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._reload = reload
        self._reloading = threading.Lock()
        self._renewing = threading.Lock()
        self._sleep = sleep
        self._pace = Pace(settings.rate_limit)
        self._verify = settings.effective_verify
        self._session = _session(settings)

    def send(self, call: Call[T]) -> T:
        """Make one call.

        :raises MicsCallError: It did not succeed.
        """
        used = self._credentials
        try:
            return hold(authorized(call, used, time.time), self._authorized_step)
        except MicsAuthenticationError:
            # A call that was refused so has not been acted on: any may be sent again.
            newer = self._newer_than(used)
            if newer is None:
                raise
        return hold(authorized(call, newer, time.time), self._authorized_step)

    def run(self, conversation: Conversation[T]) -> T:
        """Make the calls of a conversation and return what it returns."""
        return hold(conversation, self._step)

    def _step(self, step: Step) -> Any:
        return self._sleep(step.seconds) if isinstance(step, Pause) else self.send(step)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _newer_than(self, refused: Credentials) -> Credentials | None:
        """Return other credentials than those that were refused; None if there are none."""
        if self._reload is None:
            return None
        with self._reloading:
            # Another thread may have read them meanwhile.
            if self._credentials is refused:
                try:
                    read = self._reload()
                except Exception as error:  # noqa: BLE001 - each store of connections raises its own kind
                    tell_not_read_again(error)
                    return None
                if read != refused:
                    self._credentials = read
            return self._credentials if self._credentials is not refused else None

    def _authorized_step(self, step: Call[Any] | Renewal) -> Any:
        if not isinstance(step, Renewal):
            return self._repeatedly(step)
        with self._renewing:
            return hold(step.calls(), self._repeatedly)

    def _repeatedly(self, call: Call[T]) -> T:
        result: T = tenacity.Retrying(sleep=self._sleep, **repeating(call))(self._once, call)
        return result

    def _once(self, call: Call[T]) -> T:
        if delay_s := self._pace.delay(time.monotonic()):
            self._sleep(delay_s)
        return read_reply(call, self._exchange(call))

    def _exchange(self, call: Call[Any]) -> Reply:
        with contextlib.closing(_Body(call)) as body, unlogged():
            try:
                with self._session.request(
                    call.method,
                    (call.base_url or self._settings.base_url) + call.path,
                    params=list(call.query),
                    headers=headers_of(call),
                    data=body if len(body) else None,
                    timeout=(CONNECT_TIMEOUT_S, self._settings.timeout_s),
                    allow_redirects=False,
                    proxies=_proxies(self._settings.proxy_for(call.base_url)) if call.base_url else None,
                    # The environment's CA file would override the session's.
                    verify=self._verify,
                    stream=True,
                ) as response:
                    sink = call.open_sink() if call.open_sink and response.ok else None
                    return Reply(
                        status=response.status_code,
                        headers={name.lower(): value for name, value in response.headers.items()},
                        body=_pour(response, sink) if sink else _read(call, response),
                        sink=sink,
                    )
            except requests.RequestException as error:
                # The original's text, and so its traceback, would carry the URL.
                raise self._failure(call, body, error) from None

    def _failure(self, call: Call[Any], body: _Body, error: requests.RequestException) -> MicsTransportError:
        cause = cause_of(error)
        if is_tls_refusal(error) and not body.bytes_read:
            hint = "Check the connection's host, and its verify, which may name a file of CA certificates."
            return MicsTLSError(f"{cause}.", call=call.what, outcome=Outcome.NOT_SENT, hint=hint)
        if isinstance(error, requests.exceptions.ConnectTimeout):
            cause = f"not reached within {CONNECT_TIMEOUT_S:g} s"
        elif is_timeout(error):
            cause = f"no answer within {self._settings.timeout_s:g} s"
        # A request whose announced body never began cannot be acted on; one without a body is whole once connected.
        # Once a byte has gone, what kind of error it was says nothing: a TLS connection that is cut fails as TLS.
        not_sent = not body.bytes_read and (len(body) > 0 or _never_connected(error))
        outcome = Outcome.NOT_SENT if not_sent else Outcome.UNKNOWN
        what_now = UNREACHED_HINT if _never_connected(error) else UNANSWERED_HINT if is_timeout(error) else None
        return MicsTransportError(f"{cause}.", call=call.what, outcome=outcome, hint=what_now)


class _Body:
    """A request body that knows how much of it has been read, and so whether any of it can have been sent."""

    def __init__(self, call: Call[Any]) -> None:
        self._reader: BodyReader | io.BytesIO
        if call.open_body:
            self._reader = call.open_body()
            self._length = len(self._reader)
        else:
            content = call.content or b""
            self._reader = io.BytesIO(content)
            self._length = len(content)
        self.bytes_read = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        # requests takes for a stream only what can be iterated; it then reads it in blocks.
        return iter(lambda: self.read(BLOCK_SIZE), b"")

    def read(self, size: int = -1) -> bytes:
        block = self._reader.read(size)
        self.bytes_read += len(block)
        return block

    def close(self) -> None:
        self._reader.close()


class _Patient:
    """Bounds sending by the time that a server may go without progress; urllib3 does by the time to reach it."""

    sock: Any

    def __init__(self, *args: Any, send_timeout_s: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._send_timeout_s = send_timeout_s

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # its subclasses have it
        self.sock.settimeout(self._send_timeout_s)


class _HTTPConnection(_Patient, HTTPConnection):
    pass


class _HTTPSConnection(_Patient, HTTPSConnection):
    pass


class _Adapter(HTTPAdapter):
    def __init__(self, send_timeout_s: float) -> None:
        self._send_timeout_s = send_timeout_s
        super().__init__(pool_maxsize=32)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, blocksize=BLOCK_SIZE)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _HTTPSConnection if pool.scheme == "https" else _HTTPConnection
        pool.conn_kw["send_timeout_s"] = self._send_timeout_s
        return pool


def _session(settings: APISettings) -> requests.Session:
    session = requests.Session()
    # A .netrc entry for the host would replace our Authorization header. What else the environment has to say, proxy
    # and CA file, the settings have read.
    session.trust_env = False
    if proxy := settings.effective_proxy:
        session.proxies = _proxies(proxy)
    # The API needs no cookies, and a jar would be shared by threads.
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(settings.timeout_s)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _proxies(proxy: str | None) -> dict[str, Any]:
    """Return what tells requests its proxy. None takes that of the session away; requests' annotations do not know."""
    return {"http": proxy, "https": proxy}


def _never_connected(error: BaseException) -> bool:
    """Return whether there was no connection to the API: not to its host, or not through the proxy."""
    kinds = (NewConnectionError, ConnectTimeoutError, requests.exceptions.ProxyError)
    return any(isinstance(link, kinds) for link in links(error))


def _pour(response: requests.Response, sink: Sink) -> bytes:
    """Give the body to ``sink``, and return its beginning."""
    beginning = b""
    for block in response.iter_content(BLOCK_SIZE):
        beginning = beginning or block
        sink.feed(block)
        if sink.is_settled:
            break
    return beginning


def _read(call: Call[Any], response: requests.Response) -> bytes:
    blocks: list[bytes] = []
    size = 0
    for block in response.iter_content(BLOCK_SIZE):
        size += len(block)
        if size > MAX_REPLY_BYTES:
            raise too_large(call)
        blocks.append(block)
    return b"".join(blocks)
