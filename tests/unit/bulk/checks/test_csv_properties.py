from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_mics.bulk.checks.command_rules import check_segment
from airflow_provider_mics.bulk.checks.csv_pattern import segment_pattern
from airflow_provider_mics.bulk.checks.csv_record import Record, read_record
from airflow_provider_mics.bulk.checks.findings import Finding
from tests.unit.bulk.checks.checking import CSV, MOMENT, check

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

COLUMNS = [
    "operation",
    "user_account_id",
    "compartment_id",
    "email_hash",
    "segment_id",
    "expiration_duration",
    "data_bag",
    "expiration_ts",
    "user_agent_id",
    "segment_technical_name",
]
JSON = st.recursive(
    st.sampled_from([None, True, 0, -1, 1.5, 1e300, 10**20, "", "a", 'say "hi", \\ é', "line\nbreak", "😀", "\u2028"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["", "a", 'b"']), inner, max_size=2),
    max_leaves=5,
)
BAGS = st.builds(
    lambda value, ascii_only, indent: json.dumps(value, ensure_ascii=ascii_only, indent=indent),
    JSON,
    st.booleans(),
    st.sampled_from([None, 1]),
) | st.sampled_from(["", "{", "{}", '{"a":1,}', '{"a" 1}', '{,"a":1}', "[1,]", '{"a":01}', '{"a":"\\ud800"}', "{}{}"])
CELLS = {
    "operation": st.sampled_from(["UPDATE", "UPDATE", "UPDATE", "DELETE", "DELETE", "UPSERT", ""]),
    "expiration_duration": st.sampled_from(["43200", "43200", "", "0", "-1", "1.0", "9" * 18, "9" * 19, "1e5", "²"]),
    "expiration_ts": st.sampled_from(
        ["", "", "0", str(MOMENT), str(MOMENT // 1000), "999999999", "0000000001000000000", "9" * 18, "x"]
    ),
    "data_bag": BAGS,
}
ANY = st.sampled_from(
    ["", "", "", "a", "1201", "lea@example.com", "x,y", 'say "hi"', "two\nlines", "é", " ", "\0", "\r"]
)


@st.composite
def rows(draw: DrawFn) -> bytes:
    """Draw a record, good or nearly so, written as it should be, or with a few of its bytes changed."""
    cells = [draw(CELLS.get(name, ANY)) for name in COLUMNS]
    if draw(st.booleans()):
        # One identifier and one segment: otherwise most would be bad.
        cells[1:5] = ["crm-77", draw(st.sampled_from(["", "1201"])), "", "9001"]
        cells[8] = ""
    if draw(st.sampled_from([False, False, False, True])):
        cells = cells[: draw(st.integers(1, len(cells)))]
    target = io.StringIO(newline="")
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    if draw(st.booleans()):
        csv.writer(target, quoting=csv.QUOTE_ALL, lineterminator=line_end).writerow(cells)
    else:
        csv.writer(target, lineterminator=line_end).writerow(cells)
    text = target.getvalue().encode()
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        position = draw(st.integers(0, len(text) - 1))
        piece = draw(st.sampled_from([b'"', b",", b"\n", b"\r", b"\xff", b"", b'""', b"\\"]))
        text = text[:position] + piece + text[position + draw(st.integers(0, 1)) :]
    return text if text.endswith(b"\n") else text + b"\n"


PATTERN = segment_pattern(COLUMNS)


def test_the_pattern_takes_what_is_common() -> None:
    common = b"".join(
        row + end
        for end in (b"\n", b"\r\n")
        for row in (
            b"UPDATE,crm-77,1201,,9001,43200,,,,",
            b'"UPDATE","crm ""77""","1201","","9001","43200","","0","",""',
            "UPDATE,crm-77,,,,0,,1718000000000,,Clients fidèles".encode(),
            b'UPDATE,,,3f2a,9001,43200,"{""src"": ""a, b"",\n ""n"": [1, {""a"": null}, -1.5]}",,,',
            rb'UPDATE,,,3f2a,9001,43200,"{""a"":""say \""hi\"" \u00e9 \\""}",,,',
        )
    )

    match = PATTERN.match(common + b"DELETE,,,,9001,,,,vec:1,\n")

    assert match is not None
    assert match.end() == len(match.string)


@settings(max_examples=800)
@given(rows())
def test_what_the_pattern_takes_is_good_by_the_rules(text: bytes) -> None:
    match = PATTERN.match(text)
    assert match is not None
    if match.end() == 0:
        return

    record = read_record(text, 0)

    assert isinstance(record, Record)
    assert record.end <= match.end()
    line = {
        name: int(cell) if name.startswith("expiration") else cell.decode("utf-8", "replace")
        for name, cell in zip(COLUMNS, record.cells, strict=True)
        if cell
    }
    assert list(check_segment(line)) == []
    assert bool(match.lastindex) == (line["operation"] == "DELETE")


@settings(max_examples=300)
@given(
    rows().filter(lambda text: b"\0" not in text and text.isascii() and text.strip() != b"" and text[0] not in b"\r\n")
)
def test_a_record_is_what_a_strict_csv_reader_reads(text: bytes) -> None:
    record = read_record(text, 0)

    if isinstance(record, Record):
        # Carriage returns within quotes are the same bytes to both.
        taken = text[: record.end].decode()
        assert next(csv.reader(io.StringIO(taken, newline=""), strict=True)) == [cell.decode() for cell in record.cells]
    elif isinstance(record, Finding):
        # Quotes in cells without quotes, and carriage returns, are let pass by the reader.
        assert "quote" in record.reason or "carriage return" in record.reason
    else:
        assert text.count(b'"') % 2 or b'"' in text


@settings(max_examples=300)
@given(st.lists(rows() | st.sampled_from([b"\n", b" \t\r\n"]), max_size=8), st.data())
def test_where_blocks_end_changes_nothing(records: list[bytes], data: st.DataObject) -> None:
    text = ",".join(COLUMNS).encode() + b"\n" + b"".join(records)
    cuts = data.draw(st.lists(st.integers(0, len(text))))

    whole = check("USER_SEGMENT", text, mime_type=CSV)

    assert check("USER_SEGMENT", text, mime_type=CSV, cuts=cuts) == whole
    assert whole.next_line == text.count(b"\n") + 1
    # What is left without the bad lines is good, and as many records.
    good = b""
    end = 0
    for offset, length, number in whole.bad:
        assert offset >= end
        assert number == text.count(b"\n", 0, offset) + 1
        good += text[end:offset]
        end = offset + length
    good += text[end:]
    again = check("USER_SEGMENT", good, mime_type=CSV)
    assert again.bad == ()
    assert (again.lines, again.deletions) == (whole.lines - len(whole.bad), whole.deletions)


@settings(max_examples=200)
@given(st.lists(rows(), max_size=8))
def test_good_records_are_counted_as_a_csv_reader_does(records: list[bytes]) -> None:
    header = ",".join(COLUMNS).encode() + b"\n"
    good = [record for record in records if not check("USER_SEGMENT", header + record, mime_type=CSV).bad]

    outcome = check("USER_SEGMENT", header + b"".join(good), mime_type=CSV)

    read = list(csv.reader(io.StringIO(b"".join(good).decode(), newline="")))
    assert outcome.problems == ()
    assert outcome.lines == len([row for row in read if row])
    assert outcome.deletions == sum(row[0] == "DELETE" for row in read if row)
