"""Endpoints of user activities. Sources: "Tracking API", and the vendor's own tests for the query arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.api.call import Call, json_body
from airflow_provider_mics.api.envelope import nothing
from airflow_provider_mics.api.identifiers import flags, numeric_id

if TYPE_CHECKING:
    from collections.abc import Mapping


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
