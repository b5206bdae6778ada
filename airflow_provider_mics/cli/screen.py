"""Where commands write: pretty on a terminal, plain text in a pipe, or one JSON or YAML document."""

from __future__ import annotations

import contextlib
import functools
import json
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TextIO

from airflow_provider_mics.bulk.counted import by_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_GAP: Final = "  "


class Styled(NamedTuple):
    """A cell of a table with a style, as rich names it, on a terminal."""

    text: str
    style: str


class Screen:
    """Shows results, and on stderr warnings, errors and progress.

    :param results: Where results go.
    :param output: ``table``; ``json`` or ``yaml``: the only result is such a document.
    """

    def __init__(self, results: TextIO, *, output: str = "table") -> None:
        self.results = results
        self._output = output
        #: The only result is a document.
        self.is_document = output != "table"
        #: Results are looked at in a terminal.
        self.is_pretty = not self.is_document and results.isatty()

    @functools.cached_property
    def console(self) -> Console:
        """The terminal, for results."""
        from rich.console import Console

        return Console(file=self.results, highlight=False, emoji=False)

    @functools.cached_property
    def aside(self) -> Console:
        """The terminal, for what is no result. It is one, as a bar that is shown on it must know what else is."""
        from rich.console import Console

        return Console(stderr=True, highlight=False, emoji=False)

    @property
    def shows_progress(self) -> bool:
        """Whether somebody watches, whose results are not in the way."""
        return self.is_pretty and sys.stderr.isatty()

    def document(self, content: dict[str, Any] | list[dict[str, Any]]) -> None:
        """Print the document: JSON values."""
        # Escaped, so that it is the same in every encoding and carries no control characters to a terminal.
        if self._output == "yaml":
            from airflow.utils import yaml

            _write(self.results, yaml.dump(content, sort_keys=False).removesuffix("\n"))
        else:
            _write(self.results, json.dumps(content, indent=2))

    def line(self, text: str = "", *, style: str | None = None) -> None:
        """Print a line. On a terminal it has a style, as rich names it, and is broken between words."""
        if self.is_pretty:
            self.console.print(safe(text), style=style, markup=False)
        else:
            _write(self.results, safe(text))

    def copyable(self, text: str) -> None:
        """Print a line that stays one, however narrow the terminal is."""
        _write(self.results, safe(text))

    def styled(self, text: Text) -> None:
        """Print a text with styles, on a terminal."""
        self.console.print(text)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[object]], *, texts: int = 1, name: int = 0) -> None:
        """Print a table, and an empty line.

        :param texts: Columns from the left that hold text; those behind them hold numbers.
        :param name: The column that is broken where the terminal is narrow.
        """
        if self.is_pretty:
            self.console.print(self.pretty_table(heads, rows, texts=texts, name=name))
            return
        cells = [[self._cell(value) for value in row] for row in rows]
        columns = list(zip(heads, *cells, strict=True))
        widths = [max(map(len, column)) for column in columns]
        for row in zip(*columns, strict=True):
            aligned = [
                cell.ljust(width) if index < texts else cell.rjust(width)
                for index, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            _write(self.results, _GAP.join(aligned).rstrip())
        _write(self.results, "")

    def above_table(self) -> None:
        """Print an empty line, which a table on a terminal brings by itself."""
        if not self.is_pretty:
            _write(self.results, "")

    def fields(self, values: Mapping[str, object]) -> None:
        """Print what something is, a line for each field."""
        width = max(map(len, values))
        for name, value in values.items():
            if self.is_pretty:
                from rich.text import Text

                # Not broken into lines: an address is there to be copied.
                self.console.print(Text.assemble((name.ljust(width), "bold"), _GAP, self._text(value)), soft_wrap=True)
            else:
                _write(self.results, f"{name.ljust(width)}{_GAP}{self._cell(value)}")

    def ask(self, question: str) -> bool:
        """Ask whoever sits at the terminal, and return whether the answer is yes."""
        sys.stderr.write(f"{safe(question)} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def number(self, value: int) -> str:
        """Return a number as it is read by people; in a pipe, as programs read it."""
        return f"{value:,}" if self.is_pretty else str(value)

    def counted(self, value: int, thing: str) -> str:
        """Return such a number and what it is of; its plural takes an "s"."""
        return f"{self.number(value)} {by_count(value, thing, f'{thing}s')}"

    @contextlib.contextmanager
    def working(self, doing: str) -> Iterator[None]:
        """Show that something goes on, to whoever looks on, while it does."""
        if not self.shows_progress:
            yield
            return
        with self.aside.status(doing):
            yield

    def note(self, text: str) -> None:
        """Tell how it goes on."""
        _write(sys.stderr, safe(text))

    def warning(self, text: str) -> None:
        """Tell of what is doubtful."""
        self._aside("warning", "yellow", text)

    def error(self, text: str) -> None:
        """Tell why nothing came of it."""
        self._aside("error", "bold red", text)

    def _cell(self, value: object) -> str:
        if value is None:
            return "-"
        if isinstance(value, Styled):
            value = value.text
        return self.number(value) if isinstance(value, int) else safe(str(value))

    def _text(self, value: object) -> Text:
        from rich.text import Text

        return Text(self._cell(value), style=value.style if isinstance(value, Styled) else "")

    def _aside(self, kind: str, style: str, text: str) -> None:
        if sys.stderr.isatty():
            from rich.text import Text

            self.aside.print(Text.assemble((f"{kind}: ", style), safe(text)))
        else:
            _write(sys.stderr, f"{kind}: {safe(text)}")

    def pretty_table(
        self, heads: Sequence[str], rows: Sequence[Sequence[object]], *, texts: int = 1, name: int = 0
    ) -> Table:
        """Make a table for a terminal; arguments as of :meth:`table`."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for index, head in enumerate(heads):
            table.add_column(head, justify="left" if index < texts else "right", overflow="fold", no_wrap=index != name)
        for row in rows:
            table.add_row(*map(self._text, row))
        return table


def safe(text: str) -> str:
    """Return a text in which names can do nothing to a terminal: control characters are escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
