from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from airflow_provider_mics.bulk.formats import SEGMENT_CSV_COLUMNS
from tests.unit.bulk.checks.checking import CSV, MOMENT, Outcome, check

HEADER = "operation,compartment_id,user_account_id,email_hash,segment_id,expiration_duration,expiration_ts,data_bag"
QUOTED_HEADER = ",".join(f'"{name}"' for name in HEADER.split(","))
GOOD_ROW = "UPDATE,1201,crm-77,,9001,43200,,"
BAG = '"{""src"":""airflow"",""n"":[1,{""a"":null}]}"'


def check_csv(
    *rows: str | bytes, header: str = HEADER, document_type: str = "USER_SEGMENT", **settings: Any
) -> Outcome:
    lines = [row if isinstance(row, bytes) else row.encode() for row in (header, *rows)]
    return check(document_type, b"".join(line + b"\n" for line in lines), mime_type=CSV, **settings)


@pytest.mark.parametrize(
    "row",
    [
        GOOD_ROW,
        "UPDATE,,crm-77,,9001,0,,",
        f"UPDATE,,,3f2a,9001,,{MOMENT},",
        "UPDATE,,,3f2a,9001,43200,0,",
        "DELETE,1201,crm-77,,9001,,,",
        '"UPDATE","1201","crm-77","","9001","43200","",""',
        'UPDATE,1201,"crm,77",,9001,43200,,',
        'UPDATE,1201,"crm ""77""",,9001,43200,,',
        'UPDATE,1201,"crm\n77",,9001,43200,,',
        f"UPDATE,1201,crm-77,,9001,43200,,{BAG}",
        'UPDATE,1201,crm-77,,9001,43200,,"{\n  ""a"": ""é \\n \\u00e9 \\"" ""\n}"',
        "UPDATE,1201,crm-77,,9001,43200,,{}",
        'UPDATE,1201,crm-77,,9001,43200,,"[[[[[[1]]]]]]"',
        'UPDATE,1201,crm-77,,9001,43200,,"{""a"":""\\ud83d\\ude00""}"',
        'UPDATE,1201,crm-77,,9001,43200,,"""text"""',
        "UPDATE,1201,crm-77,,9001,00043200,,",
        GOOD_ROW + "\r",
    ],
)
def test_rows_that_the_platform_takes_are_good(row: str) -> None:
    outcome = check_csv(row, GOOD_ROW)

    assert outcome.problems == ()
    assert (outcome.lines, outcome.bad) == (2, ())
    assert outcome.deletions == row.startswith("DELETE")
    assert outcome.next_line == 4 + row.count("\n")


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (",1201,crm-77,,9001,43200,,", "operation", "is missing"),
        ("UPSERT,1201,crm-77,,9001,43200,,", "operation", "is UPSERT, which is a word of other document types"),
        ("update,1201,crm-77,,9001,43200,,", "operation", "must be in capitals"),
        (" UPDATE,1201,crm-77,,9001,43200,,", "operation", "without spaces"),
        ("UPDATE,,,,9001,43200,,", None, "there is no identifier"),
        ("UPDATE,1201,,,9001,43200,,", None, "there is no identifier"),
        ("UPDATE,,crm-77,3f2a,9001,43200,,", None, "there are 2 identifiers"),
        ("UPDATE,1201,,3f2a,9001,43200,,", "compartment_id", "is given without user_account_id"),
        ("UPDATE,,,lea@example.com,9001,43200,,", "email_hash", "has an @"),
        ('UPDATE,,,"lea@example.com",9001,43200,,', "email_hash", "has an @"),
        ("UPDATE,1201,crm-77,,,43200,,", None, "no segment is named"),
        ("UPDATE,1201,crm-77,,9001,,,", "expiration_duration", "is missing"),
        ("UPDATE,1201,crm-77,,9001,43200.0,,", "expiration_duration", "must be an integer"),
        ("UPDATE,1201,crm-77,,9001,-1,,", "expiration_duration", "must be an integer"),
        ("UPDATE,1201,crm-77,,9001,²,,", "expiration_duration", "must be an integer"),
        ("UPDATE,1201,crm-77,,9001,9223372036854775808,,", "expiration_duration", "is too large"),
        (f"UPDATE,1201,crm-77,,9001,{'9' * 5000},,", "expiration_duration", "must be an integer"),
        (f"UPDATE,1201,crm-77,,9001,,{MOMENT // 1000},", "expiration_ts", "looks like seconds"),
        ("UPDATE,1201,crm-77,,9001,,2030-01-01,", "expiration_ts", "must be an integer"),
        ("UPDATE,1201,crm-77,,9001,43200,,src=airflow", "data_bag", "is not valid JSON"),
        ('UPDATE,1201,crm-77,,9001,43200,,"{""a"":1,}"', "data_bag", "is not valid JSON"),
        ('UPDATE,1201,crm-77,,9001,43200,,"{""a"":""\n""}"', "data_bag", "is not valid JSON"),
        ('UPDATE,1201,crm-77,,9001,43200,,"{""a"":""\\ud83d""}"', "data_bag", "is not valid JSON"),
        ('UPDATE,1201,crm-77,,9001,43200,,"{""a"":01}"', "data_bag", "is not valid JSON"),
        ("UPDATE,1201,crm-77,,9001,43200,", None, "has 7 cells, the header has 8"),
        ("UPDATE,1201,crm-77,,9001,43200,,,", None, "has 9 cells, the header has 8"),
        (",,,,,,,", "operation", "is missing"),
        ("UPDATE;1201;crm-77;;9001;43200;;", None, "has 1 cells, the header has 8"),
        ('UPDATE,1201,5" screen,,9001,43200,,', None, "column 3 has a quote inside, but is not quoted"),
        ('UPDATE,1201,"crm"77,,9001,43200,,', None, "column 3 has something behind its closing quote"),
        ("UPDATE,1201,crm\r77,,9001,43200,,", None, "column 3 has a carriage return"),
        ('UPDATE,1201,crm-77,,9001,43200,,{"a":1}', None, "column 8 has a quote inside, but is not quoted"),
        ("UPDATE,1201,crm\00077,,9001,43200,,", None, "has a NUL at byte 15 of the record"),
        (b"UPDATE,1201,caf\xe9,,9001,43200,,", None, "is not UTF-8 at byte 15 of the record"),
        ('{"operation":"UPDATE"}', None, "column 1 has a quote inside, but is not quoted"),
    ],
)
def test_bad_rows_are_named_with_field_and_reason(row: str | bytes, field: str | None, reason: str) -> None:
    outcome = check_csv(GOOD_ROW, row, GOOD_ROW)

    raw = row if isinstance(row, bytes) else row.encode()
    start = len(HEADER) + len(GOOD_ROW) + 2
    assert outcome.bad == ((start, len(raw) + 1, 3),)
    assert outcome.lines == 3
    matching = [problem for problem in outcome.problems if problem.field == field and reason in problem.reason]
    assert matching, outcome.problems
    assert {problem.offset for problem in outcome.problems} == {start}
    text = " ".join(map(str, outcome.problems))
    assert not any(word in text for word in ("crm", "1201", "9001", "lea@", "3f2a", "airflow"))


def test_a_quote_left_open_costs_one_line() -> None:
    bad = 'UPDATE,1201,"crm-77,,9001,43200,,'

    # It ends at the next quote, at the end of the file, or where a line may be no longer.
    for rows in ([bad, GOOD_ROW, GOOD_ROW + BAG, GOOD_ROW], [bad, GOOD_ROW, GOOD_ROW], [bad, *[GOOD_ROW] * 100]):
        outcome = check_csv(*rows, max_line_bytes=1000)

        assert [row.line for row in outcome.bad] == [2]
        assert outcome.lines == len(rows)
        assert len(outcome.problems) == 1


def test_the_last_record_needs_no_newline() -> None:
    text = f"{HEADER}\n{GOOD_ROW}"

    assert check("USER_SEGMENT", text.encode(), mime_type=CSV).lines == 1
    assert check("USER_SEGMENT", text[:-1].encode(), mime_type=CSV).bad == ((len(HEADER) + 1, len(GOOD_ROW) - 1, 2),)


def test_blank_lines_and_a_byte_order_mark_are_passed_over() -> None:
    text = f"\n{HEADER}\r\n\r\n{GOOD_ROW}\r\n \t\n{GOOD_ROW}\n\n"

    outcome = check("USER_SEGMENT", b"\xef\xbb\xbf" + text.encode(), mime_type=CSV)

    assert outcome.problems == ()
    assert (outcome.lines, outcome.blank, outcome.next_line) == (2, 4, 8)


@pytest.mark.parametrize("header", [HEADER.upper(), HEADER.title(), QUOTED_HEADER])
def test_names_of_columns_are_known_in_any_case(header: str) -> None:
    assert check_csv(GOOD_ROW, header=header).problems == ()


@pytest.mark.parametrize("shift", range(len(SEGMENT_CSV_COLUMNS)))
@pytest.mark.parametrize("backwards", [False, True])
def test_columns_are_known_in_any_order(shift: int, *, backwards: bool) -> None:
    columns = [*SEGMENT_CSV_COLUMNS[shift:], *SEGMENT_CSV_COLUMNS[:shift]][:: -1 if backwards else 1]
    good: list[dict[str, Any]] = [
        {"operation": "UPDATE", "user_agent_id": "vec:1", "segment_id": 1, "expiration_ts": MOMENT},
        {"operation": "UPDATE", "user_account_id": "a", "segment_technical_name": "vip", "expiration_duration": 5},
        {"operation": "DELETE", "user_account_id": "a", "compartment_token": "t", "segment_id": 1, "data_bag": "{}"},
    ]
    bad: list[dict[str, Any]] = [
        {"operation": "UPDATE", "user_agent_id": "vec:1", "segment_id": 1},
        {"operation": "UPDATE", "user_agent_id": "vec:1", "email_hash": "a", "segment_id": 1, "expiration_ts": 0},
        {"operation": "DELETE", "user_agent_id": "vec:1", "compartment_id": 1, "segment_id": 1},
        {"operation": "DELETE", "user_agent_id": "vec:1"},
        {"operation": "DELETE", "segment_id": 1},
    ]

    target = io.StringIO()
    writer = csv.DictWriter(target, columns)
    writer.writeheader()
    writer.writerows(good + bad)
    outcome = check("USER_SEGMENT", target.getvalue().encode(), mime_type=CSV)

    assert [row.line for row in outcome.bad] == [5, 6, 7, 8, 9]
    assert outcome.deletions == 1


@pytest.mark.parametrize(
    ("header", "field", "reason"),
    [
        (HEADER.replace(",", ";"), None, "columns are separated by semicolons"),
        (HEADER.replace(",", "\t"), None, "columns are separated by tabs"),
        (HEADER.replace(",", "|"), None, "columns are separated by vertical bars"),
        (QUOTED_HEADER.replace(",", ";"), None, "columns are separated by semicolons"),
        (HEADER.replace("segment_id", "segment"), None, "column 5 is none of the columns of USER_SEGMENT"),
        (HEADER.replace(",segment_id", ", segment_id"), None, "the name of column 5 has spaces around it"),
        (HEADER + ",", None, "column 9 is none of the columns of USER_SEGMENT"),
        (HEADER + ",USER_ACCOUNT_ID", "user_account_id", "is a column twice"),
        (HEADER.replace("operation,", ""), "operation", "is not among the columns"),
        ("operation,segment_id,expiration_ts", None, "none of the columns is user_account_id or email_hash or"),
        ("operation,user_account_id,expiration_ts", None, "none of the columns is segment_id or"),
        (GOOD_ROW, None, "column 1 is none of the columns of USER_SEGMENT"),
        ('{"operation":"UPDATE"}', None, "this is JSON, not CSV"),
        ("[", None, "this is JSON, not CSV"),
        (HEADER + "\r" + GOOD_ROW, None, "line ends are carriage returns only"),
        ('operation,"user_account_id', None, "a quote is never closed"),
        ("operation," + "\0u\0s\0e", None, "it looks like UTF-16"),
    ],
)
def test_a_wrong_header_makes_the_whole_file_bad(header: str, field: str | None, reason: str) -> None:
    outcome = check_csv(GOOD_ROW, "", GOOD_ROW, header=header)

    assert any(problem.field == field and reason in problem.reason for problem in outcome.problems), outcome.problems
    assert {problem.line for problem in outcome.problems} == {1}
    assert [row.line for row in outcome.bad] == [1, 2, 4]
    assert (outcome.lines, outcome.blank) == (2, 1)
    assert not any("crm" in str(problem) for problem in outcome.problems)


def test_a_header_alone_is_no_problem() -> None:
    assert check_csv().problems == ()
    assert check("USER_SEGMENT", b"", mime_type=CSV).problems == ()


def test_deletions_need_no_expiration() -> None:
    header = "operation,user_account_id,segment_id"

    outcome = check_csv("DELETE,a,1", "UPDATE,a,1", "DELETE,b,1", header=header)

    assert outcome.deletions == 2
    assert [problem.reason for problem in outcome.problems] == ["is missing"]


def test_of_other_document_types_only_the_csv_is_checked() -> None:
    outcome = check_csv("1,a", '"x\ny",', "1,2,3", "", '5",6', document_type="USER_MOODS", header="Mood,Since")

    assert [(problem.line, problem.reason) for problem in outcome.problems] == [
        (5, "has 3 cells, the header has 2"),
        (7, "column 1 has a quote inside, but is not quoted"),
    ]
    assert (outcome.lines, outcome.blank) == (4, 1)


def test_a_line_that_is_too_long_is_bad_and_not_kept() -> None:
    text = f"{HEADER}\n{GOOD_ROW}\n{'x' * 500}\n{GOOD_ROW}\n".encode()

    for step in (7, 100, 1000):
        outcome = check("USER_SEGMENT", text, mime_type=CSV, cuts=range(0, len(text), step), max_line_bytes=200)

        assert [(row.line, row.length) for row in outcome.bad] == [(3, 501)]
        assert (outcome.lines, outcome.next_line) == (3, 5)
