"""``airflow mics sandbox``: a stand-in for mediarithmics, until Ctrl-C."""

from __future__ import annotations

import json
import shlex
import signal
import threading
from typing import TYPE_CHECKING

from airflow_provider_mics.cli.running import OK, command
from airflow_provider_mics.exceptions import MicsConfigurationError

if TYPE_CHECKING:
    import argparse

    from airflow_provider_mics.cli.screen import Screen
    from airflow_provider_mics.sandbox.record import RequestRecord


@command
def run_sandbox(args: argparse.Namespace, screen: Screen) -> int:
    """Serve until SIGTERM or SIGINT."""
    try:
        from airflow_provider_mics.sandbox import Sandbox
        from airflow_provider_mics.sandbox.settings import Settings
    except ImportError as error:
        raise MicsConfigurationError(
            f"The sandbox needs {error.name}, which is not installed.",
            hint='It comes with pip install "airflow-provider-mics[sandbox]".',
        ) from None
    settings = Settings()
    if args.pending is not None:
        settings.pending_s = args.pending
    if args.running is not None:
        settings.running_s = args.running
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())

    def log(record: RequestRecord) -> None:
        answer = "dropped" if record.status is None else record.status
        screen.note(f"{record.method} {record.path}  {record.body_bytes} B  -> {answer}")

    with Sandbox(port=args.port, settings=settings, log=log if args.verbose else None) as running:
        connection = {
            "conn_type": "mics",
            "host": running.url,
            "password": running.token,
            "extra": {"datamart_id": running.datamart_id, "organisation_id": running.organisation_id},
        }
        if screen.is_document:
            screen.document({"url": running.url, "connection": connection})
        else:
            screen.line(f"mediarithmics sandbox on {running.url} (stop with Ctrl-C)", style="bold green")
            # Not broken into lines, to be copied.
            screen.copyable(f"export AIRFLOW_CONN_MICS_DEFAULT={shlex.quote(json.dumps(connection))}")
        screen.results.flush()
        done.wait()
    return OK
