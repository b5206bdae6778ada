"""Endpoints of processings, which users consent or object to: ``/v1/processings``. Source: the vendor's web UI."""

from __future__ import annotations

from airflow_provider_mics.api.call import Call
from airflow_provider_mics.api.constants import DEFAULT_PAGE_SIZE
from airflow_provider_mics.api.envelope import one, page
from airflow_provider_mics.api.identifiers import numeric_id
from airflow_provider_mics.api.models import Page, Processing


def find(community_id: str, *, first_result: int = 0, max_results: int = DEFAULT_PAGE_SIZE) -> Call[Page[Processing]]:
    """List one page of a community's processings.

    :param community_id: The organisation at the top of those that share processings.
    """
    return Call(
        what=f"list the processings of community {community_id}",
        method="GET",
        path="/v1/processings",
        query=(
            ("community_id", numeric_id(community_id, "community id")),
            ("first_result", str(first_result)),
            ("max_results", str(max_results)),
        ),
        read=page(Processing),
        repeatable=True,
    )


def get(processing_id: str) -> Call[Processing]:
    """Get a processing."""
    return Call(
        what=f"get processing {processing_id}",
        method="GET",
        path=f"/v1/processings/{numeric_id(processing_id, 'processing id')}",
        read=one(Processing),
        repeatable=True,
    )
