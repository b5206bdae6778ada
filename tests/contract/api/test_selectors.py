"""Selectors of user points as they leave, by both transports: what an identifier holds never changes the path."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import requests

from airflow_provider_mics.api import user_activities, user_choices, user_profiles
from airflow_provider_mics.api.selectors import UserPointSelector
from airflow_provider_mics.exceptions import MicsNotFoundError, MicsTransportError

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.api.conftest import ClosedPort, Connect
    from tests.contract.api.recorder import Recorder
    from tests.contract.api.talkers import Talker

#: Everything that means something in a path, a query, a selector, or an escape.
HOSTILE = "a/../b?c#d%2Fe,user_account_id=f;g&h+i j@k:l~é"
ESCAPED = "a%2F..%2Fb%3Fc%23d%252Fe%2Cuser_account_id%3Df%3Bg%26h%2Bi%20j%40k%3Al~%C3%A9"


@pytest.mark.parametrize(
    ("selector", "segment"),
    [
        (UserPointSelector(user_account_id=HOSTILE, compartment_id="7"), f"compartment_id=7,user_account_id={ESCAPED}"),
        (UserPointSelector(user_account_id=".."), "user_account_id=.."),
        (UserPointSelector(email_hash=HOSTILE), f"email_hash={ESCAPED}"),
        (UserPointSelector(user_agent_id="vec:89998434"), "user_agent_id=vec%3A89998434"),
    ],
)
def test_what_an_identifier_holds_stays_in_its_place(
    connect: Connect, recorder: Recorder, selector: UserPointSelector, segment: str
) -> None:
    talker = connect(recorder.url)
    profile = {"compartment_id": "8", "user_account_id": HOSTILE, "force_replace": False, "merge_objects": True}
    talker.send(user_profiles.put("1509", selector, {}, **profile))  # type: ignore[arg-type]
    talker.send(user_choices.put("1509", selector, "450", {}))
    point = f"/v1/datamarts/1509/user_points/{segment}"
    tail = f"compartment_id=8/user_account_id={ESCAPED}?force_replace=false&merge_objects=true"
    assert [received.line for received in recorder.requests] == [
        f"PUT {point}/user_profiles/{tail} HTTP/1.1",
        f"PUT {point}/user_choices/processing_id=450 HTTP/1.1",
    ]


def test_no_log_says_whom_a_call_is_about(
    talker: Talker, connect: Connect, closed_port: ClosedPort, caplog: pytest.LogCaptureFixture
) -> None:
    who = UserPointSelector(user_account_id="jeanne@example.com")
    with caplog.at_level(logging.DEBUG):
        talker.send(user_choices.put("1509", who, "450", {"$choice_ts": 1, "$choice_acceptance_value": True}))
        with pytest.raises(MicsNotFoundError):
            talker.send(user_activities.find("1509", UserPointSelector(email_hash="jeanne"), filters="name==jeanne"))
        with pytest.raises(MicsTransportError) as caught:
            connect(closed_port.url).send(user_choices.find("1509", who))
    assert "jeanne" not in caplog.text
    assert "jeanne" not in str(caught.value)


def test_what_others_do_with_urllib3_is_logged(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), requests.get(f"{sandbox.url}/v1/theirs", timeout=20):
        assert "/v1/theirs" in caplog.text
