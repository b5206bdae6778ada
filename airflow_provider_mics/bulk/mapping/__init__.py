"""Column mappings: how a row of a query or file becomes a command.

A mapping is a dict in the form of the command. Its leaves are constants, or columns::

    {
        "operation": "UPSERT",
        "compartment_id": "1201",
        "user_account_id": Column("crm_id", type="string", null="fail"),
        "user_profile": {
            "city": Column("city", type="string"),
            "email_hash": EmailHash("email", algorithm="sha256", normalization="trim_lower"),
            "last_seen": Milliseconds("seen_at", timezone="Europe/Paris"),
        },
    }
"""

from __future__ import annotations

from airflow_provider_mics.bulk.mapping.columns import (
    Column,
    DataBag,
    IfPresent,
    Json,
    Milliseconds,
)
from airflow_provider_mics.bulk.mapping.command_mapping import BoundMapping, CommandMapping
from airflow_provider_mics.bulk.mapping.converter import ColumnType, NullPolicy
from airflow_provider_mics.bulk.mapping.emails import EmailHash, Normalization

__all__ = [
    "BoundMapping",
    "Column",
    "ColumnType",
    "CommandMapping",
    "DataBag",
    "EmailHash",
    "IfPresent",
    "Json",
    "Milliseconds",
    "Normalization",
    "NullPolicy",
]
