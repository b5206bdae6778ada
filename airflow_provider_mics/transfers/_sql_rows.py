"""Rows of a query, through any DB-API connection, in little memory."""

from __future__ import annotations

import contextlib
import importlib
import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Self

from airflow_provider_mics.bulk.mapping.chunk import CHUNK_ROWS, Chunk
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsError, MicsSourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: SQLSTATEs of errors whose text is about the statement or the server, and cannot quote a row: 08 connection,
#: 25 transaction state, 28 and 42 rights, names and syntax, 53 resources, 55 locks, 57 intervention (SQL:2023 part 2,
#: 24.1, and PostgreSQL's appendix A).
_SAFE_CLASSES: Final = frozenset({"08", "25", "28", "42", "53", "55", "57"})
#: SQLSTATE of errors that another try would meet again: syntax, names, rights.
_HOPELESS_CLASS: Final = "42"
#: SQLite's texts about the statement; it has one code for nearly everything.
_SAFE_TEXT: Final = re.compile(r"(no such (table|column|function|module): [\w.]+|near \"[^\"]{0,40}\": syntax error)")


class SqlRows:
    """The rows that a query returns, read while they are used.

    :param connection: A DB-API connection. It is not closed.
    :param sql: One statement that returns rows.
    :param parameters: For its placeholders, as the driver takes them.
    :param name: What it is called in messages.
    :param chunk_rows: Rows fetched at a time.
    """

    def __init__(self, connection: Any, sql: str, parameters: Any, *, name: str, chunk_rows: int) -> None:
        self.name = name
        self._connection = connection
        self._sql = sql
        self._parameters = parameters
        self._chunk_rows = chunk_rows
        self._cursor: Any = None
        self._first: Sequence[Any] = ()
        self.columns: Sequence[str] = ()

    def __enter__(self) -> Self:
        """Run the query.

        :raises MicsSourceError: The database refused it, or could not be asked.
        :raises MicsConfigurationError: It cannot be right, or returns no rows.
        """
        failed: MicsError | None = None
        description: Sequence[Any] | None = None
        try:
            self._cursor = _open_cursor(self._connection)
            with contextlib.suppress(AttributeError, TypeError):
                self._cursor.arraysize = self._chunk_rows
            # Without parameters a driver must not look for placeholders: a LIKE '%a' has none.
            arguments = (self._parameters,) if self._parameters else ()
            self._cursor.execute(self._sql, *arguments)
            # A server-side cursor knows its columns when it has fetched.
            self._first = self._cursor.fetchmany(self._chunk_rows) if self._returns_rows() else ()
            description = self._cursor.description
        except Exception as error:  # noqa: BLE001 - every driver raises its own kind
            failed = _database_error(self.name, error)
        if failed:
            self._close()
            # Outside of the handler, so that not even a debugger's view of the chain has the driver's text.
            raise failed
        if not description:
            self._close()
            raise MicsConfigurationError(f"{self.name} returns no rows.", hint="Give one statement, a SELECT.")
        self.columns = [str(column[0]) for column in description]
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def chunks(self, wanted: Sequence[int]) -> Iterator[Chunk]:
        """Fetch the rows."""
        rows, self._first = self._first, ()
        first_row = 1
        while rows:
            if isinstance(rows[0], Mapping):
                # A connection can be set up to give dicts.
                rows = [tuple(row.values()) for row in rows]
            for start in range(0, len(rows), CHUNK_ROWS):
                yield Chunk.of(rows[start : start + CHUNK_ROWS], wanted, first_row + start)
            first_row += len(rows)
            # Not kept while the next ones come.
            del rows
            rows = self._fetch(first_row)

    def _fetch(self, first_row: int) -> Sequence[Any]:
        try:
            rows: Sequence[Any] = self._cursor.fetchmany(self._chunk_rows)
        except Exception as error:  # noqa: BLE001 - every driver raises its own kind
            failed = _database_error(f"{self.name}, from row {first_row} on", error)
        else:
            return rows
        raise failed

    def _returns_rows(self) -> bool:
        # psycopg2's server-side cursor has no description before it has fetched, but is one of a query by nature.
        return self._cursor.description is not None or getattr(self._cursor, "name", None) is not None

    def _close(self) -> None:
        if self._cursor is not None:
            # It is closed for good with its connection; what it says here would hide what went wrong.
            with contextlib.suppress(Exception):
                self._cursor.close()
            self._cursor = None


def _open_cursor(connection: Any) -> Any:
    """Open a cursor that leaves the rows on the server until they are fetched, where the driver has one."""
    driver = type(connection).__module__.partition(".")[0]
    if driver in {"psycopg", "psycopg2"}:
        if connection.autocommit:
            # Server-side cursors live in a transaction.
            connection.autocommit = False
        name = f"mics_{uuid.uuid4().hex}"
        if driver == "psycopg":
            return connection.cursor(name, row_factory=importlib.import_module("psycopg.rows").tuple_row)
        return connection.cursor(name, cursor_factory=importlib.import_module("psycopg2.extensions").cursor)
    if driver in {"MySQLdb", "pymysql"}:
        # Their default cursor fetches every row at once.
        return connection.cursor(importlib.import_module(f"{driver}.cursors").SSCursor)
    return connection.cursor()


def _database_error(name: str, error: Exception) -> MicsError:
    """Return an error that says what is safe to say: a database quotes values of rows in some of its texts."""
    if isinstance(error, MicsError):
        return error
    state = str(getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or "")
    facts = [type(error).__name__]
    if state:
        facts.append(f"SQLSTATE {state}")
    elif error.args and isinstance(error.args[0], int):
        facts.append(f"code {error.args[0]}")
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    text = primary if state[:2] in _SAFE_CLASSES else None
    is_statement = state[:2] == _HOPELESS_CLASS
    if match := _SAFE_TEXT.fullmatch(str(error)):
        text = match.group()
        is_statement = True
    message = f"{name}: the database answered {', '.join(facts)}{f': {text}' if text else ''}."
    if is_statement:
        return MicsConfigurationError(message, hint="Mend the query, or the rights of its user.")
    return MicsSourceError(
        message, hint="The database's log may say more; its text is not shown, as it can quote rows."
    )
