"""Which call is made of a line, whatever the line holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_mics.api.call import Call
from airflow_provider_mics.bulk.items.kinds import activities, choices, profiles
from airflow_provider_mics.exceptions import MicsError

KINDS = {"activities": activities("1509"), "profiles": profiles("1509"), "choices": choices("1509")}

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["$compartment_id", "$user_account_id", "$processing_id", "$unique_key", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)
_LINES = st.dictionaries(
    st.sampled_from(
        [
            "operation", "compartment_id", "user_account_id", "email_hash", "user_agent_id", "user_profile",
            "user_choice", "force_replace", "merge_objects", "update_strategy", "$unique_key",
        ]
    ),
    _VALUES,
    max_size=8,
)  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
@given(line=_LINES)
@example(line={"user_profile": {"$compartment_id": "1"}, "email_hash": "h", "update_strategy": []})
def test_an_unchecked_line_makes_a_call_or_is_refused_in_words(name: str, line: dict[str, Any]) -> None:
    kind = KINDS[name]
    if list(kind.rules(line)):
        return
    try:
        call = kind.call(line)
    except MicsError:
        return
    assert isinstance(call, Call)


@pytest.mark.parametrize(("key", "repeatable"), [(None, False), ("", False), ("0-1", True)])
def test_only_activities_with_a_key_may_be_sent_twice(key: str | None, *, repeatable: bool) -> None:
    assert KINDS["activities"].call({"$unique_key": key}).repeatable is repeatable
