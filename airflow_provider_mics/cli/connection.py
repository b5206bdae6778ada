"""``airflow mics connection test``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_mics.cli.connected import hook_of
from airflow_provider_mics.cli.running import BAD, OK, command

if TYPE_CHECKING:
    import argparse

    from airflow_provider_mics.cli.screen import Screen


@command
def check_connection(args: argparse.Namespace, screen: Screen) -> int:
    """Test a connection."""
    works, message = hook_of(args).test_connection()
    if screen.is_document:
        screen.document({"conn_id": args.conn_id, "ok": works, "message": message})
    else:
        screen.line(message, style="green" if works else "red")
    return OK if works else BAD
