"""Endpoints of a user's long-term API tokens: ``/v1/users/:userId/api_tokens``.

Sources: "Authentication" for listing and creating; the vendor's web UI for revoking, and for ``organisation_id``.
"""

from __future__ import annotations

from airflow_provider_mics.api.call import Call, json_body
from airflow_provider_mics.api.constants import DEFAULT_PAGE_SIZE
from airflow_provider_mics.api.envelope import nothing, one, page
from airflow_provider_mics.api.identifiers import numeric_id
from airflow_provider_mics.api.models import ApiToken, Page


def find(
    user_id: str,
    *,
    organisation_id: str | None = None,
    first_result: int = 0,
    max_results: int = DEFAULT_PAGE_SIZE,
) -> Call[Page[ApiToken]]:
    """List one page of a user's API tokens; their values cannot be read back."""
    return Call(
        what=f"list the API tokens of user {user_id}",
        method="GET",
        path=_path(user_id),
        query=(
            *_organisation(organisation_id),
            ("first_result", str(first_result)),
            ("max_results", str(max_results)),
        ),
        read=page(ApiToken),
        repeatable=True,
    )


def create(user_id: str, name: str, *, organisation_id: str | None = None) -> Call[ApiToken]:
    """Create an API token. Not repeatable: a second one would be made. Its value is in this answer and nowhere else."""
    return Call(
        what=f"create an API token for user {user_id}",
        method="POST",
        path=_path(user_id),
        query=_organisation(organisation_id),
        read=one(ApiToken),
        **json_body({"name": name}),
    )


def revoke(user_id: str, token_id: str, *, organisation_id: str | None = None) -> Call[None]:
    """Revoke an API token for good."""
    return Call(
        what=f"revoke API token {token_id} of user {user_id}",
        method="DELETE",
        path=f"{_path(user_id)}/{numeric_id(token_id, 'API token id')}",
        query=_organisation(organisation_id),
        read=nothing,
        repeatable=True,
    )


def _path(user_id: str) -> str:
    return f"/v1/users/{numeric_id(user_id, 'user id')}/api_tokens"


def _organisation(organisation_id: str | None) -> tuple[tuple[str, str], ...]:
    if organisation_id is None:
        return ()
    return (("organisation_id", numeric_id(organisation_id, "organisation id")),)
