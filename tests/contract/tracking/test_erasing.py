"""Erasing user points."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api.selectors import UserPointSelector
from airflow_provider_mics.exceptions import (
    MicsConfigurationError,
    MicsInputError,
    MicsItemsError,
    MicsNotFoundError,
)
from airflow_provider_mics.hooks.mics import MicsHook
from airflow_provider_mics.operators.user_points import MicsDeleteUserPointsOperator

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.tracking.conftest import Task

EMAIL_HASH = "3f2a9c0e71d84b56a1f0c2d3e4b5968778695a4b3c2d1e0ff1e2d3c4b5a69788"
PEOPLE: dict[str, dict[str, Any]] = {
    "USER_ACCOUNT": {"type": "USER_ACCOUNT", "compartment_id": "1201", "user_account_id": "crm 1/2,=é"},
    "USER_EMAIL": {"type": "USER_EMAIL", "hash": EMAIL_HASH},
    "USER_AGENT": {"type": "USER_AGENT", "user_agent_id": "vec:89998434"},
}
SELECTORS = {
    "USER_ACCOUNT": UserPointSelector(compartment_id="1201", user_account_id="crm 1/2,=é"),
    "USER_EMAIL": UserPointSelector(email_hash=EMAIL_HASH),
    "USER_AGENT": UserPointSelector(user_agent_id="vec:89998434"),
}


@pytest.fixture
def people(sandbox: Sandbox) -> None:
    for identifier in PEOPLE.values():
        MicsHook().declare_identifiers_association([identifier])


def erase(task: Task, **arguments: Any) -> tuple[int, ...]:
    result = task.run(MicsDeleteUserPointsOperator, allow_deletions=True, **arguments)
    return tuple(result[name] for name in ("items", "accepted", "rejected", "unknown", "invalid"))


def are_there() -> list[str]:
    return [kind for kind, selector in SELECTORS.items() if MicsHook().list_user_identifiers(selector)]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("kind", PEOPLE)
def test_who_is_named_is_gone_and_nobody_else(task: Task, kind: str) -> None:
    assert are_there() == list(PEOPLE)
    # What else a line holds does not matter.
    assert erase(task, items=[PEOPLE[kind] | {"request": "R-1"}]) == (1, 1, 0, 0, 0)
    assert are_there() == [other for other in PEOPLE if other != kind]


@pytest.mark.usefixtures("people")
def test_by_the_id_of_the_user_point_and_from_a_file(task: Task) -> None:
    found = MicsHook().list_user_identifiers(SELECTORS["USER_EMAIL"])
    (point,) = [item["user_point_id"] for item in found if item["type"] == "USER_POINT"]
    path = task.file([{"type": "USER_POINT", "user_point_id": point}, PEOPLE["USER_AGENT"]])
    assert erase(task, path=path) == (2, 2, 0, 0, 0)
    assert are_there() == ["USER_ACCOUNT"]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("allowed", [False, "True", "False", 1, None])
def test_it_must_be_meant(sandbox: Sandbox, task: Task, allowed: Any) -> None:
    before = len(sandbox.requests)
    with pytest.raises(MicsConfigurationError, match="allow_deletions=True"):
        task.run(MicsDeleteUserPointsOperator, allow_deletions=allowed, items=list(PEOPLE.values()))
    assert len(sandbox.requests) == before


@pytest.mark.usefixtures("people")
def test_who_is_not_there_has_nothing_left_to_erase(sandbox: Sandbox, task: Task) -> None:
    # The second one is not there any more, and neither is the first when its lost answer is asked for again.
    sandbox.faults.plan("close", kind="delete_user_point", when="after_commit")
    assert erase(task, items=[PEOPLE["USER_EMAIL"]] * 2, concurrency=1) == (2, 2, 0, 0, 0)
    assert sandbox.count("delete_user_point") == 3
    assert "USER_EMAIL" not in are_there()


@pytest.mark.usefixtures("people")
def test_a_wrong_datamart_is_no_success(sandbox: Sandbox, task: Task) -> None:
    with pytest.raises(MicsNotFoundError, match="datamart 99"):
        erase(task, items=list(PEOPLE.values()), datamart_id="99")
    assert sandbox.count("delete_user_point") == 0


@pytest.mark.usefixtures("people")
def test_an_answer_that_is_not_the_platform_s_is_no_success(sandbox: Sandbox, task: Task) -> None:
    sandbox.faults.plan("html", status=404, kind="delete_user_point")
    with pytest.raises(MicsItemsError):
        erase(task, items=[PEOPLE["USER_EMAIL"]])


@pytest.mark.usefixtures("people")
def test_a_token_without_a_look_at_the_datamart_may_do(sandbox: Sandbox, task: Task) -> None:
    sandbox.faults.plan("status", status=403, kind="get_datamart")
    assert erase(task, items=[PEOPLE["USER_EMAIL"]]) == (1, 1, 0, 0, 0)


@pytest.mark.usefixtures("people")
def test_a_bad_line_erases_nobody(task: Task) -> None:
    with pytest.raises(MicsInputError, match="line 2"):
        erase(task, items=[PEOPLE["USER_EMAIL"], {"type": "USER_POINT", "user_point_id": "everybody"}])
    assert are_there() == list(PEOPLE)


@pytest.mark.usefixtures("people")
def test_lines_that_were_not_checked_name_somebody_or_fail(task: Task) -> None:
    with pytest.raises(MicsItemsError, match="2 are not"):
        erase(task, items=[{"type": "USER_EMAIL"}, {"email_hash": EMAIL_HASH}], preflight="off")
    assert are_there() == list(PEOPLE)


@pytest.mark.usefixtures("people")
def test_nobody_is_named_in_what_is_told(
    sandbox: Sandbox, task: Task, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, logger="airflow_provider_mics")
    sandbox.faults.plan("status", status=400, text=f"no {EMAIL_HASH}", kind="delete_user_point", times=None)
    with pytest.raises(MicsItemsError) as failed:
        erase(task, items=list(PEOPLE.values()))
    told = caplog.text + "".join(capsys.readouterr()) + str(failed.value)
    assert "3 are not" in told
    for secret in (EMAIL_HASH, "crm 1", "crm%201", "89998434"):
        assert secret not in told
