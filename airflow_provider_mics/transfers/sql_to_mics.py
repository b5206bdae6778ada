"""Operator that loads the rows of a query."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.operators._rows import MicsRowsLoad

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context
    from airflow.providers.common.sql.hooks.sql import DbApiHook

    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.bulk.block import Block


class SqlToMicsOperator(MicsRowsLoad):
    """Does a whole load of the rows that a query returns: document import, upload, wait, verdict.

    Any connection will do whose hook is one of ``apache-airflow-providers-common-sql`` (the extra ``sql``). Rows stay
    on the server until they are needed, by a server-side cursor, with PostgreSQL (psycopg, psycopg2) and MySQL
    (mysqlclient, PyMySQL); other drivers do by themselves what they do, and some fetch all rows at once.

    A retry runs the query again, and does not send the parts again that are as they were (Airflow 3.3 and later). So
    give it an ``ORDER BY`` on a unique key and bounds that do not move, such as the Dag run's data interval: rows that
    are others, or in another order, make a new load or, of USER_ACTIVITY, an end. Parts are uploaded side by side and
    processed in any order: have one row for each person, not two that follow each other.

    Other arguments are those of :class:`~airflow_provider_mics.operators.import_files.MicsImportFilesOperator`.

    Returns the load summary, a dict.

    :param sql: One ``SELECT``, or the name of a file that holds it and ends in ``.sql``.
    :param conn_id: The database's connection.
    :param command: A column mapping, a dict in the form of the command whose leaves are constants or columns; see
        :mod:`airflow_provider_mics.bulk.mapping`.
    :param parameters: Values for the query's placeholders, as its driver takes them.
    :param hook_params: More arguments for the database's hook, such as ``{"options": "-c search_path=crm"}``.
    :param chunk_rows: Rows fetched at a time.
    """

    template_fields: Sequence[str] = (
        *MicsRowsLoad.template_fields,
        "sql",
        "conn_id",
        "parameters",
        "command",
        "hook_params",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql", "command": "py"}

    def __init__(
        self,
        *,
        sql: str,
        conn_id: str,
        command: Mapping[str, Any],
        parameters: Mapping[str, Any] | Iterable[Any] | None = None,
        hook_params: Mapping[str, Any] | None = None,
        chunk_rows: int = 2000,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = sql
        self.conn_id = conn_id
        self.command = command
        self.parameters = parameters
        self.hook_params = hook_params
        self.chunk_rows = chunk_rows

    @property
    def rows_name(self) -> str:
        """What the rows are called in messages."""
        return f"The query on {self.conn_id}"

    def execute(self, context: Context) -> dict[str, Any] | None:
        """Load the rows."""
        from airflow_provider_mics.bulk.mapping import CommandMapping

        # What means nothing is found out before anything is created.
        CommandMapping(self.command)
        if self.chunk_rows < 1:
            raise MicsConfigurationError(f"chunk_rows must be at least 1, not {self.chunk_rows}.")
        return super().execute(context)

    def blocks(self, document_import: DocumentImport) -> Generator[Block]:
        """Run the query and make its rows lines."""
        from airflow_provider_mics.transfers._sql_rows import SqlRows

        hook = self._database_hook()
        with (
            contextlib.closing(hook.get_conn()) as connection,
            SqlRows(
                connection,
                hook.strip_sql_string(self.sql),
                self.parameters,
                name=self.rows_name,
                chunk_rows=self.chunk_rows,
            ) as rows,
        ):
            yield from self.mapped_lines_of(rows, self.command, document_import)

    def _database_hook(self) -> DbApiHook:
        from airflow.providers.common.compat.sdk import BaseHook

        try:
            from airflow.providers.common.sql.hooks.sql import DbApiHook
        except ImportError:
            raise MicsConfigurationError(
                "Queries need apache-airflow-providers-common-sql, which is not installed.",
                hint="Install airflow-provider-mics[sql] and the database's provider on the workers.",
            ) from None
        connection = BaseHook.get_connection(self.conn_id)
        hook = connection.get_hook(hook_params=dict(self.hook_params or {}))
        if not isinstance(hook, DbApiHook):
            raise MicsConfigurationError(
                f"Connection {self.conn_id} is of the type {connection.conn_type}, which is no SQL database."
            )
        return hook
