"""The hook of a command that talks to mediarithmics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.hooks.mics import MicsHook

if TYPE_CHECKING:
    import argparse


def hook_of(args: argparse.Namespace) -> MicsHook:
    """Return the hook that a command's arguments name, with its connection read.

    :raises MicsConfigurationError: There is no such connection, or it cannot be right.
    """
    hook = MicsHook(args.conn_id, args.datamart_id)
    try:
        _ = hook.connection
    except AirflowNotFoundException:
        raise MicsConfigurationError(
            f"There is no Airflow connection {args.conn_id}.",
            hint=f"Set AIRFLOW_CONN_{args.conn_id.upper()} here, add it with airflow connections add, or name another "
            "with --conn-id.",
        ) from None
    return hook
