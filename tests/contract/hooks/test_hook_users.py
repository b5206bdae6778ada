"""The hook's methods about people, against the sandbox."""

from __future__ import annotations

import re
import runpy
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api.selectors import UserPointSelector
from airflow_provider_mics.exceptions import MicsNotFoundError, MicsPermissionError, MicsTransportError
from airflow_provider_mics.hooks.mics import MicsHook

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.hooks.conftest import SetConnection

ANN = UserPointSelector(email_hash="3f2a")
#: One that could break a path.
BOB = UserPointSelector(user_account_id="a/../b?c#d%2F,user_account_id=é", compartment_id="1201")
NOBODY = UserPointSelector(email_hash="0000")
EACH_KIND = [
    ANN,
    BOB,
    UserPointSelector(user_account_id="crm-77"),
    UserPointSelector(user_agent_id="vec:89998434"),
    UserPointSelector(user_point_id=str(uuid.uuid4())),
]
NEWSLETTER = "450"


@pytest.fixture
def hook(set_connection: SetConnection) -> MicsHook:
    set_connection()
    return MicsHook()


def activity(**fields: Any) -> dict[str, Any]:
    return {
        "$type": "TOUCH",
        "$session_status": "NO_SESSION",
        "$ts": 1605262037783,
        "$user_identifiers": [{"$type": "USER_EMAIL", "$hash": "3f2a"}],
        "$events": [{"$event_name": "store-visit", "$ts": 1605262037783, "$properties": {}}],
        **fields,
    }


def choice(accepted: bool, at: int = 1605262037783) -> dict[str, Any]:
    return {"$choice_ts": at, "$choice_acceptance_value": accepted}


def test_activities(hook: MicsHook, sandbox: Sandbox) -> None:
    for kind, at in (("TOUCH", 1), ("EMAIL", 2), ("DISPLAY_AD", 3)):
        hook.send_user_activity(activity(**{"$type": kind, "$ts": at}), asynchronous=False)
    assert [item["$type"] for item in sandbox.activities] == ["TOUCH", "EMAIL", "DISPLAY_AD"]
    assert [item["$ts"] for item in hook.list_user_activities(ANN).items] == [3, 2, 1]
    page = hook.list_user_activities(ANN, filters="$type==TOUCH|EMAIL,start_ts==2")
    assert ([item["$ts"] for item in page.items], page.total) == ([2], 1)
    page = hook.list_user_activities(ANN, first_result=1, max_results=1)
    assert ([item["$ts"] for item in page.items], page.total) == ([2], 3)
    assert hook.delete_user_activities(ANN, filters="$type==EMAIL") is True
    assert [item["$ts"] for item in hook.list_user_activities(ANN).items] == [3, 1]
    assert hook.delete_user_activities(ANN, filters=None) is True
    assert hook.list_user_activities(ANN).items == ()


def test_activities_change_profiles_and_choices_through_the_pipeline_only(hook: MicsHook) -> None:
    account = {"$compartment_id": "1201", "$user_account_id": "crm-77"}
    sets_profile = {"$event_name": "$set_user_profile_properties", "$ts": 1, "$properties": {**account, "city": "Lyon"}}
    sets_choice = {
        "$event_name": "$set_user_choice",
        "$ts": 1,
        "$properties": {"$processing_id": NEWSLETTER, "$choice_acceptance_value": True},
    }
    with_events = activity(**{"$events": [sets_profile, sets_choice]})
    hook.send_user_activity(with_events, processing_pipeline=False, asynchronous=False)
    assert (hook.list_user_profiles(ANN), hook.list_user_choices(ANN)) == ([], [])
    hook.send_user_activity(with_events, processing_pipeline=True, asynchronous=False)
    assert [profile["city"] for profile in hook.list_user_profiles(ANN)] == ["Lyon"]
    assert [item["$choice_acceptance_value"] for item in hook.list_user_choices(ANN)] == [True]


@pytest.mark.parametrize("who", EACH_KIND, ids=repr)
def test_profiles(hook: MicsHook, who: UserPointSelector) -> None:
    which: dict[str, Any] = {"compartment_id": "1201", "user_account_id": "b/c d,e"}
    assert (hook.list_user_profiles(who), hook.get_user_profile(who, **which)) == ([], None)
    hook.upsert_user_profile(who, {"a": 1, "addr": {"city": "Lyon", "zip": "69002"}}, **which)
    hook.upsert_user_profile(who, {"b": 2, "addr": {"zip": "69003"}}, **which, force_replace=False, merge_objects=True)
    found = hook.get_user_profile(who, **which)
    assert found is not None
    assert (found["a"], found["b"], found["addr"]) == (1, 2, {"city": "Lyon", "zip": "69003"})
    assert (found["$compartment_id"], found["$user_account_id"]) == ("1201", "b/c d,e")
    hook.upsert_user_profile(who, {"addr": {"zip": "69004"}}, **which)
    assert (hook.get_user_profile(who, **which) or {})["addr"] == {"zip": "69004"}
    hook.upsert_user_profile(who, {"c": 3}, **which, force_replace=True)
    assert "a" not in (hook.get_user_profile(who, **which) or {})
    hook.upsert_user_profile(who, {"d": 4}, compartment_id="1000")
    assert [item.get("c") for item in hook.list_user_profiles(who)] == [3, None]
    assert [item["d"] for item in hook.list_user_profiles(who, compartment_id="1000")] == [4]
    assert hook.delete_user_profile(who, **which) is True
    assert hook.delete_user_profile(who, **which) is False
    assert hook.delete_user_profile(who, compartment_id="1000") is True
    assert hook.list_user_profiles(who) == []


@pytest.mark.parametrize("who", EACH_KIND, ids=repr)
def test_choices(hook: MicsHook, who: UserPointSelector) -> None:
    assert (hook.list_user_choices(who), hook.list_user_choice_history(who, NEWSLETTER)) == ([], [])
    hook.set_user_choice(who, NEWSLETTER, choice(accepted=True))
    hook.set_user_choice(who, NEWSLETTER, choice(accepted=False))
    hook.set_user_choice(who, "451", choice(accepted=True))
    assert [item["$choice_acceptance_value"] for item in hook.list_user_choices(who)] == [False, True]
    (one,) = hook.list_user_choices(who, processing_id=NEWSLETTER)
    assert (one["$processing_id"], one["$choice_acceptance_value"]) == (NEWSLETTER, False)
    history = hook.list_user_choice_history(who, NEWSLETTER)
    assert [item["$choice_acceptance_value"] for item in history] == [True, False]
    assert hook.delete_user_choice(who, NEWSLETTER) is True
    assert hook.delete_user_choice(who, NEWSLETTER) is False
    assert hook.list_user_choices(who, processing_id=NEWSLETTER) == []


def test_user_points(hook: MicsHook) -> None:
    device = UserPointSelector(user_agent_id="vec:1")
    identifiers = [
        {"type": "USER_EMAIL", "hash": "3f2a"},
        {"type": "USER_AGENT", "user_agent_id": "vec:1"},
        {"type": "USER_ACCOUNT", "user_account_id": "crm-77", "compartment_id": "1201"},
    ]
    hook.declare_identifiers_association(identifiers)
    found = hook.list_user_identifiers(device)
    assert {item["type"] for item in found} == {"USER_POINT", "USER_EMAIL", "USER_AGENT", "USER_ACCOUNT"}
    (user_point_id,) = (item["user_point_id"] for item in found if item["type"] == "USER_POINT")
    assert hook.list_user_identifiers(UserPointSelector(user_point_id=user_point_id)) == found
    assert hook.list_user_segments(ANN) == []
    assert hook.delete_user_point(ANN) is True
    assert hook.delete_user_point(device) is False
    assert hook.list_user_identifiers(device) == []


def test_a_person_who_is_not_there_has_nothing(hook: MicsHook) -> None:
    assert hook.list_user_activities(NOBODY).items == ()
    assert hook.list_user_profiles(NOBODY) == hook.list_user_choices(NOBODY) == hook.list_user_identifiers(NOBODY) == []
    assert hook.list_user_segments(NOBODY) == hook.list_user_choice_history(NOBODY, NEWSLETTER) == []
    assert hook.delete_user_activities(NOBODY, filters=None) is hook.delete_user_point(NOBODY) is False


def test_a_datamart_that_is_another_s_is_an_error(hook: MicsHook) -> None:
    other = MicsHook(datamart_id="1510")
    for ask in (
        other.list_user_identifiers,
        other.list_user_profiles,
        other.list_user_choices,
        other.delete_user_point,
    ):
        with pytest.raises(MicsPermissionError):
            ask(ANN)


def test_a_datamart_that_is_not_there_is_an_error(hook: MicsHook, sandbox: Sandbox) -> None:
    """Both ways to answer are seen: this API hides what it has not behind 404 too."""
    sandbox.faults.plan("status", kind="delete_user_point", status=404)
    sandbox.faults.plan("status", kind="get_datamart", status=404)
    with pytest.raises(MicsNotFoundError, match="get datamart 1509"):
        hook.delete_user_point(ANN)


def test_an_activity_is_sent_again_only_if_it_can_be_told_from_another(hook: MicsHook, sandbox: Sandbox) -> None:
    sandbox.faults.plan("close", when="after_commit", kind="create_user_activity")
    with pytest.raises(MicsTransportError):
        hook.send_user_activity(activity())
    assert sandbox.count("create_user_activity") == 1
    sandbox.faults.plan("close", when="after_commit", kind="create_user_activity")
    hook.send_user_activity(activity(**{"$unique_key": str(uuid.uuid1())}), asynchronous=False)
    assert sandbox.count("create_user_activity") == 3


def test_the_documentation_s_example(
    hook: MicsHook, sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(
        r"```python\n(.*?)```", (Path(__file__).parents[3] / "docs/vendor_pages.md").read_text(), re.DOTALL
    )
    script = tmp_path / "example.py"
    script.write_text(example)
    runpy.run_path(str(script))
    assert "'$choice_acceptance_value': True" in capsys.readouterr().out
    (profile,) = hook.list_user_profiles(UserPointSelector(compartment_id="1201", user_account_id="crm-77"))
    assert profile["city"] == "Lyon"
