"""Endpoints of user points: ``/v1/datamarts/:datamartId/user_points/<selector>``.

Sources: "UserPoint API"; "Deleting user data" for the right to erasure.
"""

from __future__ import annotations

from typing import Any

from airflow_provider_mics.api.call import Call
from airflow_provider_mics.api.envelope import nothing, some
from airflow_provider_mics.api.selectors import UserPointSelector, user_point_path


def identifiers(datamart_id: str, selector: UserPointSelector) -> Call[list[dict[str, Any]]]:
    """List the identifiers of a user point: items of several kinds, told apart by ``type``, in no certain order.

    HTTP 404 means that there are none.
    """
    return Call(
        what=f"list the identifiers of a user point in datamart {datamart_id}",
        method="GET",
        path=f"{user_point_path(datamart_id, selector)}/user_identifiers",
        read=some(dict[str, Any]),
        repeatable=True,
    )


def segments(datamart_id: str, selector: UserPointSelector) -> Call[list[dict[str, Any]]]:
    """List the segments that a user point is in. HTTP 404 means that there are none."""
    return Call(
        what=f"list the segments of a user point in datamart {datamart_id}",
        method="GET",
        path=f"{user_point_path(datamart_id, selector)}/user_segments",
        read=some(dict[str, Any]),
        repeatable=True,
    )


def delete(datamart_id: str, selector: UserPointSelector) -> Call[None]:
    """Erase a user point and all that is known of it, for good. HTTP 404 means that there is none."""
    return Call(
        what=f"delete a user point of datamart {datamart_id}",
        method="DELETE",
        path=user_point_path(datamart_id, selector),
        read=nothing,
        repeatable=True,
    )
