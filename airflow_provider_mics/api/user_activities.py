"""Endpoints of user activities.

Sources: "Tracking API" for sending, and the vendor's own tests for its query arguments; "UserActivity API" for reading
and deleting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.api.call import Call, json_body
from airflow_provider_mics.api.constants import DEFAULT_PAGE_SIZE
from airflow_provider_mics.api.envelope import nothing, page
from airflow_provider_mics.api.identifiers import flags, numeric_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_mics.api.models import Page
    from airflow_provider_mics.api.selectors import UserPointSelector


def post(
    datamart_id: str,
    activity: Mapping[str, Any],
    *,
    processing_pipeline: bool | None = None,
    asynchronous: bool | None = None,
) -> Call[None]:
    """Import one user activity.

    It is repeatable only if it carries a ``$unique_key``: any other activity counts again each time it is sent. What
    the reply's ``data`` holds is not documented, so it is not read.

    :param processing_pipeline: False: store it as it is, past event rules and activity analyzers.
    :param asynchronous: ``async`` in the query; False: have the answer wait until it is stored.
    """
    return Call(
        what=f"import a user activity into datamart {datamart_id}",
        method="POST",
        path=f"/v1/datamarts/{numeric_id(datamart_id, 'datamart id')}/user_activities",
        query=flags({"processing_pipeline": processing_pipeline, "async": asynchronous}),
        read=nothing,
        repeatable=bool(activity.get("$unique_key")),
        **json_body(activity),
    )


def find(
    datamart_id: str,
    selector: UserPointSelector,
    *,
    filters: str | None = None,
    first_result: int = 0,
    max_results: int = DEFAULT_PAGE_SIZE,
) -> Call[Page[dict[str, Any]]]:
    """List one page of a user point's activities. HTTP 404 means that there are none.

    :param filters: ``field==value|other,field==value``: a comma for "and", a bar for "or". The fields are
        ``$unique_key``, ``$type``, ``$channel_id``, ``start_ts``, ``end_ts`` and the datamart's own.
    """
    return Call(
        what=f"list a user point's activities in datamart {datamart_id}",
        method="GET",
        path=_timeline_path(datamart_id, selector),
        query=(*_filters(filters), ("first_result", str(first_result)), ("max_results", str(max_results))),
        read=page(dict[str, Any]),
        repeatable=True,
    )


def delete(datamart_id: str, selector: UserPointSelector, *, filters: str | None) -> Call[None]:
    """Delete a user point's activities. HTTP 404 means that there are none.

    :param filters: Which, as for :func:`find`; None: all of them.
    """
    return Call(
        what=f"delete a user point's activities in datamart {datamart_id}",
        method="DELETE",
        path=_timeline_path(datamart_id, selector),
        query=_filters(filters),
        read=nothing,
        repeatable=True,
    )


def _timeline_path(datamart_id: str, selector: UserPointSelector) -> str:
    prefix = f"/v1/datamarts/{numeric_id(datamart_id, 'datamart id')}/user_timelines"
    return f"{prefix}/{selector.segments}/user_activities"


def _filters(filters: str | None) -> tuple[tuple[str, str], ...]:
    return () if filters is None else (("filters", filters),)
