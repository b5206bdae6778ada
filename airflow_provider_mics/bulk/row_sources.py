"""Sources of rows that are files, Parquet and CSV, read chunk by chunk."""

from __future__ import annotations

import contextlib
import csv
import io
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, get_args

from airflow_provider_mics.bulk.mapping.chunk import CHUNK_ROWS, Chunk
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError, MicsSourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from airflow_provider_mics.bulk.files import Reader, SourceFile

RowFormat = Literal["parquet", "csv"]

_FORMATS: Final[dict[str, RowFormat]] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
}
#: Bytes of a Parquet column that are read at a time. Without this bound, a column of a whole row group is.
_PARQUET_BUFFER: Final = 1024 * 1024


class RowSource(Protocol):
    """Rows with named columns, open."""

    @property
    def name(self) -> str:
        """What it is called in messages."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of its columns, in order; none, if there is nothing in it at all."""

    def chunks(self, wanted: Sequence[int]) -> Iterator[Chunk]:
        """Read the rows.

        :param wanted: Positions of the columns that chunks shall have.
        """


def format_of(name: str) -> RowFormat:
    """Return the format that a file's name tells.

    :raises MicsConfigurationError: It tells none.
    """
    ending = PurePosixPath(name).suffix.lower()
    if ending not in _FORMATS:
        raise MicsConfigurationError(
            f"{name}: the name does not tell whether it is Parquet or CSV.",
            hint='Set source_format="parquet" or source_format="csv".',
        )
    return _FORMATS[ending]


@contextlib.contextmanager
def open_rows(file: SourceFile, *, row_format: RowFormat | None, delimiter: str, encoding: str) -> Iterator[RowSource]:
    """Open a file of rows.

    :param row_format: None: by the file's name.
    :param delimiter: Between the cells of CSV.
    :param encoding: Of CSV.
    :raises MicsInputError: It is not of this format.
    """
    if row_format is not None and row_format not in get_args(RowFormat):
        raise MicsConfigurationError(f"source_format must be parquet or csv, not {row_format!r}.")
    raw = _RandomAccess(file)
    with contextlib.closing(raw):
        if (row_format or format_of(file.name)) == "csv":
            yield CsvRows(file.name, raw, delimiter=delimiter, encoding=encoding)
        else:
            yield ParquetRows(file.name, raw)
    file.check_unchanged()


class CsvRows:
    """The records of a CSV file with a header, as RFC 4180 has it. An empty cell is a null, as CSV has no other."""

    def __init__(self, name: str, file: io.RawIOBase, *, delimiter: str, encoding: str) -> None:
        self.name = name
        try:
            # A byte order mark is no part of the first name.
            text = io.TextIOWrapper(
                io.BufferedReader(file, 256 * 1024),
                encoding="utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding,
                newline="",
            )
            self._records = csv.reader(text, delimiter=delimiter, strict=True)
        except (LookupError, TypeError):
            raise MicsConfigurationError(
                f"csv_encoding {encoding!r} or csv_delimiter {delimiter!r} is not one.",
                hint="A delimiter is one character; an encoding one that Python knows, such as utf-8 or cp1252.",
            ) from None
        self.columns: Sequence[str] = self._next(0) or ()

    def chunks(self, wanted: Sequence[int]) -> Iterator[Chunk]:
        """Read the records."""
        if not self.columns:
            return
        width = len(self.columns)
        first_row = 1
        records: list[list[str | None]] = []
        while record := self._next(first_row + len(records)):
            if len(record) != width:
                raise MicsInputError(
                    f"{self.name}: row {first_row + len(records)} (line {self._records.line_num}) has {len(record)} "
                    f"cells, the header {width}.",
                    hint="Look for a delimiter or line end that is not in quotes.",
                )
            records.append([cell or None for cell in record])
            if len(records) == CHUNK_ROWS:
                yield Chunk.of(records, wanted, first_row)
                first_row += len(records)
                records = []
        if records:
            yield Chunk.of(records, wanted, first_row)

    def _next(self, row: int) -> list[str] | None:
        """Return the next record that is no blank line; None at the end."""
        try:
            # A blank line is an empty record.
            return next((record for record in self._records if record), None)
        except UnicodeDecodeError as error:
            problem = f"is not {error.encoding}"
        except csv.Error as error:
            problem = f"is not CSV: {error}"
        # Text is decoded ahead of the records.
        where = f"row {row} or one behind it" if row else "the header, or a row behind it,"
        raise MicsInputError(
            f"{self.name}: {where} {problem}.", hint="Check csv_encoding and csv_delimiter, and the file there."
        )


class ParquetRows:
    """The rows of a Parquet file.

    :raises MicsInputError: It is none.
    :raises MicsConfigurationError: pyarrow is not installed.
    """

    def __init__(self, name: str, file: io.RawIOBase) -> None:
        try:
            # Here, as it takes long to import.
            import pyarrow.parquet
        except ImportError:
            raise MicsConfigurationError(
                "Parquet files need pyarrow, which is not installed.",
                hint="Install airflow-provider-mics[parquet] on the workers.",
            ) from None
        self.name = name
        try:
            self._file = pyarrow.parquet.ParquetFile(file, buffer_size=_PARQUET_BUFFER, pre_buffer=False)
        except (pyarrow.ArrowException, OSError):
            raise MicsInputError(
                f"{name} is no Parquet file.", hint="Name its format, if its ending is wrong."
            ) from None
        self.columns: Sequence[str] = self._file.schema_arrow.names

    def chunks(self, wanted: Sequence[int]) -> Iterator[Chunk]:
        """Read the record batches."""
        import pyarrow as pa

        names = [self.columns[index] for index in wanted]
        batches = self._file.iter_batches(batch_size=CHUNK_ROWS, columns=names, use_threads=False)
        first_row = 1
        while True:
            try:
                batch = next(batches, None)
            # pyarrow says so with an OSError, too.
            except (pa.ArrowException, OSError) as error:
                raise MicsInputError(
                    f"{self.name}: row {first_row} or one behind it cannot be read: {type(error).__name__}.",
                    hint="The file is damaged, or of a kind that pyarrow does not know.",
                ) from None
            if batch is None:
                return
            columns = [self._values(batch.column(name), name) for name in names]
            yield Chunk(columns, batch.num_rows, first_row)
            first_row += batch.num_rows

    def _values(self, array: pa.Array, name: str) -> list[Any]:
        import pyarrow as pa

        if pa.types.is_timestamp(array.type) and array.type.unit == "ns":
            # Python's time stamps end at microseconds, and so does what is made of them.
            array = array.cast(pa.timestamp("us", array.type.tz), safe=False)
        try:
            values: list[Any] = array.to_pylist(maps_as_pydicts="strict")
        except (pa.ArrowException, ValueError, OverflowError, KeyError) as error:
            raise MicsInputError(
                f"{self.name}: column {name} is of the type {array.type}, with values that Python does not have: "
                f"{type(error).__name__}."
            ) from None
        return values


class _RandomAccess(io.RawIOBase):
    """A source file as the file object that pyarrow and csv want."""

    def __init__(self, file: SourceFile) -> None:
        super().__init__()
        self._size = file.size
        self._reader: Reader = file.open()
        self._position = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return the offset from the start."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to an offset."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = start + offset
        self._reader.seek(self._position)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Read what there is, at most what fits."""
        try:
            content = self._reader.read(len(buffer))
        except OSError as error:
            raise MicsSourceError(f"The file cannot be read on: {error.strerror or type(error).__name__}.") from None
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def close(self) -> None:
        """Close it."""
        if not self.closed:
            self._reader.close()
        super().close()
