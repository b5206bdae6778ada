"""``python -m airflow_provider_mics.sandbox``: the stand-in as a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import signal
import ssl
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_mics.sandbox.defaults import (
    DEFAULT_DATAMART,
    DEFAULT_FORBIDDEN,
    DEFAULT_ORGANISATION,
    DEFAULT_TOKEN,
)
from airflow_provider_mics.sandbox.sandbox import Sandbox
from airflow_provider_mics.sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_mics.sandbox.record import RequestRecord


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    options = _parser().parse_args(arguments)
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    try:
        sandbox = _sandbox(options)
        sandbox.start()
    except (OSError, ValueError) as error:
        print(f"The sandbox cannot start: {error}", file=sys.stderr)
        return 1
    try:
        if options.ready_file is not None:
            _write_whole(options.ready_file, _ready(sandbox))
        print(
            f"mediarithmics sandbox on {sandbox.url}  token={sandbox.token}  datamart_id={sandbox.datamart_id}"
            f"  organisation_id={sandbox.organisation_id}  (stop with Ctrl-C)",
            flush=True,
        )
        done.wait()
    finally:
        sandbox.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_mics.sandbox",
        description="A stand-in for the mediarithmics API, for tests and demonstrations. It keeps nothing.",
    )
    defaults = Settings()
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8010, help="port; 0: a free one (default: %(default)s)")
    parser.add_argument("--allow-remote", action="store_true", help="listen on an address that is not loopback")
    parser.add_argument("--token", default=DEFAULT_TOKEN, help="token accepted (default: %(default)s)")
    parser.add_argument("--datamart-id", default=DEFAULT_DATAMART, help="(default: %(default)s)")
    parser.add_argument("--organisation-id", default=DEFAULT_ORGANISATION, help="(default: %(default)s)")
    parser.add_argument("--forbidden-datamart-id", default=DEFAULT_FORBIDDEN, help="answers 403 (default: %(default)s)")
    parser.add_argument("--pending", type=float, default=defaults.pending_s, metavar="SECONDS", help="PENDING lasts")
    parser.add_argument("--running", type=float, default=defaults.running_s, metavar="SECONDS", help="RUNNING lasts")
    parser.add_argument("--max-body-bytes", type=int, default=defaults.max_body_bytes, help="largest upload")
    parser.add_argument("--no-line-checks", action="store_true", help="every line is good")
    parser.add_argument("--clock", choices=("real", "manual"), default="real", help="manual: moved by the control API")
    parser.add_argument("--folder", type=Path, help="where uploads are kept while it runs")
    parser.add_argument("--certificate", type=Path, help="PEM file: serve https")
    parser.add_argument("--key", type=Path, help="PEM file of the certificate's key, if it is not in the same file")
    parser.add_argument("--ready-file", type=Path, help="write url, tokens and pid there, as JSON, when ready")
    parser.add_argument("--verbose", action="store_true", help="a line per request")
    return parser


def _sandbox(options: argparse.Namespace) -> Sandbox:
    context = None
    if options.certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate, options.key)
    return Sandbox(
        host=options.host,
        port=options.port,
        token=options.token,
        datamarts={options.datamart_id: options.organisation_id},
        forbidden_datamarts=(options.forbidden_datamart_id,),
        clock=options.clock,
        settings=Settings(
            pending_s=options.pending,
            running_s=options.running,
            max_body_bytes=options.max_body_bytes,
            check_lines=not options.no_line_checks,
        ),
        ssl_context=context,
        allow_remote=options.allow_remote,
        folder=options.folder,
        log=_print_request if options.verbose else None,
    )


def _print_request(record: RequestRecord) -> None:
    at = datetime.fromtimestamp(record.time_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    answer = "dropped" if record.status is None else record.status
    fault = "" if record.fault is None else f"  fault {record.fault}"
    print(f"{at}Z  {record.method} {record.path}  {record.body_bytes} B  -> {answer}{fault}", flush=True)


def _ready(sandbox: Sandbox) -> str:
    return json.dumps(
        {
            "url": sandbox.url,
            "token": sandbox.token,
            "pid": os.getpid(),
            "datamart_id": sandbox.datamart_id,
            "organisation_id": sandbox.organisation_id,
            "metax_token": sandbox.metax.access.token,
            "metax_clients": sandbox.metax.access.clients,
        }
    )


def _write_whole(path: Path, text: str) -> None:
    """Write a file that others never see half-written."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)


if __name__ == "__main__":
    sys.exit(main())
