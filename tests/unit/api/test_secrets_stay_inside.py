"""No text or representation that this layer makes carries a token, a password, or what was sent or received."""

from __future__ import annotations

import string
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from airflow_provider_mics.api import (
    associations,
    authentication,
    data_files,
    document_imports,
    user_activities,
    user_choices,
    user_points,
    user_profiles,
)
from airflow_provider_mics.api.call import Reply
from airflow_provider_mics.api.credentials import LoginCredentials, TokenCredentials, authorized
from airflow_provider_mics.api.envelope import read_reply
from airflow_provider_mics.api.models import AccessToken, ApiToken, RefreshToken
from airflow_provider_mics.api.selectors import UserPointSelector
from airflow_provider_mics.exceptions import MicsError
from tests.unit.api.replies import get_one, reply

#: What tokens and passwords are made of; with a digit, as the API's tokens have.
SECRETS = st.text(string.ascii_letters + string.digits + "-_", min_size=10, max_size=60).map(lambda text: f"{text}7")


def texts_of(error: BaseException) -> str:
    return "\n".join([str(error), repr(error), *traceback.format_exception(error, chain=True)])


@given(SECRETS, st.sampled_from([200, 400, 401, 403, 404, 429, 500]), st.booleans())
def test_an_api_that_echoes_the_token_does_not_get_it_into_the_error(secret: str, status: int, prefixed: bool) -> None:
    echoed = f"api:{secret}" if prefixed else secret
    answer = reply({"status": "error", "error": f"Token {echoed} is not valid", "error_code": f"x {secret}"}, status)
    with pytest.raises(MicsError) as caught:
        read_reply(get_one(), answer)
    assert secret not in texts_of(caught.value)


@given(SECRETS, st.sampled_from([b"<p>%s</p>", b'{"status": "ok", "data": "%s"}', b'{"status": "%s', b"%s"]))
def test_nor_does_a_reply_that_cannot_be_read(secret: str, template: bytes) -> None:
    with pytest.raises(MicsError) as caught:
        read_reply(get_one(), Reply(200, {"content-type": "text/html"}, template % secret.encode()))
    assert secret not in texts_of(caught.value)


@given(SECRETS)
def test_no_representation_shows_one(secret: str) -> None:
    shown: list[Any] = [
        authentication.log_in("jeanne@example.com", secret),
        authentication.refresh(secret),
        authentication.create_refresh_token("jeanne@example.com", secret),
        authentication.revoke_refresh_token(secret),
        next(authorized(get_one(), TokenCredentials(secret), lambda: 0.0)),
        TokenCredentials(secret),
        LoginCredentials("jeanne@example.com", secret),
        AccessToken(access_token=secret, refresh_token=secret),
        RefreshToken(refresh_token=secret),
        ApiToken(id="1", name="nightly", value=secret),
        [ApiToken(id=secret.encode().hex(), value=secret)],
        UserPointSelector(email_hash=secret),
        UserPointSelector(user_account_id=secret, compartment_id="7"),
        user_profiles.put(
            "1", UserPointSelector(email_hash=secret), {"x": secret}, compartment_id="7", user_account_id=secret
        ),
        user_choices.put("1", UserPointSelector(user_agent_id=secret), "450", {"x": secret}),
        user_activities.post("1", {"$email_hash": secret}),
        user_activities.find("1", UserPointSelector(email_hash=secret), filters=secret),
        user_points.delete("1", UserPointSelector(email_hash=secret)),
        associations.post("1", [{"type": "USER_EMAIL", "hash": secret}]),
        Reply(200, {"set-cookie": secret}, secret.encode()),
        data_files.download(f"mics://data_file/{secret}"),
        document_imports.find("1", keywords=secret),
    ]
    assert [item for item in shown if any(secret in text for text in (repr(item), str(item), pretty_repr(item)))] == []
    assert "jeanne" not in repr(shown)


def test_a_data_file_s_address_is_checked_and_not_shown() -> None:
    with pytest.raises(MicsError, match="starts with mics://data_file/") as caught:
        data_files.download("https://evil.example/?jeanne@example.com")
    assert "evil" not in str(caught.value)
