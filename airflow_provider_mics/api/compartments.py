"""Endpoint of compartments, which user accounts belong to. Source: the vendor's web UI."""

from __future__ import annotations

from airflow_provider_mics.api.call import Call
from airflow_provider_mics.api.envelope import some
from airflow_provider_mics.api.identifiers import flags, numeric_id
from airflow_provider_mics.api.models import Compartment


def find(datamart_id: str, *, default: bool | None = None) -> Call[list[Compartment]]:
    """List a datamart's compartments.

    :param default: True: only the one that accounts without a compartment belong to; every datamart has one.
    """
    return Call(
        what=f"list the compartments of datamart {datamart_id}",
        method="GET",
        path=f"/v1/datamarts/{numeric_id(datamart_id, 'datamart id')}/compartments",
        query=flags({"default": default}),
        read=some(Compartment),
        repeatable=True,
    )
