from __future__ import annotations

import pytest

from airflow_provider_mics.bulk.counted import by_count, counted


@pytest.mark.parametrize(("number", "told"), [(0, "0 parts"), (1, "1 part"), (2, "2 parts")])
def test_a_count_and_what_it_is_of_agree(number: int, told: str) -> None:
    assert counted(number, "part") == told


@pytest.mark.parametrize(("number", "word"), [(0, "were"), (1, "was"), (2, "were")])
def test_the_verb_goes_with_the_count(number: int, word: str) -> None:
    assert by_count(number, "was", "were") == word
