"""Download of the platform's own files: an execution's input file and its error file.

Source: the vendor's web UI, which calls ``GET /v1/data_file/data?uri=<mics uri>``. The token goes in the header as
everywhere; older clients put it into the URL, where proxies would log it.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeVar, cast

from airflow_provider_mics.api.call import Call, Reply, Sink
from airflow_provider_mics.api.envelope import raw_bytes
from airflow_provider_mics.exceptions import MicsConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
SinkT = TypeVar("SinkT", bound=Sink)

_URI_PREFIX = "mics://data_file/"


def download(uri: str) -> Call[bytes]:
    """Download a file of the platform.

    :param uri: ``mics://data_file/...``, as executions carry it.
    """
    _check(uri)
    return _call(uri, raw_bytes)


def read_through(uri: str, open_sink: Callable[[], SinkT]) -> Call[SinkT]:
    """Read a file of the platform of any size, such as an execution's input file, without keeping it.

    :param open_sink: Opens what takes its bytes, for each attempt anew; that of the last one is returned.
    """
    _check(uri)

    def read(reply: Reply) -> SinkT:
        raw_bytes(reply)
        return cast("SinkT", reply.sink)

    return dataclasses.replace(_call(uri, read), open_sink=open_sink)


def _check(uri: str) -> None:
    if not uri.startswith(_URI_PREFIX):
        raise MicsConfigurationError(f"A data file's address starts with {_URI_PREFIX}; this one does not.")


def _call(uri: str, read: Callable[[Reply], T]) -> Call[T]:
    return Call(
        what="download a data file",
        method="GET",
        path="/v1/data_file/data",
        query=(("uri", uri),),
        read=read,
        repeatable=True,
    )
