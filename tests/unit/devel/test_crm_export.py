from __future__ import annotations

import csv
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from devel.crm_export import COMPARTMENT_ID, SEED, CrmExport, ExportedFile, write_export, write_large_profiles
from devel.crm_people import account_id

if TYPE_CHECKING:
    from pathlib import Path

SMALL = 0.02  # 400 profiles, 100 activities, 60 segment rows


def json_lines(file: ExportedFile) -> list[Any]:
    return [json.loads(line) for line in file.path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> CrmExport:
    return write_export(tmp_path_factory.mktemp("export"), scale=SMALL, bad_lines=7)


def is_bad(line: Any) -> bool:
    return bool(line["compartment_id"] != COMPARTMENT_ID)


def test_the_files_are_what_the_summary_says(export: CrmExport) -> None:
    for file in export.files:
        content = file.path.read_bytes()
        header = 1 if file.path.suffix == ".csv" else 0
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)
        assert content.count(b"\n") == file.lines + header
        assert content.endswith(b"\n")
    assert [file.path.name for file in export.files] == [
        "profiles-1.ndjson",
        "profiles-2.ndjson",
        "activities.ndjson",
        "vip_segment.csv",
    ]


def test_two_files_of_profiles_make_the_whole_and_differ_in_length(export: CrmExport) -> None:
    first, second = export.profiles
    assert first.lines + second.lines == 400
    assert first.lines != second.lines


def test_a_profile_repeats_its_ids_inside(export: CrmExport) -> None:
    for line in json_lines(export.profiles[0]):
        assert line["operation"] == "UPSERT"
        assert (line["force_replace"], line["merge_objects"]) == (False, True)
        assert line["user_profile"]["$compartment_id"] == line["compartment_id"]
        assert line["user_profile"]["$user_account_id"] == line["user_account_id"]
        assert isinstance(line["user_profile"]["address"], dict)


def test_accents_are_sent_as_they_are(export: CrmExport) -> None:
    text = export.profiles[0].path.read_text(encoding="utf-8")
    assert "\\u" not in text
    assert re.search("[àâçéèêëîïôùûü]", text)


def test_exactly_the_lines_named_are_bad_and_still_json(export: CrmExport) -> None:
    lines = json_lines(export.profiles[1])
    found = tuple(number for number, line in enumerate(lines, start=1) if is_bad(line))
    assert len(found) == 7
    assert found == export.profiles[1].bad_lines
    assert not any(map(is_bad, json_lines(export.profiles[0])))


def test_bad_lines_look_right(export: CrmExport) -> None:
    bad = [line for line in json_lines(export.profiles[1]) if is_bad(line)]
    assert {line["operation"] for line in bad} == {"UPSERT"}
    assert all(line["user_profile"]["$compartment_id"] == line["compartment_id"] for line in bad)


def test_activities_belong_to_customers_of_the_profiles(export: CrmExport) -> None:
    customers = {account_id(number, seed=SEED) for number in range(400)}
    for line in json_lines(export.activities):
        assert line["$session_status"] == "NO_SESSION"
        assert line["$user_identifiers"][0]["$user_account_id"] in customers
        assert line["$events"][0]["$properties"]["$items"]


def test_the_segment_has_quoted_cells_and_one_identifier_a_row(export: CrmExport) -> None:
    text = export.segment.path.read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == export.segment.lines
    assert {row["OPERATION"] for row in rows} == {"UPDATE", "DELETE"}
    for row in rows:
        assert bool(row["USER_ACCOUNT_ID"]) != bool(row["EMAIL_HASH"])
        assert bool(row["USER_ACCOUNT_ID"]) == bool(row["COMPARTMENT_ID"])
        assert not row["DATA_BAG"] or json.loads(row["DATA_BAG"])["tier"]
    assert '""' in text


def test_the_same_seed_gives_the_same_bytes(export: CrmExport, tmp_path: Path) -> None:
    again = write_export(tmp_path / "again", scale=SMALL, bad_lines=7)
    other = write_export(tmp_path / "other", scale=SMALL, bad_lines=7, seed=1)
    assert [file.sha256 for file in again.files] == [file.sha256 for file in export.files]
    assert not {file.sha256 for file in other.files} & {file.sha256 for file in export.files}


def test_addresses_are_at_domains_that_cannot_exist(export: CrmExport) -> None:
    for file in export.files:
        for address in re.findall(r"[\w.+-]+@[\w.-]+", file.path.read_text(encoding="utf-8")):
            assert address.endswith(".example")


def test_more_bad_lines_than_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="161 bad lines do not fit into the 160 lines"):
        write_export(tmp_path, scale=SMALL, bad_lines=161)


def test_a_large_file_reaches_its_size_with_no_line_twice(tmp_path: Path) -> None:
    wanted = 3_000_000
    file = write_large_profiles(tmp_path / "large.ndjson", min_bytes=wanted)
    lines = file.path.read_bytes().splitlines(keepends=True)
    assert wanted <= file.bytes < wanted + len(max(lines, key=len))
    assert len(lines) == file.lines == len(set(lines))
    accounts = {json.loads(line)["user_account_id"] for line in lines}
    assert len(accounts) == file.lines
