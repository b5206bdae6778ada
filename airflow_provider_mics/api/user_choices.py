"""Endpoints of user choices: ``.../user_points/<selector>/user_choices``.

Source: "Tracking API" ("UserPoint API" for DELETE). Its tables list a request body for the two GETs too; there is
nothing to send with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.api.call import Call, json_body
from airflow_provider_mics.api.envelope import nothing, some
from airflow_provider_mics.api.identifiers import numeric_id
from airflow_provider_mics.api.selectors import UserPointSelector, user_point_path

if TYPE_CHECKING:
    from collections.abc import Mapping


def put(datamart_id: str, selector: UserPointSelector, processing_id: str, choice: Mapping[str, Any]) -> Call[None]:
    """Create or update a user's choice on a processing. The reply is not documented: only its acceptance is read."""
    return Call(
        what=f"put a user choice on processing {processing_id} into datamart {datamart_id}",
        method="PUT",
        path=_path(datamart_id, selector, processing_id),
        read=nothing,
        repeatable=True,
        **json_body(choice),
    )


def find(
    datamart_id: str, selector: UserPointSelector, *, processing_id: str | None = None
) -> Call[list[dict[str, Any]]]:
    """List the choices of a user point. HTTP 404 means that there are none.

    :param processing_id: Those on this processing only.
    """
    return Call(
        what=f"list the user choices of a user point in datamart {datamart_id}",
        method="GET",
        path=_path(datamart_id, selector, processing_id),
        read=some(dict[str, Any]),
        repeatable=True,
    )


def history(datamart_id: str, selector: UserPointSelector, processing_id: str) -> Call[list[dict[str, Any]]]:
    """List what a user point's choice on a processing has been. HTTP 404 means that there was never one."""
    return Call(
        what=f"list the history of a user choice on processing {processing_id} in datamart {datamart_id}",
        method="GET",
        path=f"{_path(datamart_id, selector, processing_id)}/change_log",
        read=some(dict[str, Any]),
        repeatable=True,
    )


def delete(datamart_id: str, selector: UserPointSelector, processing_id: str) -> Call[None]:
    """Delete a user point's choice on a processing. HTTP 404 means that there is none."""
    return Call(
        what=f"delete a user choice on processing {processing_id} in datamart {datamart_id}",
        method="DELETE",
        path=_path(datamart_id, selector, processing_id),
        read=nothing,
        repeatable=True,
    )


def _path(datamart_id: str, selector: UserPointSelector, processing_id: str | None = None) -> str:
    path = f"{user_point_path(datamart_id, selector)}/user_choices"
    return path if processing_id is None else f"{path}/processing_id={numeric_id(processing_id, 'processing id')}"
