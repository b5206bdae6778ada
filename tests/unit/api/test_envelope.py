from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_mics.api.call import Call, Reply
from airflow_provider_mics.api.envelope import nothing, raw_bytes, read_reply
from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsAuthenticationError,
    MicsCallError,
    MicsNotFoundError,
    MicsPermissionError,
    MicsRateLimitError,
    MicsRedirectError,
    MicsReplyError,
    MicsServerError,
)
from tests.unit.api.replies import WHAT, get_one, get_page, reply

ERROR_ID = "9d5016ea-6b7b-4c64-bc74-60ba207e3bed"
ERROR = {"status": "error", "error": "Resource Not Found", "error_id": ERROR_ID, "error_code": "SOME_CODE"}


def failure(answer: Reply, call: Call[Any] | None = None) -> MicsCallError:
    with pytest.raises(MicsCallError) as caught:
        read_reply(call or get_one(), answer)
    assert str(caught.value).startswith(f"Could not {WHAT}: ")
    assert caught.value.call == WHAT
    return caught.value


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("given", [12, "12"])
def test_a_resource_is_read_and_its_id_is_a_string(given: object, status: int) -> None:
    execution = read_reply(get_one(), reply({"status": "ok", "data": {"id": given, "status": "PENDING"}}, status))
    assert (execution.id, execution.execution_id) == ("12", "12")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, MicsAPIError),
        (201, MicsAPIError),
        (400, MicsAPIError),
        (401, MicsAuthenticationError),
        (403, MicsPermissionError),
        (404, MicsNotFoundError),
        (409, MicsAPIError),
        (413, MicsAPIError),
        (429, MicsRateLimitError),
        (500, MicsServerError),
        (503, MicsServerError),
        (599, MicsServerError),
    ],
)
def test_an_error_envelope_is_an_error_under_any_http_status(status: int, kind: type[MicsAPIError]) -> None:
    error = failure(reply(ERROR, status, retry_after="7"))
    assert type(error) is kind
    assert isinstance(error, MicsAPIError)
    assert (error.http_status, error.error, error.error_id, error.error_code) == (
        status,
        "Resource Not Found",
        ERROR_ID,
        "SOME_CODE",
    )
    assert error.retry_after_s == 7
    assert error.has_envelope
    assert f"HTTP {status}, SOME_CODE: Resource Not Found (error id {ERROR_ID})." in str(error)


@pytest.mark.parametrize("word", ["error", "ERROR", "failed", ""])
def test_any_status_word_but_ok_is_an_error(word: str) -> None:
    assert type(failure(reply({"status": word, "data": {"id": "1", "status": "PENDING"}}))) is MicsAPIError


def test_ok_in_capitals_is_ok() -> None:
    assert read_reply(get_one(), reply({"status": "OK", "data": {"id": "1", "status": "PENDING"}})).id == "1"


@pytest.mark.parametrize(
    "envelope",
    [
        {"status": "error"},
        {"status": "error", "error": None, "error_id": None, "error_code": None},
        {"status": "error", "error": "", "error_id": "", "error_code": ""},
        {"status": "error", "error_id": "not an id, but: a text", "error_code": {"deep": "object"}},
    ],
)
def test_every_field_of_an_error_but_its_status_may_be_missing_or_odd(envelope: dict[str, Any]) -> None:
    error = failure(reply(envelope, 400))
    assert isinstance(error, MicsAPIError)
    assert (error.error, error.error_id, error.error_code) == (None, None, None)
    assert "HTTP 400: no reason given." in str(error)


def test_the_api_s_text_is_redacted() -> None:
    error = failure(reply({"status": "error", "error": "No user for jeanne@example.com"}, 400))
    assert "jeanne" not in str(error)
    assert "No user for <email>" in str(error)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"", "truncated", id="empty"),
        pytest.param(b'{"status": "ok", "data": {"id": "1"', "truncated", id="cut"),
        pytest.param(b"<html>secret row</html>", "malformed", id="html"),
        pytest.param(b'{"status": "ok"} {"status": "ok"}', "malformed", id="two documents"),
        pytest.param(b"[]", "Expected `object`", id="array"),
        pytest.param(b"null", "Expected `object`", id="null"),
        pytest.param(b'{"data": {"id": "1", "status": "PENDING"}}', "missing required field `status`", id="no status"),
        pytest.param(b'{"status": "ok"}', "Expected `object`, got `null`", id="no data"),
        pytest.param(b'{"status": "ok", "data": []}', "Expected `object`, got `array`", id="list for one"),
        pytest.param(b'{"status": "ok", "data": {"status": "PENDING"}}', "missing required field `id`", id="no id"),
        pytest.param(b'{"status": "ok", "data": {"id": "1"}}', "missing required field `status`", id="no state"),
        pytest.param(b'{"status": "ok", "data": {"id": "1", "status": "\xff"}}', "not UTF-8", id="broken UTF-8"),
        pytest.param(b'{"status": "ok", "data": ' + b"[" * 100_000, "nested too deeply", id="absurd nesting"),
        pytest.param(b'{"status": "ok", "data": {"id": true, "status": "x"}}', "got `bool` - at `$.id`", id="odd id"),
    ],
)
def test_a_reply_that_is_not_this_api_s_is_an_error_that_names_the_call(body: bytes, said: str) -> None:
    error = failure(reply(body))
    assert type(error) is MicsReplyError
    assert said in str(error)
    assert f"HTTP 200, {len(body)} bytes of application/json" in str(error)
    assert "secret row" not in str(error)
    # Nor by way of the error that it was made from.
    assert error.__suppress_context__


def test_a_value_of_the_wrong_type_is_named_by_its_place_not_shown() -> None:
    data = {"id": "1", "status": "PENDING", "result": {"total_success": "jeanne@example.com"}}
    error = failure(reply({"status": "ok", "data": data}))
    assert "$.result.total_success" in str(error)
    assert "jeanne" not in str(error)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_refused_and_not_worth_a_retry(status: int) -> None:
    error = failure(reply(b"", status, location="https://elsewhere.example.com/?token=1"))
    assert type(error) is MicsRedirectError
    assert not error.retryable
    assert "elsewhere" not in str(error)


@pytest.mark.parametrize(("status", "kind"), [(404, MicsNotFoundError), (502, MicsServerError), (400, MicsAPIError)])
@pytest.mark.parametrize("body", [b"<html>Bad Gateway</html>", b"", b"\xff", b"[1]"])
def test_an_http_error_without_envelope_keeps_its_kind_and_says_so(
    body: bytes, status: int, kind: type[MicsAPIError]
) -> None:
    error = failure(reply(body, status, content_type="text/html; charset=utf-8"))
    assert type(error) is kind
    assert isinstance(error, MicsAPIError)
    assert not error.has_envelope
    assert f"HTTP {status}: {len(body)} bytes of text/html, not this API's envelope." in str(error)


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, "password"),
        (403, "datamart_id"),
        (404, "ids"),
        (413, "max_part_bytes"),
        (429, "rate_limit"),
    ],
)
def test_the_next_step_is_named(status: int, remedy: str) -> None:
    assert remedy in str(failure(reply({"status": "error"}, status)))


class TestNothing:
    call = Call(what=WHAT, method="DELETE", path="/v1/x", read=nothing)

    @pytest.mark.parametrize("body", [b"", b" \r\n", b'{"status": "ok"}', b'{"status": "ok", "data": {"id": "1"}}'])
    def test_an_acceptance_may_be_empty(self, body: bytes) -> None:
        read_reply(self.call, reply(body))

    def test_an_error_counts(self) -> None:
        assert type(failure(reply(ERROR), self.call)) is MicsAPIError

    def test_a_page_of_some_proxy_is_no_acceptance(self) -> None:
        assert type(failure(reply(b"<html></html>"), self.call)) is MicsReplyError


class TestRawBytes:
    call = Call(what=WHAT, method="GET", path="/v1/x", read=raw_bytes)

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"", "application/octet-stream"),
            (b"\xff\x00", "application/octet-stream"),
            (b'{"status": "error"}', "application/octet-stream"),
            (b'{"status": "ok"}', "application/json"),
            (b'{"a": 1}\n{"a": 2}\n', "application/json"),
        ],
    )
    def test_a_file_is_returned_as_it_is(self, body: bytes, content_type: str) -> None:
        assert read_reply(self.call, reply(body, content_type=content_type)) == body

    def test_an_error_envelope_is_not_taken_for_the_file(self) -> None:
        assert type(failure(reply(ERROR), self.call)) is MicsAPIError


class TestPage:
    def test_counts_may_be_strings(self) -> None:
        envelope = {"status": "ok", "data": [], "count": "0", "total": "3", "max_results": "50"}
        page = read_reply(get_page(), reply(envelope))
        assert (page.items, page.total, page.max_results) == ((), 3, 50)

    @pytest.mark.parametrize(
        ("sizes", "expected"),
        [
            ({"max_results": 50, "max_result": 20}, 50),
            ({"max_results": 50}, 50),
            ({"max_result": 20}, 20),
            ({}, None),
            ({"max_results": None, "max_result": None}, None),
        ],
    )
    def test_either_spelling_of_the_page_size_is_read(self, sizes: dict[str, Any], expected: int | None) -> None:
        assert read_reply(get_page(), reply({"status": "ok", "data": [], **sizes})).max_results == expected

    def test_total_may_be_missing(self) -> None:
        assert read_reply(get_page(), reply({"status": "ok", "data": [], "count": 0})).total is None

    @pytest.mark.parametrize("data", [None, {}, [None], [{"id": "1"}]])
    def test_what_is_no_list_of_executions_is_refused(self, data: object) -> None:
        assert type(failure(reply({"status": "ok", "data": data}), get_page())) is MicsReplyError
