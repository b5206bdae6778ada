"""How much of a query is in memory while its rows become lines."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import ClassVar, Self

from airflow_provider_mics.api.models import DocumentImport
from airflow_provider_mics.transfers._sql_rows import SqlRows
from airflow_provider_mics.transfers.sql_to_mics import SqlToMicsOperator
from tests.contract.rows.conftest import LOAD, PROFILE
from tests.unit.api.test_light_import import TOP, loaded_by

FETCHED = 2000
SQL = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000)
SELECT 'crm-' || n AS crm_id, NULL AS city FROM numbers
"""


class Cell(str):
    """A value of a row; tells how many there are."""

    alive: ClassVar[int] = 0
    most: ClassVar[int] = 0
    __slots__ = ()

    def __new__(cls, text: bytes) -> Self:
        Cell.alive += 1
        Cell.most = max(Cell.most, Cell.alive)
        return super().__new__(cls, text, "utf-8")

    def __del__(self) -> None:
        Cell.alive -= 1


def test_rows_are_gone_when_the_next_ones_are_fetched() -> None:
    operator = SqlToMicsOperator(sql=SQL, conn_id="crm", command=PROFILE, preflight="off", **LOAD)
    document_import = DocumentImport(id="1", document_type="USER_PROFILE", mime_type="APPLICATION_X_NDJSON")
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.text_factory = Cell
        with SqlRows(connection, SQL, None, name="The query", chunk_rows=FETCHED) as rows:
            lines = sum(block.lines for block in operator.mapped_lines_of(rows, PROFILE, document_import))
    assert lines == 10_000
    assert Cell.most == FETCHED


def test_making_lines_needs_neither_openssl_nor_files() -> None:
    loaded = loaded_by(f"import {TOP}.bulk.mapping, {TOP}.bulk.rows, {TOP}.transfers._sql_rows")
    assert loaded.isdisjoint({"_hashlib", "_ssl", f"{TOP}.bulk.spool", f"{TOP}.bulk.files"})
