"""Endpoints that trade an e-mail and password, or a refresh token, for an access token.

Source: the older "Authentication" page and the vendor's web UI of 2021. Long-term API tokens need none of this.
"""

from __future__ import annotations

from airflow_provider_mics.api.call import Call, json_body
from airflow_provider_mics.api.envelope import nothing, one
from airflow_provider_mics.api.models import AccessToken, RefreshToken


def log_in(email: str, password: str) -> Call[AccessToken]:
    """Get an access token for an e-mail and password."""
    return Call(
        what="log in with the connection's login and password",
        method="POST",
        path="/v1/authentication/access_tokens",
        read=one(AccessToken),
        repeatable=True,
        **json_body({"email": email, "password": password}),
    )


def refresh(refresh_token: str) -> Call[AccessToken]:
    """Get an access token for a refresh token."""
    return Call(
        what="renew the access token",
        method="POST",
        path="/v1/authentication/access_tokens",
        read=one(AccessToken),
        repeatable=True,
        **json_body({"refresh_token": refresh_token}),
    )


def create_refresh_token(email: str, password: str) -> Call[RefreshToken]:
    """Get a refresh token for an e-mail and password."""
    return Call(
        what="get a refresh token",
        method="POST",
        path="/v1/authentication/refresh_tokens",
        read=one(RefreshToken),
        repeatable=True,
        **json_body({"email": email, "password": password}),
    )


def revoke_refresh_token(refresh_token: str) -> Call[None]:
    """Make a refresh token useless. The path's singular is the vendor's."""
    return Call(
        what="revoke a refresh token",
        method="POST",
        path="/v1/authentication/refresh_token/revoke",
        read=nothing,
        repeatable=True,
        **json_body({"refresh_token": refresh_token}),
    )
