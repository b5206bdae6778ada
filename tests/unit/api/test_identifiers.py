from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.api import directory, document_imports, executions
from airflow_provider_mics.api.identifiers import numeric_id, path_segment
from airflow_provider_mics.exceptions import MicsConfigurationError


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1509", "1509"), (1509, "1509"), (" 1509\n", "1509"), ("0", "0"), ("007", "007"), ("9" * 19, "9" * 19)],
)
def test_digits_pass(value: Any, expected: str) -> None:
    assert numeric_id(value, "datamart id") == expected


REFUSED = [
    "", "  ", None, True, False, -1, 1.0, "1.0", "-1", "+1", "1e3", "0x1f", "1 2", "1\n2", "9" * 20, "1509/../1510",
    "1509?x=1", "1509#", "1509%2F", "../1509", "\uff11\uff15", "\u0663", "\u00b2", "{{ ti.xcom_pull() }}", ["1509"],
    "None", "api:s3cret-token", "jeanne@example.com",
]  # fmt: skip


@pytest.mark.parametrize("value", REFUSED)
def test_anything_else_is_refused_and_not_shown(value: Any) -> None:
    with pytest.raises(MicsConfigurationError, match="The datamart id must be a number") as caught:
        numeric_id(value, "datamart id")
    text = str(value)
    assert len(text) < 4 or text in {"None", "True", "  "} or text not in str(caught.value)


@given(st.text())
def test_what_passes_is_only_digits(value: str) -> None:
    try:
        assert set(numeric_id(value, "id")) <= set("0123456789")
    except MicsConfigurationError:
        return


@given(st.text(min_size=8).filter(lambda text: not text.strip().isdigit()))
def test_what_is_refused_is_never_echoed(value: str) -> None:
    with pytest.raises(MicsConfigurationError) as caught:
        numeric_id(value, "id")
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        directory.datamart,
        lambda bad: document_imports.create(bad, document_type="USER_PROFILE", name="x"),
        document_imports.find,
        lambda bad: document_imports.get("1", bad),
        lambda bad: document_imports.get(bad, "1"),
        lambda bad: document_imports.update("1", bad, {}),
        lambda bad: document_imports.delete("1", bad),
        lambda bad: executions.upload("1", bad, mime_type="TEXT_CSV", open_body=lambda: pytest.fail("opened")),
        lambda bad: executions.find("1", bad),
        lambda bad: executions.get("1", "1", bad),
        lambda bad: executions.cancel("1", "1", bad),
    ],
)
def test_no_endpoint_takes_an_id_that_would_address_another_resource(make: Any) -> None:
    for bad in ("1/../../2", "1?x", "", "1/action"):
        with pytest.raises(MicsConfigurationError):
            make(bad)


@pytest.mark.parametrize(
    ("value", "expected"), [("a/b", "a%2Fb"), ("a?b#c", "a%3Fb%23c"), ("é", "%C3%A9"), ("a b", "a%20b"), ("..", "..")]
)
def test_a_path_segment_is_escaped(value: str, expected: str) -> None:
    assert path_segment(value) == expected
