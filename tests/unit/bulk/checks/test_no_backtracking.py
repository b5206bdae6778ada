from __future__ import annotations

import re

from airflow_provider_mics.bulk.checks.no_backtracking import any_number_of, at_most_one


def match(pattern: bytes, text: bytes) -> bytes | None:
    found = re.match(pattern, text)
    return found.group() if found else None


def test_a_repetition_that_fails_half_way_takes_only_whole_groups() -> None:
    # What a possessive repetition does wrong in Python 3.11.4 and earlier.
    assert match(any_number_of(b"ab?c"), b"acaba") == b"ac"
    assert match(at_most_one(b"ab?c"), b"aba") == b""
    assert match(any_number_of(rb'[^"]++|""'), b'a"",b",') == b'a"",b'


def test_a_repetition_gives_nothing_back() -> None:
    assert match(any_number_of(b"ab") + b"ab", b"ababab") is None
    assert match(at_most_one(b"ab") + b"ab", b"ab") is None
