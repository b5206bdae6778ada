"""Endpoints of user profiles: ``.../user_points/<selector>/user_profiles``.

Sources: "Tracking API" for PUT, "UserPoint API" for the others. The selector says whose profile it is,
``compartment_id`` and ``user_account_id`` say which one; they may name another account than the selector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.api.call import Call, json_body
from airflow_provider_mics.api.envelope import nothing, one, some
from airflow_provider_mics.api.identifiers import flags, numeric_id, path_segment
from airflow_provider_mics.api.selectors import UserPointSelector, identifier, user_point_path

if TYPE_CHECKING:
    from collections.abc import Mapping


def put(
    datamart_id: str,
    selector: UserPointSelector,
    profile: Mapping[str, Any],
    *,
    compartment_id: str,
    user_account_id: str | None = None,
    force_replace: bool | None = None,
    merge_objects: bool | None = None,
) -> Call[None]:
    """Create or update a user profile. The reply is not documented, so only its acceptance is read.

    :param user_account_id: None: the compartment's profile without an account.
    :param force_replace: Replace the profile as a whole. None: not sent, which means False.
    :param merge_objects: Merge objects of the same name in depth; without ``force_replace`` only. None: not sent,
        which means False, the new object takes the place of the old.
    """
    return Call(
        what=f"put a user profile into compartment {compartment_id} of datamart {datamart_id}",
        method="PUT",
        path=_path(datamart_id, selector, compartment_id, user_account_id),
        query=flags({"force_replace": force_replace, "merge_objects": merge_objects}),
        read=nothing,
        repeatable=True,
        **json_body(profile),
    )


def find(
    datamart_id: str, selector: UserPointSelector, *, compartment_id: str | None = None
) -> Call[list[dict[str, Any]]]:
    """List the profiles of a user point. HTTP 404 means that there are none.

    :param compartment_id: Those of this compartment only.
    """
    return Call(
        what=f"list the profiles of a user point in datamart {datamart_id}",
        method="GET",
        path=_path(datamart_id, selector, compartment_id),
        read=some(dict[str, Any]),
        repeatable=True,
    )


def get(
    datamart_id: str, selector: UserPointSelector, *, compartment_id: str, user_account_id: str
) -> Call[dict[str, Any]]:
    """Get one profile of a user point. HTTP 404 means that there is none."""
    return Call(
        what=f"get a user profile of compartment {compartment_id} of datamart {datamart_id}",
        method="GET",
        path=_path(datamart_id, selector, compartment_id, user_account_id),
        read=one(dict[str, Any]),
        repeatable=True,
    )


def delete(
    datamart_id: str, selector: UserPointSelector, *, compartment_id: str, user_account_id: str | None = None
) -> Call[None]:
    """Delete one profile of a user point. HTTP 404 means that there is none.

    :param user_account_id: None: the compartment's profile without an account.
    """
    return Call(
        what=f"delete a user profile of compartment {compartment_id} of datamart {datamart_id}",
        method="DELETE",
        path=_path(datamart_id, selector, compartment_id, user_account_id),
        read=nothing,
        repeatable=True,
    )


def _path(
    datamart_id: str, selector: UserPointSelector, compartment_id: str | None, user_account_id: str | None = None
) -> str:
    path = f"{user_point_path(datamart_id, selector)}/user_profiles"
    if compartment_id is not None:
        path += f"/compartment_id={numeric_id(compartment_id, 'compartment id')}"
    if user_account_id is not None:
        path += f"/user_account_id={path_segment(identifier(user_account_id, 'user_account_id'))}"
    return path
