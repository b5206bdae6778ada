"""Download of the platform's own files: an execution's input file and its error file.

Source: the vendor's web UI, which calls ``GET /v1/data_file/data?uri=<mics uri>``. The token goes in the header as
everywhere; older clients put it into the URL, where proxies would log it.
"""

from __future__ import annotations

from airflow_provider_mics.api.call import Call
from airflow_provider_mics.api.envelope import raw_bytes
from airflow_provider_mics.exceptions import MicsConfigurationError

_URI_PREFIX = "mics://data_file/"


def download(uri: str) -> Call[bytes]:
    """Download a file of the platform.

    :param uri: ``mics://data_file/...``, as executions carry it.
    """
    if not uri.startswith(_URI_PREFIX):
        raise MicsConfigurationError(f"A data file's address starts with {_URI_PREFIX}; this one does not.")
    return Call(
        what="download a data file",
        method="GET",
        path="/v1/data_file/data",
        query=(("uri", uri),),
        read=raw_bytes,
        repeatable=True,
    )
