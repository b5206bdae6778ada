"""Items as they are read and checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.bulk.files import LocalFile
from airflow_provider_mics.bulk.items.kinds import activities, choices
from airflow_provider_mics.bulk.items.source import FilesOfItems, Lines, Read, RowsOfItems, Survey, read_items, survey
from airflow_provider_mics.exceptions import MicsInputError
from tests.contract.tracking.conftest import activity, choice

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_mics.bulk.items.item import ItemKind

CHOICES, ACTIVITIES = choices("1509"), activities("1509")


def surveyed(lines: Any, kind: ItemKind = CHOICES, *, is_checked: bool = True) -> tuple[Survey, list[Read]]:
    bad: list[Read] = []
    return survey(lines, kind, bad.append, is_checked=is_checked), bad


def fingerprint(lines: Any, kind: ItemKind = CHOICES) -> str:
    return surveyed(lines, kind)[0].fingerprint


def files(folder: Path, *contents: bytes) -> FilesOfItems:
    for number, content in enumerate(contents):
        (folder / f"{number}.ndjson").write_bytes(content)
    return FilesOfItems([LocalFile(folder / f"{number}.ndjson") for number in range(len(contents))])


def test_the_fingerprint_tells_content_and_use_apart(tmp_path: Path) -> None:
    line = json.dumps(choice(1)).encode() + b"\n"
    rows = RowsOfItems([choice(1), choice(2)])
    all_of_them = {
        fingerprint(rows),
        fingerprint(RowsOfItems([choice(2), choice(1)])),
        fingerprint(rows, choices("7")),
        fingerprint(RowsOfItems([activity(1)]), ACTIVITIES),
        fingerprint(RowsOfItems([activity(1)]), activities("1509", processing_pipeline=False)),
        fingerprint(files(tmp_path, line + line)),
        fingerprint(files(tmp_path, line, line)),
    }

    assert len(all_of_them) == 7
    assert fingerprint(rows) == fingerprint(RowsOfItems([choice(1), choice(2)]))


def test_the_fingerprint_does_not_ask_where_a_file_is(tmp_path: Path) -> None:
    line = json.dumps(choice(1)).encode() + b"\n"
    first, second = tmp_path / "one", tmp_path / "two"
    first.mkdir()
    second.mkdir()

    assert fingerprint(files(first, line)) == fingerprint(files(second, line))


@given(st.lists(st.booleans(), max_size=30), st.integers(min_value=1, max_value=400))
def test_where_blocks_end_changes_nothing(goods: list[bool], size: int) -> None:
    lines = [
        json.dumps(choice(number) if good else {"n": number}).encode() + b"\n" for number, good in enumerate(goods)
    ]
    cuts: list[Lines] = []
    block = b""
    for line in [*lines, b" \n"]:
        block += line
        if len(block) >= size:
            cuts.append(Lines("f", not cuts, block))
            block = b""
    cuts.append(Lines("f", not cuts, block))
    reads = list(read_items(cuts, CHOICES, is_checked=True))

    assert [read.item.content for read in reads] == lines
    assert [read.item.number for read in reads] == list(range(len(lines)))
    assert [read.item.line for read in reads] == list(range(1, len(lines) + 1))
    assert [read.value is not None for read in reads] == goods
    assert [bool(read.problems) for read in reads] == [not good for good in goods]
    whole = b"".join(lines)
    assert all(whole[read.item.offset :].startswith(read.item.content) for read in reads)


def test_lines_of_a_json_array_are_bad(tmp_path: Path) -> None:
    content = b"[\n" + b",\n".join(json.dumps(choice(number)).encode() for number in range(3)) + b"\n]\n"
    found, bad = surveyed(files(tmp_path, content))

    # No comma follows the last element.
    assert (found.good, found.bad) == (1, 4)
    assert all(read.problems for read in bad)


@pytest.mark.parametrize("is_checked", [True, False])
@pytest.mark.parametrize("line", [b"7", b"[]", b"{", b'{"a":"\xff"}', b"null"])
def test_what_is_no_object_is_bad_even_unchecked(tmp_path: Path, line: bytes, *, is_checked: bool) -> None:
    found, bad = surveyed(files(tmp_path, line + b"\n"), is_checked=is_checked)

    assert (found.good, found.bad) == (0, 1)
    assert bad[0].item.content == line + b"\n"


def test_a_bad_first_line_behind_a_byte_order_mark_is_bad(tmp_path: Path) -> None:
    found, bad = surveyed(files(tmp_path, b'\xef\xbb\xbf{"operation":"UPSERT"}\n' + msgspec.json.encode(choice(1))))

    assert (found.good, found.bad) == (1, 1)
    assert (bad[0].item.line, bad[0].item.offset) == (1, 3)


def test_dicts_that_json_cannot_say_are_refused() -> None:
    with pytest.raises(MicsInputError, match="row 2"):
        surveyed(RowsOfItems([choice(1), {"x": float("nan")}]))
