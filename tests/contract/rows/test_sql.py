"""Rows of queries, from SQLite and from a real PostgreSQL server."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_provider_mics.bulk.mapping import Column, EmailHash, IfPresent, Json, Milliseconds
from airflow_provider_mics.bulk.mapping.chunk import CHUNK_ROWS
from airflow_provider_mics.exceptions import (
    MicsConfigurationError,
    MicsError,
    MicsInputError,
    MicsSourceError,
    MicsUploadError,
)
from airflow_provider_mics.transfers._sql_rows import SqlRows
from airflow_provider_mics.transfers.sql_to_mics import SqlToMicsOperator
from devel.postgres import Postgres, as_environment
from tests.contract.rows.conftest import LOAD, PROFILE, profile, received

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.faces.conftest import Night

SECRET = "jean.dupont@example.com"
PEOPLE = [(f"crm-{number}", None if number % 3 == 0 else f"Ville {number}") for number in range(5000)]
WANTED = [profile(crm_id, city) for crm_id, city in PEOPLE]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file of SQLite, as the connection ``crm``."""
    path = tmp_path / "crm.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE people (crm_id TEXT, city TEXT)")
        connection.executemany("INSERT INTO people VALUES (?, ?)", PEOPLE)
        connection.commit()
    monkeypatch.setenv("AIRFLOW_CONN_CRM", as_environment({"conn_type": "sqlite", "host": str(path)}))
    return str(path)


@pytest.fixture
def server(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    """A PostgreSQL server, as the connection ``crm``."""
    postgres.run(
        "DROP TABLE IF EXISTS people",
        "CREATE TABLE people (crm_id text, city text)",
        "INSERT INTO people SELECT 'crm-' || n, CASE WHEN n % 3 <> 0 THEN 'Ville ' || n END "
        "FROM generate_series(0, 4999) n",
    )
    monkeypatch.setenv("AIRFLOW_CONN_CRM", as_environment(postgres.connection))
    return postgres


def load(night: Night, sql: str, **arguments: Any) -> dict[str, Any] | None:
    given: dict[str, Any] = LOAD | {"command": PROFILE} | arguments
    return SqlToMicsOperator(sql=sql, conn_id="crm", **given).execute(night.context)


@pytest.mark.usefixtures("database")
def test_a_query_on_sqlite_is_loaded(sandbox: Sandbox, night: Night) -> None:
    summary = load(night, "SELECT crm_id, city FROM people ORDER BY rowid;", max_part_bytes=100_000, chunk_rows=999)

    assert summary
    assert (summary["lines"], summary["accepted"], summary["rejected"]) == (5000, 5000, 0)
    assert summary["parts"] == len(summary["execution_ids"]) > 5
    assert received(sandbox, summary["execution_ids"]) == WANTED
    sent = sum(item.body_bytes for item in sandbox.requests if item.kind == "create_execution")
    assert summary["bytes"] == sent
    assert all(part["bytes"] <= 100_000 for part in night.ti.xcoms["mics_parts"])
    assert {part["file"] for part in night.ti.xcoms["mics_parts"]} == {"The query on crm"}


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("chunk_rows", [1, 700, 5000, 100_000])
def test_a_query_on_postgresql_is_loaded(sandbox: Sandbox, night: Night, chunk_rows: int) -> None:
    limit = 300 if chunk_rows == 1 else 5000
    sql = "SELECT city, crm_id FROM people ORDER BY substr(crm_id, 5)::int LIMIT %s"

    summary = load(night, sql, parameters=[limit], chunk_rows=chunk_rows)

    assert summary
    assert received(sandbox, summary["execution_ids"]) == WANTED[:limit]


@pytest.mark.usefixtures("server")
def test_the_types_of_postgresql(sandbox: Sandbox, night: Night) -> None:
    sql = """
        SELECT 7::bigint AS id, 'Jean.Dupont@Example.com ' AS mail, 12.50::numeric(9,2) AS amount, 1.5::float8 AS score,
               true AS optin, '2026-11-23 02:00:00+01'::timestamptz AS seen, '2026-11-23 02:00:00'::timestamp AS local,
               '2026-11-23'::date AS day, '{"a": [1, null]}'::jsonb AS payload, '[1.10]'::json AS list,
               '12345678-1234-5678-1234-567812345678'::uuid AS guid, ARRAY['x','y'] AS tags, NULL::int AS nothing,
               'NaN'::float8 AS nan, E'tab\\t"quote" \\u00e9' AS text
    """
    profile_of = {
        "mail": EmailHash("mail", algorithm="sha256", normalization="trim_lower"),
        "amount": Column("amount", type="number"),
        "score": Column("score", type="number"),
        "optin": Column("optin", type="boolean"),
        "seen": Milliseconds("seen"),
        "local": Milliseconds("local", timezone="Europe/Paris"),
        "local_text": Column("local", type="string", timezone="Europe/Paris"),
        "day": Column("day", type="string"),
        "payload": Json("payload"),
        "list": Json("list"),
        "guid": Column("guid", type="string"),
        "tags": Json("tags"),
        "nothing": Column("nothing", type="integer", null="null"),
        "nan": Column("nan", type="number", nan="null"),
        "text": Column("text", type="string"),
    }
    command = {"operation": "UPSERT", "user_account_id": Column("id", type="string"), "user_profile": profile_of}

    summary = load(night, sql, command=command)

    assert summary
    (line,) = received(sandbox, summary["execution_ids"])
    moment = int(dt.datetime(2026, 11, 23, 1, tzinfo=dt.UTC).timestamp() * 1000)
    assert line["user_account_id"] == "7"
    assert line["user_profile"] == {
        "mail": hashlib.sha256(b"jean.dupont@example.com").hexdigest(),
        "amount": 12.5,
        "score": 1.5,
        "optin": True,
        "seen": moment,
        "local": moment,
        "local_text": "2026-11-23T02:00:00+01:00",
        "day": "2026-11-23",
        "payload": {"a": [1, None]},
        "list": [1.1],
        "guid": "12345678-1234-5678-1234-567812345678",
        "tags": ["x", "y"],
        "nothing": None,
        "text": 'tab\t"quote" é',
    }


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("SELECT crm_id, city FROM people WHERE crm_id = %(id)s OR crm_id = %(id)s", {"id": "crm-7"}),
        ("SELECT crm_id, city FROM people WHERE crm_id = %s", ("crm-7",)),
        # Without parameters a percent sign is one.
        ("SELECT crm_id, city FROM people WHERE city LIKE 'Ville 7%' AND crm_id = 'crm-7'", None),
        ("-- the query\nWITH q AS (SELECT * FROM people) SELECT crm_id, city FROM q WHERE crm_id = 'crm-7';\n", None),
    ],
)
def test_parameters_are_the_driver_s(sandbox: Sandbox, night: Night, sql: str, parameters: Any) -> None:
    summary = load(night, sql, parameters=parameters)
    assert summary
    assert received(sandbox, summary["execution_ids"]) == [profile("crm-7", "Ville 7")]


@pytest.mark.parametrize("cursor", ["dictcursor", "namedtuplecursor"])
def test_a_connection_may_be_set_up_for_other_rows(
    sandbox: Sandbox, night: Night, server: Postgres, monkeypatch: pytest.MonkeyPatch, cursor: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CRM", as_environment(server.connection | {"extra": {"cursor": cursor}}))
    summary = load(night, "SELECT crm_id, city FROM people WHERE crm_id = 'crm-7'")
    assert summary
    assert received(sandbox, summary["execution_ids"]) == [profile("crm-7", "Ville 7")]


def test_psycopg2_leaves_the_rows_on_the_server_too(server: Postgres) -> None:
    import psycopg2  # type: ignore[import-untyped]

    with closing(psycopg2.connect(**server.dsn())) as connection:
        # As a hook may leave it.
        connection.autocommit = True
        sql = "SELECT crm_id, city FROM people ORDER BY substr(crm_id, 5)::int"
        with SqlRows(connection, sql, None, name="q", chunk_rows=600) as rows:
            assert rows.columns == ["crm_id", "city"]
            open_cursors = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
            assert server.run(open_cursors) == [(1,)]
            chunks = list(rows.chunks([1, 0]))
        sizes = [chunk.size for chunk in chunks]
        # No more than a chunk of those that were fetched.
        assert sizes == [CHUNK_ROWS, 600 - CHUNK_ROWS] * 8 + [200]
        assert [chunk.first_row for chunk in chunks] == [1 + row for row in itertools.accumulate([0, *sizes[:-1]])]
        assert [crm_id for chunk in chunks for crm_id in chunk.columns[1]] == [crm_id for crm_id, _ in PEOPLE]
        with (
            pytest.raises(MicsConfigurationError, match="SQLSTATE 42P01") as raised,
            SqlRows(connection, "SELECT %s FROM nope", [SECRET], name="q", chunk_rows=600),
        ):
            pass
        assert SECRET not in str(raised.value)


@pytest.mark.parametrize("place", ["database", "server"])
def test_no_rows_are_nothing_to_load(
    sandbox: Sandbox, night: Night, place: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(place)
    with pytest.raises(AirflowSkipException):
        load(night, "SELECT crm_id, city FROM people WHERE 1 = 0")
    summary = load(night, "SELECT crm_id, city FROM people WHERE 1 = 0", on_empty="succeed")
    assert summary
    assert summary["lines"] == 0
    assert not sandbox.executions


@pytest.mark.parametrize("place", ["database", "server"])
def test_a_column_that_the_query_does_not_return_is_named_before_anything_is_sent(
    sandbox: Sandbox, night: Night, place: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(place)
    with pytest.raises(
        MicsConfigurationError, match=r"The query on crm has no column city\. Its columns are: crm_id, town"
    ):
        load(night, "SELECT crm_id, city AS town FROM people")
    assert not sandbox.executions


@pytest.mark.parametrize(
    ("place", "sql", "error", "message"),
    [
        ("database", "SELECT nope FROM people", MicsConfigurationError, "OperationalError: no such column: nope"),
        ("database", "SELEC", MicsConfigurationError, 'near "SELEC": syntax error'),
        ("database", "CREATE TABLE x (y)", MicsConfigurationError, "returns no rows"),
        ("server", "SELECT nope FROM people", MicsConfigurationError, 'SQLSTATE 42703: column "nope" does not exist'),
        ("server", "SELEC", MicsConfigurationError, "SQLSTATE 42601: syntax error"),
        ("server", "SELECT 1/0 AS crm_id, '' AS city", MicsSourceError, "DivisionByZero, SQLSTATE 22012"),
        ("server", f"SELECT '{SECRET}'::int AS crm_id, '' AS city", MicsSourceError, "SQLSTATE 22P02"),
    ],
)
def test_what_the_database_refuses(
    sandbox: Sandbox,
    night: Night,
    request: pytest.FixtureRequest,
    place: str,
    sql: str,
    error: type[MicsError],
    message: str,
) -> None:
    request.getfixturevalue(place)
    with pytest.raises(error, match=message) as raised:
        load(night, sql)
    assert SECRET not in repr(raised.value)
    assert raised.value.__context__ is None
    assert not sandbox.executions


@pytest.mark.usefixtures("server")
def test_an_error_in_the_middle_shows_no_row_and_says_what_is_in(sandbox: Sandbox, night: Night) -> None:
    sql = """SELECT crm_id, CASE WHEN crm_id = 'crm-4000' THEN (%s || crm_id)::int::text ELSE city END AS city
              FROM (SELECT * FROM people ORDER BY substr(crm_id, 5)::int OFFSET 0) AS ordered"""
    with pytest.raises(MicsUploadError, match=r"from row \d+ on: the database answered .*SQLSTATE 22P02") as raised:
        load(night, sql, parameters=[SECRET], max_part_bytes=50_000, chunk_rows=100)
    assert SECRET not in str(raised.value)
    assert raised.value.retryable
    assert set(raised.value.execution_ids) == {item.id for item in sandbox.executions}
    found = received(sandbox, raised.value.execution_ids)
    assert found == WANTED[: len(found)]
    assert 3000 < len(found) < 4000


@pytest.mark.parametrize("place", ["database", "server"])
@pytest.mark.parametrize(
    "sql", ["SELECT crm_id, city FROM people", "SELECT nope FROM people", "SELECT crm_id FROM people"]
)
def test_the_connection_is_closed_in_any_case(
    sandbox: Sandbox,
    night: Night,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    sql: str,
) -> None:
    from airflow.providers.postgres.hooks.postgres import PostgresHook
    from airflow.providers.sqlite.hooks.sqlite import SqliteHook

    request.getfixturevalue(place)
    hook: Any = SqliteHook if place == "database" else PostgresHook
    opened: list[Any] = []
    get_conn = hook.get_conn

    def keep(self: Any) -> Any:
        opened.append(get_conn(self))
        return opened[-1]

    monkeypatch.setattr(hook, "get_conn", keep)
    with suppress(MicsError):
        load(night, sql)

    (connection,) = opened
    if place == "server":
        assert connection.closed
    else:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


@pytest.mark.usefixtures("database")
def test_a_value_that_does_not_fit_ends_the_load_without_being_shown(sandbox: Sandbox, night: Night) -> None:
    sql = "SELECT crm_id, CASE rowid WHEN 3000 THEN ? ELSE rowid END AS city FROM people ORDER BY rowid"
    command = {**PROFILE, "user_profile": {"number": Column("city", type="integer")}}

    with pytest.raises(MicsInputError, match=r"^The query on crm: row 3000: column city must be an integer") as raised:
        load(night, sql, command=command, parameters=[SECRET])
    assert SECRET not in str(raised.value)
    assert not sandbox.executions

    with pytest.raises(
        MicsUploadError, match=r"row 3000: column city must be an integer.* parts? before (is|are) in"
    ) as late:
        load(night, sql, command=command, parameters=[SECRET], max_part_bytes=20_000, chunk_rows=100)
    assert not late.value.retryable
    assert set(late.value.execution_ids) == {item.id for item in sandbox.executions}
    assert len(late.value.execution_ids) > 5


@pytest.mark.usefixtures("database")
def test_lines_are_checked_while_they_are_made(sandbox: Sandbox, night: Night) -> None:
    command = {**PROFILE, "operation": Column("operation", type="string")}
    sql = "SELECT *, CASE rowid WHEN 2 THEN 'UPDATE' ELSE 'UPSERT' END AS operation FROM people ORDER BY rowid"

    message = r"by row \d+, 1 row makes no good USER_PROFILE line; .* Row 2: operation is UPDATE"
    with pytest.raises(MicsInputError, match=message):
        load(night, sql, command=command)
    assert not sandbox.executions

    summary = load(night, sql, command=command, preflight="off", max_rejected=1)
    assert summary
    assert (summary["lines"], summary["rejected"]) == (5000, 1)


@pytest.mark.usefixtures("database")
def test_deletions_are_bounded(sandbox: Sandbox, night: Night) -> None:
    command = {
        "operation": Column("operation", type="string"),
        "user_account_id": Column("crm_id", type="string"),
        "user_profile": IfPresent({"city": Column("city", type="string")}),
    }
    sql = """SELECT crm_id, CASE WHEN rowid <= 3 THEN NULL ELSE 'x' END AS city,
             CASE WHEN rowid <= 3 THEN 'DELETE' ELSE 'UPSERT' END AS operation FROM people ORDER BY rowid"""

    with pytest.raises(MicsInputError, match=r"3 lines delete something, more than max_deletions=2 allows\."):
        load(night, sql, command=command, max_deletions=2)
    assert not sandbox.executions

    summary = load(night, sql, command=command, max_deletions=3)
    assert summary
    assert summary["accepted"] == 5000


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"command": {}}, "command must be a dict"),
        ({"command": {"a": float("nan")}}, "command: a is NaN"),
        ({"chunk_rows": 0}, "chunk_rows must be at least 1"),
        ({"max_part_bytes": 0}, "max_part_bytes must be at least 1"),
        ({"preflight": "dead_letter"}, "needs a dead_letter_path"),
        ({"preflight": "dead_letter", "dead_letter_path": "None"}, "needs a dead_letter_path"),
        ({"preflight": "off", "max_deletions": 3}, "max_deletions needs the lines to be read"),
        ({"mime_type": "TEXT_CSV", "document_type": "USER_SEGMENT"}, "Rows are loaded as APPLICATION_X_NDJSON"),
    ],
)
def test_arguments_that_mean_nothing_are_refused_before_an_import_is_created(
    sandbox: Sandbox, night: Night, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(MicsConfigurationError, match=message):
        load(night, "SELECT crm_id, city FROM people", **arguments)
    assert not sandbox.imports


def test_the_connection_must_be_a_database(sandbox: Sandbox, night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "mics", "password": "x"}))
    with pytest.raises(MicsConfigurationError, match="Connection crm is of the type mics, which is no SQL database"):
        load(night, "SELECT 1")


def test_templates_reach_into_the_mapping() -> None:
    from airflow_provider_mics.bulk.mapping import DataBag

    command = {
        "compartment_id": "{{ compartment }}",
        "bag": DataBag({"on": "{{ ds }}", "n": Column("n", type="integer")}),
    }
    task = SqlToMicsOperator(sql="SELECT {{ ds }}", conn_id="{{ db }}", command=command, **LOAD)
    task.render_template_fields({"compartment": "1201", "ds": "2026-11-23", "db": "crm"})  # type: ignore[typeddict-unknown-key]
    assert (task.sql, task.conn_id) == ("SELECT 2026-11-23", "crm")
    assert task.command == {
        "compartment_id": "1201",
        "bag": DataBag({"on": "2026-11-23", "n": Column("n", type="integer")}),
    }
