from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api import user_points
from airflow_provider_mics.api.absence import unless_absent
from airflow_provider_mics.api.conversation import hold
from airflow_provider_mics.api.selectors import UserPointSelector
from airflow_provider_mics.exceptions import MicsError, MicsNotFoundError, MicsPermissionError, MicsServerError

if TYPE_CHECKING:
    from airflow_provider_mics.api.call import Call

CALL = user_points.identifiers("1509", UserPointSelector(email_hash="x"))
DATAMART = "/v1/datamarts/1509"


class Api:
    """Answers calls from a list, and keeps their paths."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.paths: list[str] = []

    def perform(self, call: Call[Any]) -> Any:
        self.paths.append(call.path)
        answer = self.answers.pop(0)
        if isinstance(answer, MicsError):
            raise answer
        return answer


def missing(*, has_envelope: bool = True) -> MicsNotFoundError:
    return MicsNotFoundError(call="x", http_status=404, error="Resource Not Found", has_envelope=has_envelope)


def test_what_is_there_is_returned_and_nothing_else_is_asked() -> None:
    api = Api([{"type": "USER_POINT"}])
    assert hold(unless_absent(CALL, [], datamart_id="1509"), api.perform) == [{"type": "USER_POINT"}]
    assert api.paths == [CALL.path]


@pytest.mark.parametrize("datamart", [object(), MicsPermissionError(call="y", http_status=403)])
def test_a_user_without_data_has_none_if_the_datamart_is_there(datamart: Any) -> None:
    api = Api(missing(), datamart)
    assert hold(unless_absent(CALL, [], datamart_id="1509"), api.perform) == []
    assert api.paths == [CALL.path, DATAMART]


def test_a_datamart_that_is_not_there_is_an_error() -> None:
    wrong_id = missing()
    with pytest.raises(MicsNotFoundError) as caught:
        hold(unless_absent(CALL, [], datamart_id="1509"), Api(missing(), wrong_id).perform)
    assert caught.value is wrong_id


def test_whether_a_datamart_is_there_may_remain_unknown() -> None:
    with pytest.raises(MicsServerError):
        hold(
            unless_absent(CALL, [], datamart_id="1509"),
            Api(missing(), MicsServerError(call="y", http_status=500)).perform,
        )


def test_what_answers_before_the_api_says_nothing_about_users() -> None:
    api = Api(missing(has_envelope=False))
    with pytest.raises(MicsNotFoundError):
        hold(unless_absent(CALL, [], datamart_id="1509"), api.perform)
    assert api.paths == [CALL.path]


def test_other_errors_pass() -> None:
    with pytest.raises(MicsPermissionError):
        hold(
            unless_absent(CALL, [], datamart_id="1509"),
            Api(MicsPermissionError(call="x", http_status=403)).perform,
        )
