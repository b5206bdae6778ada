"""Endpoint of channels: the sites and applications of a datamart. Source: the vendor's web UI."""

from __future__ import annotations

from airflow_provider_mics.api.call import Call
from airflow_provider_mics.api.constants import DEFAULT_PAGE_SIZE
from airflow_provider_mics.api.envelope import page
from airflow_provider_mics.api.identifiers import numeric_id
from airflow_provider_mics.api.models import Channel, Page


def find(datamart_id: str, *, first_result: int = 0, max_results: int = DEFAULT_PAGE_SIZE) -> Call[Page[Channel]]:
    """List one page of a datamart's channels."""
    return Call(
        what=f"list the channels of datamart {datamart_id}",
        method="GET",
        path=f"/v1/datamarts/{numeric_id(datamart_id, 'datamart id')}/channels",
        query=(("first_result", str(first_result)), ("max_results", str(max_results))),
        read=page(Channel),
        repeatable=True,
    )
