"""Operator that loads files of rows: Parquet and CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.operators._rows import MicsRowsLoad

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context, XComArg

    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.bulk.block import Block
    from airflow_provider_mics.bulk.row_sources import RowFormat


class RowsToMicsOperator(MicsRowsLoad):
    """Does a whole load of the rows in Parquet or CSV files: document import, upload, wait, verdict.

    For files whose rows are not commands yet; files of commands are for
    :class:`~airflow_provider_mics.operators.import_files.MicsImportFilesOperator`, whose other arguments this has too.

    A retry reads the files again, and does not send the parts again that are as they were (Airflow 3.3 and later).
    Parts are uploaded side by side and processed in any order.

    Returns the load summary, a dict.

    :param path: File, pattern or object-storage URI, or a list of these. A path without wildcard must exist; what a
        pattern matches is loaded in the order of the names, and may be nothing (see ``on_empty``).
    :param command: A column mapping, a dict in the form of the command whose leaves are constants or columns; see
        :mod:`airflow_provider_mics.bulk.mapping`.
    :param source_format: ``parquet`` (needs the extra ``parquet``) or ``csv``; None: by the name of each file.
    :param csv_delimiter: Between the cells of CSV.
    :param csv_encoding: Of CSV.
    """

    template_fields: Sequence[str] = (*MicsRowsLoad.template_fields, "path", "command")
    # A path that ends in .csv is a file to load, not a template.
    template_ext: Sequence[str] = ()
    template_fields_renderers: ClassVar[dict[str, str]] = {"command": "py"}

    def __init__(
        self,
        *,
        path: str | Sequence[str] | XComArg,
        command: Mapping[str, Any],
        source_format: RowFormat | None = None,
        csv_delimiter: str = ",",
        csv_encoding: str = "utf-8",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path: Any = path
        self.command = command
        self.source_format: RowFormat | None = source_format
        self.csv_delimiter = csv_delimiter
        self.csv_encoding = csv_encoding

    @property
    def rows_name(self) -> str:
        """What the rows are called in messages."""
        return self.path if isinstance(self.path, str) else "The files"

    def execute(self, context: Context) -> dict[str, Any] | None:
        """Load the rows."""
        from airflow_provider_mics.bulk.mapping import CommandMapping

        # What means nothing is found out before anything is created.
        CommandMapping(self.command)
        return super().execute(context)

    def blocks(self, document_import: DocumentImport) -> Generator[Block]:
        """Read the files and make their rows lines."""
        from airflow_provider_mics.bulk.row_sources import open_rows
        from airflow_provider_mics.storage import find_files

        files = find_files(self.path)
        names = [file.name for file in files]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise MicsConfigurationError(
                f"{twice} is named twice; it would be loaded twice.", hint="Look at the overlap of the patterns."
            )
        for file in files:
            with open_rows(
                file, row_format=self.source_format, delimiter=self.csv_delimiter, encoding=self.csv_encoding
            ) as rows:
                yield from self.mapped_lines_of(rows, self.command, document_import)
