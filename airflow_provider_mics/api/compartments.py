"""Endpoint of compartments, which user accounts belong to. Source: the vendor's web UI."""

from __future__ import annotations

from airflow_provider_mics.api.call import Call
from airflow_provider_mics.api.constants import DEFAULT_PAGE_SIZE
from airflow_provider_mics.api.envelope import page
from airflow_provider_mics.api.identifiers import flags, numeric_id
from airflow_provider_mics.api.models import Compartment, Page


def find(
    datamart_id: str,
    *,
    default: bool | None = None,
    first_result: int = 0,
    max_results: int = DEFAULT_PAGE_SIZE,
) -> Call[Page[Compartment]]:
    """List one page of a datamart's compartments.

    :param default: True: only the one that accounts without a compartment belong to; every datamart has one.
    """
    return Call(
        what=f"list the compartments of datamart {datamart_id}",
        method="GET",
        path=f"/v1/datamarts/{numeric_id(datamart_id, 'datamart id')}/compartments",
        query=(
            *flags({"default": default}),
            ("first_result", str(first_result)),
            ("max_results", str(max_results)),
        ),
        read=page(Compartment),
        repeatable=True,
    )
