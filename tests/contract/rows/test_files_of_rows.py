"""Rows of Parquet and CSV files."""

from __future__ import annotations

import csv
import datetime as dt
import json
import logging
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_mics.bulk.mapping import Column, Json, Milliseconds
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsError, MicsInputError, MicsSourceError
from airflow_provider_mics.transfers.rows_to_mics import RowsToMicsOperator
from tests.contract.rows.conftest import LOAD, PROFILE, profile, received

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.faces.conftest import Night

log = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024
SECRET = "jean.dupont@example.com"
PEOPLE: list[tuple[str, str | None]] = [
    (f"crm-{number}", None if number % 3 == 0 else f'Ville "{number}",\né') for number in range(5000)
]
WANTED = [profile(crm_id, city) for crm_id, city in PEOPLE]


def load(night: Night, path: Any, **arguments: Any) -> dict[str, Any] | None:
    given: dict[str, Any] = LOAD | {"command": PROFILE} | arguments
    return RowsToMicsOperator(path=path, **given).execute(night.context)


def write_parquet(path: Path, people: list[tuple[str, str | None]], **how: Any) -> str:
    crm_ids, cities = zip(*people, strict=True)
    table = pa.table({"unused": list(range(len(people))), "city": cities, "crm_id": crm_ids})
    pq.write_table(table, path, **how)
    return str(path)


def write_csv(path: Path, people: list[tuple[str, str | None]], encoding: str = "utf-8", **how: Any) -> str:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, **how)
        writer.writerow(["city", "crm_id"])
        writer.writerows((city, crm_id) for crm_id, city in people)
    return str(path)


@pytest.mark.parametrize("how", [{}, {"row_group_size": 700}, {"compression": "zstd", "use_dictionary": False}])
def test_parquet_is_loaded(sandbox: Sandbox, night: Night, how: dict[str, Any]) -> None:
    path = write_parquet(night.folder / "people.parquet", PEOPLE, **how)

    summary = load(night, path, max_part_bytes=200_000)

    assert summary
    assert (summary["lines"], summary["accepted"]) == (5000, 5000)
    assert summary["parts"] > 3
    assert received(sandbox, summary["execution_ids"]) == WANTED
    assert {part["file"] for part in night.ti.xcoms["mics_parts"]} == {path}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({}, {}),
        ({"encoding": "utf-8-sig"}, {}),
        ({"encoding": "cp1252", "delimiter": ";"}, {"csv_encoding": "cp1252", "csv_delimiter": ";"}),
        ({"encoding": "utf-16", "delimiter": "\t"}, {"csv_encoding": "utf-16", "csv_delimiter": "\t"}),
        ({"quoting": csv.QUOTE_ALL, "lineterminator": "\n"}, {}),
    ],
)
def test_csv_is_loaded(sandbox: Sandbox, night: Night, written: dict[str, Any], read: dict[str, Any]) -> None:
    path = write_csv(night.folder / "people.csv", PEOPLE, **written)

    summary = load(night, path, **read)

    assert summary
    assert received(sandbox, summary["execution_ids"]) == WANTED


def test_files_of_both_kinds_in_order(sandbox: Sandbox, night: Night) -> None:
    write_csv(night.folder / "1.csv", PEOPLE[:10])
    write_parquet(night.folder / "2.parquet", PEOPLE[10:20])
    write_csv(night.folder / "3.export", PEOPLE[20:30])

    summary = load(night, [f"{night.folder}/[12].*"])
    assert summary
    assert received(sandbox, summary["execution_ids"]) == WANTED[:20]
    assert {part["file"] for part in night.ti.xcoms["mics_parts"]} == {"The files"}

    summary = load(night, f"file://{night.folder}/3.export", source_format="csv")
    assert summary
    assert received(sandbox, summary["execution_ids"]) == WANTED[20:30]


def test_the_types_of_parquet(sandbox: Sandbox, night: Night) -> None:
    moment = dt.datetime(2026, 11, 23, 1, 0, 0, 123456, tzinfo=dt.UTC)
    nanoseconds = int(moment.timestamp()) * 10**9 + 123_456_789
    table = pa.table(
        {
            "id": pa.array([7], pa.int64()),
            "amount": pa.array([Decimal("12.50")], pa.decimal128(9, 2)),
            "score": pa.array([1.5], pa.float32()),
            "nan": pa.array([float("nan")]),
            "seen": pa.array([moment], pa.timestamp("us", "Europe/Paris")),
            "exact": pa.array([nanoseconds], pa.timestamp("ns", "UTC")),
            "local": pa.array([moment.replace(tzinfo=None)], pa.timestamp("ms")),
            "day": pa.array([moment.date()], pa.date32()),
            "tags": pa.array([["x", None]], pa.list_(pa.string())),
            "struct": pa.array([{"a": 1, "b": [True]}]),
            "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
            "city": pa.array(["Lyon"]).dictionary_encode(),
            "large": pa.array(["é"], pa.large_string()),
        }
    )
    path = night.folder / "types.parquet"
    pq.write_table(table, path)
    columns = {
        "amount": Column("amount", type="number"),
        "score": Column("score", type="number"),
        "nan": Column("nan", type="number", nan="null", null="null"),
        "seen": Milliseconds("seen"),
        "exact": Milliseconds("exact"),
        "local": Milliseconds("local", timezone="UTC"),
        "day": Column("day", type="string"),
        "tags": Json("tags"),
        "struct": Json("struct"),
        "map": Json("map"),
        "city": Column("city", type="string"),
        "large": Column("large", type="string"),
    }
    command = {"operation": "UPSERT", "user_account_id": Column("id", type="string"), "user_profile": columns}

    summary = load(night, str(path), command=command)

    assert summary
    (line,) = received(sandbox, summary["execution_ids"])
    milliseconds = nanoseconds // 10**6
    assert line["user_profile"] == {
        "amount": 12.5,
        "score": 1.5,
        "nan": None,
        "seen": milliseconds,
        "exact": milliseconds,
        "local": milliseconds,
        "day": "2026-11-23",
        "tags": ["x", None],
        "struct": {"a": 1, "b": [True]},
        "map": {"k": 1},
        "city": "Lyon",
        "large": "é",
    }


def test_text_of_csv_is_converted(sandbox: Sandbox, night: Night) -> None:
    path = night.file(
        "t.csv", b"id,n,x,b,at,j,e", b'7,12,1.50,true,2026-11-23T02:00:00+01:00,"{""a"": 1}",', b"", b"8,,,,,,"
    )
    columns = {
        "n": Column("n", type="integer"),
        "x": Column("x", type="number"),
        "b": Column("b", type="boolean", null="null"),
        "at": Milliseconds("at"),
        "j": Json("j"),
        "e": Column("e", type="string"),
    }
    command = {"operation": "UPSERT", "user_account_id": Column("ID", type="string"), "user_profile": columns}

    summary = load(night, path, command=command)

    assert summary
    first, second = received(sandbox, summary["execution_ids"])
    assert first["user_profile"] == {"n": 12, "x": 1.5, "b": True, "at": 1_795_395_600_000, "j": {"a": 1}}
    assert (second["user_account_id"], second["user_profile"]) == ("8", {"b": None})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"crm_id,city\n1,a\n2,b,c\n", r"row 2 \(line 3\) has 3 cells, the header 2"),
        (b'crm_id,city\n1,"a\nb"\n2\n', r"row 2 \(line 4\) has 1 cells, the header 2"),
        (b'crm_id,city\n1,"a"b\n', r"row 1 or one behind it is not CSV: ',' expected after '\"'"),
        (b'crm_id,city\n1,"a\n', "row 1 or one behind it is not CSV: unexpected end of data"),
        (b"crm_id,city\n1,\xff\n", "is not utf-8"),
        (b"crm_id,town\n1,a\n", r"has no column city\. Its columns are: crm_id, town"),
        (b"crm_id,city,city\n1,a,b\n", "has 2 columns city"),
        (b"\n\ncrm_id;city\n1;a\n", r"has no column crm_id\. Its columns are: crm_id;city"),
        (b"7,%s\n" % SECRET.encode(), r"has no column crm_id\. Its columns are: <no name>, <no name>\."),
        (b"crm_id,city\n,a\n", r"row 1: column crm_id is null"),
    ],
)
def test_csv_that_is_none(sandbox: Sandbox, night: Night, content: bytes, message: str) -> None:
    path = night.folder / "bad.csv"
    path.write_bytes(content)
    with pytest.raises((MicsInputError, MicsConfigurationError), match=message) as raised:
        load(night, str(path))
    assert "bad.csv" in str(raised.value)
    assert not sandbox.executions


@pytest.mark.parametrize("content", [b"", b"\n\n", b"crm_id,city\n", b"crm_id,city"])
def test_csv_without_rows_is_nothing_to_load(sandbox: Sandbox, night: Night, content: bytes) -> None:
    path = night.folder / "empty.csv"
    path.write_bytes(content)
    with pytest.raises(AirflowSkipException):
        load(night, str(path))
    with pytest.raises(AirflowSkipException):
        load(night, f"{night.folder}/*.parquet")


def test_parquet_without_rows_is_nothing_to_load(sandbox: Sandbox, night: Night) -> None:
    path = night.folder / "empty.parquet"
    pq.write_table(pa.table({"crm_id": pa.array([], pa.string()), "city": pa.array([], pa.string())}), path)
    with pytest.raises(AirflowSkipException):
        load(night, str(path))


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("gone.csv", {}, MicsSourceError, "does not exist"),
        ("people.json", {}, MicsConfigurationError, r"people\.json: the name does not tell whether"),
        ("people.csv", {"source_format": "parquet"}, MicsInputError, "is no Parquet file"),
        ("people.csv", {"source_format": "json"}, MicsConfigurationError, "source_format must be parquet or csv"),
        ("people.csv", {"csv_delimiter": ";;"}, MicsConfigurationError, "csv_delimiter ';;' is not one"),
        ("people.csv", {"csv_encoding": "utf-99"}, MicsConfigurationError, "csv_encoding 'utf-99'"),
        (["people.csv", "people.*"], {}, MicsConfigurationError, r"people\.csv is named twice"),
    ],
)
def test_files_that_cannot_be_read(
    sandbox: Sandbox, night: Night, name: Any, arguments: dict[str, Any], error: type[MicsError], message: str
) -> None:
    write_csv(night.folder / "people.csv", PEOPLE[:10])
    if name == "people.json":
        night.file(name, b"{}")
    names = [name] if isinstance(name, str) else name
    with pytest.raises(error, match=message):
        load(night, [f"{night.folder}/{item}" for item in names], **arguments)
    assert not sandbox.executions


def test_a_damaged_parquet_file(sandbox: Sandbox, night: Night) -> None:
    path = Path(write_parquet(night.folder / "people.parquet", PEOPLE, compression="none", use_dictionary=False))
    content = bytearray(path.read_bytes())
    content[100:60_000] = b"\xff" * 59_900
    path.write_bytes(content)
    with pytest.raises(MicsInputError, match=r"cannot be read|must be text|is no Parquet"):
        load(night, str(path))
    assert not sandbox.executions


def test_a_file_that_changes_is_not_loaded_to_its_end(
    sandbox: Sandbox, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(write_csv(night.folder / "people.csv", PEOPLE))
    original = RowsToMicsOperator.mapped_lines_of

    def and_change(self: Any, *arguments: Any) -> Any:
        yield from original(self, *arguments)
        path.write_bytes(path.read_bytes() + b"x,crm-x\n")

    monkeypatch.setattr(RowsToMicsOperator, "mapped_lines_of", and_change)
    with pytest.raises(MicsSourceError, match=r"people\.csv changed while it was being loaded"):
        load(night, str(path))
    assert not sandbox.executions


def test_what_a_row_holds_is_not_shown(sandbox: Sandbox, night: Night) -> None:
    path = write_csv(night.folder / "people.csv", [("crm-1", "a"), ("crm-2", SECRET)])
    command = {**PROFILE, "user_profile": {"n": Column("city", type="integer")}}
    with pytest.raises(
        MicsInputError, match=r"people\.csv: row 1: column city must be an integer, but is another text"
    ) as raised:
        load(night, path, command=command)
    assert SECRET not in str(raised.value)


#: Makes lines of a small file, so that all that is needed is imported, then of the large one.
READER = """
import json, sys
from airflow_provider_mics.bulk.files import LocalFile
from airflow_provider_mics.bulk.mapping import Column, CommandMapping
from airflow_provider_mics.bulk.row_sources import open_rows
from airflow_provider_mics.bulk.rows import encode_rows
from pathlib import Path

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

def read(path):
    lines = size = 0
    with open_rows(LocalFile(Path(path)), row_format=None, delimiter=",", encoding="utf-8") as rows:
        command = {"id": Column("crm_id", type="string"), "c": Column("city", type="string")}
        mapping = CommandMapping(command).bind(rows.columns, path)
        commands = (command for chunk in rows.chunks(mapping.wanted) for command in mapping.commands(chunk))
        for block in encode_rows(commands, source=path, max_line_bytes=10**8, are_checked=True):
            lines += block.lines
            size += len(block.content)
    return lines, size

read(sys.argv[1])
before = peak()
lines, size = read(sys.argv[2])
print(json.dumps({"lines": lines, "bytes": size, "growth": peak() - before}))
"""


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_large_file_in_little_memory(tmp_path: Path, ending: str) -> None:
    write: Any = write_csv if ending == "csv" else write_parquet
    # One row group, as many tools write it; text that does not repeat.
    many: list[tuple[str, str | None]] = [(f"crm-{number}", f"{number:x}" * 20) for number in range(300_000)]
    small = write(tmp_path / f"small.{ending}", many[:5000])
    large = write(tmp_path / f"large.{ending}", many)

    done = subprocess.run([sys.executable, "-c", READER, small, large], capture_output=True, text=True, check=True)  # noqa: S603
    found = json.loads(done.stdout)

    log.info("%s: %s", ending, found)
    assert found["lines"] == 300_000
    assert found["growth"] < 64 * MEGABYTE
