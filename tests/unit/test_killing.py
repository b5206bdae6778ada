from __future__ import annotations

import pytest

from airflow_provider_mics.triggers._fate import is_abandoned


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize("cancel_on_clear", [False, True])
def test_a_task_that_failed_is_waited_for_by_nobody_and_one_that_succeeded_has_been_seen_to(
    goes_on: bool, cancel_on_clear: bool
) -> None:
    for state in ["failed", "skipped", "upstream_failed", "removed"]:
        assert is_abandoned(state, goes_on=goes_on, cancel_on_clear=cancel_on_clear)
    assert not is_abandoned("success", goes_on=goes_on, cancel_on_clear=cancel_on_clear)


@pytest.mark.parametrize("state", [None, "scheduled", "queued", "running", "restarting", "deferred", "new word"])
def test_a_task_that_is_to_go_on_keeps_what_it_will_wait_for(state: str | None) -> None:
    assert not is_abandoned(state, goes_on=True, cancel_on_clear=True)
    assert not is_abandoned(state, goes_on=False, cancel_on_clear=False)
    assert is_abandoned(state, goes_on=False, cancel_on_clear=True)
