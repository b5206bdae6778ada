"""What is asked of MetaX, and how its answers are read. The vendor's own examples are those of its public pages."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.api import metax
from airflow_provider_mics.api.conversation import hold
from airflow_provider_mics.api.credentials import Renewal, authorized
from airflow_provider_mics.api.envelope import read_reply
from airflow_provider_mics.api.metax_credentials import ClientCredentials, bearer, get_token
from airflow_provider_mics.api.models import AccessToken
from airflow_provider_mics.api.repeat import may_repeat
from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsAuthenticationError,
    MicsConfigurationError,
    MicsError,
    MicsNotFoundError,
    MicsPermissionError,
    MicsRateLimitError,
    MicsReplyError,
    MicsServerError,
    MicsTransportError,
    Outcome,
)
from tests.unit.api.replies import reply

WHO = "user@example.org"
UNAUTHORIZED = {"result": "error", "message": "UNAUTHORIZED", "reason": "No Authorization Token"}
PAGE = b"<html><body>HTTP Status 404 - /metax</body></html>"


def test_the_request_of_the_vendor_s_example() -> None:
    call = metax.put_user_stats(WHO, {"favorites": []}, is_delta=False)
    assert (call.method, call.path) == ("PUT", "/metax/3.0/ui/user/stat/user@example.org")
    assert (call.query, call.content) == ((("isDelta", "false"),), b'{"favorites":[]}')
    assert call.content_type == "application/json"
    assert metax.put_user_stats(WHO, {}).query == (("isDelta", "true"),)


def test_the_calls_for_favorites() -> None:
    path = "/metax/2.1/activity/fav/user@example.org"
    found = [
        metax.list_favorites(WHO),
        metax.list_favorites(WHO, size="max"),
        metax.add_favorite(WHO, "NNVG/1"),
        metax.delete_favorite(WHO, "NNVG1"),
    ]
    assert [(call.method, call.path, call.query) for call in found] == [
        ("GET", path, ()),
        ("GET", path, (("size", "max"),)),
        ("PUT", f"{path}/NNVG%2F1", ()),
        ("DELETE", f"{path}/NNVG1", ()),
    ]
    assert all(call.repeatable for call in found)


#: Anything that can be a subscriber's id: no control characters, no halves of pairs, not blank.
IDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(
    lambda text: text.strip() and text not in {".", ".."}
)


@given(IDS)
def test_any_subscriber_id_is_one_segment_and_comes_back(subscriber_id: str) -> None:
    call = metax.put_user_stats(subscriber_id, {})
    prefix, _, segment = call.path.rpartition("/")
    assert prefix == "/metax/3.0/ui/user/stat"
    assert unquote(segment) == subscriber_id
    assert not set(segment) & set("?#;, \\")


@pytest.mark.parametrize("subscriber_id", ["", " ", ".", "..", "a\nb", "\x00", "\ud800", None, 7, "{{ x }}\x7f"])
def test_what_can_be_no_id_is_refused_and_not_shown(subscriber_id: Any) -> None:
    with pytest.raises(MicsConfigurationError) as caught:
        metax.put_user_stats(subscriber_id, {})
    assert "{{" not in str(caught.value)


@pytest.mark.parametrize(
    ("stats", "is_delta", "repeatable"),
    [
        ({"favorites": []}, True, True),
        ({"view_data": [{"asset_id": "a", "user_rating": 4, "pause_time": 7, "last_played_on": 1}]}, True, True),
        ({"view_data": [{"asset_id": "a"}, {"asset_id": "b", "play_count": 1}]}, True, False),
        ({"view_data": [{"asset_id": "a", "view_time": 0}]}, True, False),
        ({"view_data": [{"asset_id": "a", "view_time": 9, "play_count": 1}]}, False, True),
        ({"view_data": None}, True, True),
        ({"view_data": "play_count"}, True, True),
        ({"view_data": ["play_count", 7]}, True, True),
    ],
)
def test_only_a_delta_with_sums_is_not_sent_again(stats: dict[str, Any], is_delta: bool, repeatable: bool) -> None:
    call = metax.put_user_stats(WHO, stats, is_delta=is_delta)
    unknown = MicsTransportError("cut", call="x", outcome=Outcome.UNKNOWN)
    assert may_repeat(call, unknown) is repeatable
    assert may_repeat(call, MicsServerError(call="x", http_status=500)) is repeatable
    assert may_repeat(call, MicsTransportError("refused", call="x", outcome=Outcome.NOT_SENT))


@pytest.mark.parametrize("body", [b"", b"OK", b"null", b"{}", b'{"result":"success"}', b"[]", b'"error"', b"\xff"])
def test_whatever_an_accepted_put_answers_is_taken(body: bytes) -> None:
    read_reply(metax.put_user_stats(WHO, {}), reply(body))


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (401, UNAUTHORIZED, MicsAuthenticationError, "HTTP 401: UNAUTHORIZED: No Authorization Token. Check the"),
        (403, UNAUTHORIZED, MicsPermissionError, "no right"),
        (
            404,
            PAGE,
            MicsNotFoundError,
            f"HTTP 404: {len(PAGE)} bytes of application/json, not an error of MetaX. Check",
        ),
        (429, b"", MicsRateLimitError, "rate_limit"),
        (400, {"result": "error", "message": f"no {WHO}"}, MicsAPIError, "HTTP 400: no <email>."),
        (500, {"result": "ERROR"}, MicsServerError, "HTTP 500"),
        (200, UNAUTHORIZED, MicsAPIError, "HTTP 200: UNAUTHORIZED"),
    ],
)
def test_errors(status: int, body: Any, kind: type[MicsError], said: str) -> None:
    for call in (metax.put_user_stats(WHO, {}), metax.list_favorites(WHO), metax.add_favorite(WHO, "a")):
        with pytest.raises(kind, match=r"^Could not .* subscriber") as caught:
            read_reply(call, reply(body, status))
        assert type(caught.value) is kind
        assert said in str(caught.value)
        assert WHO not in str(caught.value)


def test_how_long_to_wait_is_read() -> None:
    with pytest.raises(MicsRateLimitError) as caught:
        read_reply(metax.list_favorites(WHO), reply(b"", 429, retry_after="7"))
    assert caught.value.retry_after_s == 7


def test_favorites_are_given_as_they_come() -> None:
    assert read_reply(metax.list_favorites(WHO), reply([{"Id": "a"}])) == [{"Id": "a"}]
    with pytest.raises(MicsReplyError, match="is not what this API answers"):
        read_reply(metax.list_favorites(WHO), reply(PAGE))


class TestTokens:
    URL = "https://oauth.example.com/ums/2.0/oauth/"

    def test_the_request(self) -> None:
        call = get_token(self.URL, "client", "s3cret")
        assert (call.method, call.base_url, call.path) == ("POST", "https://oauth.example.com", "/ums/2.0/oauth/")
        # base64 of client:s3cret
        assert dict(call.headers) == {"Authorization": "Basic Y2xpZW50OnMzY3JldA=="}
        assert call.content_type == "application/x-www-form-urlencoded"
        assert call.content == b"grant_type=client_credentials"
        assert "s3cret" not in repr(call)
        assert "Y2xpZW5" not in repr(call)

    def test_the_vendor_s_reply(self) -> None:
        sample = {"version": "1.1", "client_id": "XXXX", "access_token": "T1", "expires_in": 3600}
        assert read_reply(get_token(self.URL, "a", "b"), reply(sample)) == AccessToken(access_token="T1")

    @pytest.mark.parametrize("body", [b"", PAGE, UNAUTHORIZED, {"access_token": None}])
    def test_a_reply_without_token(self, body: Any) -> None:
        with pytest.raises(MicsReplyError):
            read_reply(get_token(self.URL, "a", "b"), reply(body))

    @pytest.mark.parametrize(("status", "hint"), [(401, "client secret."), (404, "Check the connection's oauth_url.")])
    def test_a_refusal_says_what_to_check(self, status: int, hint: str) -> None:
        with pytest.raises(MicsAPIError) as caught:
            read_reply(get_token(self.URL, "a", "b"), reply(b"", status))
        assert str(caught.value).endswith(hint)

    def test_it_is_used_renewed_before_it_ends_and_told(self) -> None:
        told: list[str] = []
        credentials = ClientCredentials("a", "b", oauth_url=self.URL, on_new_secret=told.append)

        def first_step(now: float, token: str) -> Any:
            renewal = next(authorized(metax.list_favorites(WHO), credentials, lambda: now))
            assert isinstance(renewal, Renewal)
            return hold(renewal.calls(), lambda _: AccessToken(access_token=token, expires_in=3600))

        assert first_step(1000, "T1") == "Bearer T1"
        assert credentials.header(3999) == "Bearer T1"
        assert first_step(4000, "T2") == "Bearer T2"
        assert told == ["T1", "T2"]

    def test_refused_it_is_renewed_once(self) -> None:
        credentials = ClientCredentials("a", "b", oauth_url=self.URL)
        credentials.accept(AccessToken(access_token="T1"), 0.0)
        talk: Any = authorized(metax.list_favorites(WHO), credentials, lambda: 1.0)
        assert next(talk).headers["Authorization"] == "Bearer T1"
        refused = MicsAuthenticationError(call="x", http_status=401)
        assert isinstance(talk.throw(refused), Renewal)
        assert talk.send("Bearer T2").headers["Authorization"] == "Bearer T2"
        with pytest.raises(MicsAuthenticationError):
            talk.throw(refused)

    @pytest.mark.parametrize(
        "url", ["http://oauth.example.com/", "https://a:s3cret@b/", "ftp://x", "https://x/?s3cret"]
    )
    def test_secrets_go_nowhere_else(self, url: str) -> None:
        with pytest.raises(MicsConfigurationError, match="oauth_url") as caught:
            ClientCredentials("a", "b", oauth_url=url)
        assert "s3cret" not in str(caught.value)

    def test_they_can_be_compared(self) -> None:
        ours = ClientCredentials("a", "b", oauth_url=self.URL)
        assert ours == ClientCredentials("a", "b", oauth_url=self.URL)
        assert hash(ours) == hash(ClientCredentials("a", "b", oauth_url=self.URL))
        assert ours != ClientCredentials("a", "c", oauth_url=self.URL)
        assert ours != ClientCredentials("a", "b")
        assert ours != bearer("b")
        assert bearer("b") == bearer("b")


@given(IDS)
def test_no_representation_shows_who_it_is_about(subscriber_id: str) -> None:
    marked = f"jeanne{subscriber_id}"
    calls: list[Any] = [metax.put_user_stats(marked, {"favorites": [marked]}), metax.list_favorites(marked)]
    assert "jeanne" not in repr(calls)
    assert json.loads(calls[0].content) == {"favorites": [marked]}
