"""Endpoints of audience segments: ``/v1/audience_segments``. Source: the vendor's web UI."""

from __future__ import annotations

from airflow_provider_mics.api.call import Call
from airflow_provider_mics.api.constants import DEFAULT_PAGE_SIZE
from airflow_provider_mics.api.conversation import Conversation, every_page
from airflow_provider_mics.api.envelope import one, page
from airflow_provider_mics.api.identifiers import numeric_id
from airflow_provider_mics.api.models import AudienceSegment, Page


def find(
    datamart_id: str,
    organisation_id: str,
    *,
    technical_name: str | None = None,
    first_result: int = 0,
    max_results: int = DEFAULT_PAGE_SIZE,
) -> Call[Page[AudienceSegment]]:
    """List one page of a datamart's audience segments."""
    query = {
        "organisation_id": numeric_id(organisation_id, "organisation id"),
        "datamart_id": numeric_id(datamart_id, "datamart id"),
        "technical_name": technical_name,
        "first_result": str(first_result),
        "max_results": str(max_results),
    }
    return Call(
        what=f"list the audience segments of datamart {datamart_id}",
        method="GET",
        path="/v1/audience_segments",
        query=tuple((name, value) for name, value in query.items() if value is not None),
        read=page(AudienceSegment),
        repeatable=True,
    )


def get(segment_id: str) -> Call[AudienceSegment]:
    """Get an audience segment."""
    return Call(
        what=f"get audience segment {segment_id}",
        method="GET",
        path=f"/v1/audience_segments/{numeric_id(segment_id, 'segment id')}",
        read=one(AudienceSegment),
        repeatable=True,
    )


def find_by_technical_name(
    datamart_id: str, organisation_id: str, technical_name: str
) -> Conversation[list[AudienceSegment]]:
    """Find a datamart's audience segments of exactly this technical name, oldest first.

    Whether the API's filter matches parts too is not documented, so equality is checked here.
    """
    found = yield from every_page(
        lambda first_result: find(
            datamart_id, organisation_id, technical_name=technical_name, first_result=first_result
        )
    )
    wanted = (candidate for candidate in found if candidate.technical_name == technical_name)
    return sorted(wanted, key=lambda candidate: int(candidate.id))
