"""Where commands write: pretty on a terminal, plain text in a pipe, or one JSON document."""

from __future__ import annotations

import functools
import json
import sys
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.text import Text

_GAP: Final = "  "


class Screen:
    """Shows results, and on stderr warnings, errors and progress.

    :param results: Where results go.
    :param is_json: The only result is a JSON document.
    """

    def __init__(self, results: TextIO, *, is_json: bool) -> None:
        self.results = results
        self.is_json = is_json
        #: Results are looked at in a terminal.
        self.is_pretty = not is_json and results.isatty()

    @functools.cached_property
    def console(self) -> Console:
        """The terminal, for results."""
        from rich.console import Console

        return Console(file=self.results, highlight=False, emoji=False)

    @property
    def shows_progress(self) -> bool:
        """Whether somebody watches, whose results are not in the way."""
        return self.is_pretty and sys.stderr.isatty()

    def document(self, content: dict[str, Any]) -> None:
        """Print the JSON document."""
        # Escaped, so that it is the same in every encoding and carries no control characters to a terminal.
        _write(self.results, json.dumps(content, indent=2))

    def line(self, text: str = "", *, style: str | None = None) -> None:
        """Print a line. On a terminal it has a style, as rich names it, and is broken between words."""
        if self.is_pretty:
            self.console.print(safe(text), style=style, markup=False)
        else:
            _write(self.results, safe(text))

    def styled(self, text: Text) -> None:
        """Print a text with styles, on a terminal."""
        self.console.print(text)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[object]], *, texts: int = 1) -> None:
        """Print a table, and an empty line.

        :param texts: Columns from the left that hold text; those behind them hold numbers.
        """
        cells = [[self._cell(value) for value in row] for row in rows]
        if self.is_pretty:
            self._pretty_table(heads, cells, texts)
            return
        columns = list(zip(heads, *cells, strict=True))
        widths = [max(map(len, column)) for column in columns]
        for row in zip(*columns, strict=True):
            aligned = [
                cell.ljust(width) if index < texts else cell.rjust(width)
                for index, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            _write(self.results, _GAP.join(aligned).rstrip())
        _write(self.results, "")

    def number(self, value: int) -> str:
        """Return a number as it is read by people; in a pipe, as programs read it."""
        return f"{value:,}" if self.is_pretty else str(value)

    def warning(self, text: str) -> None:
        """Tell of what is doubtful."""
        self._aside("warning", "yellow", text)

    def error(self, text: str) -> None:
        """Tell why nothing came of it."""
        self._aside("error", "bold red", text)

    def _cell(self, value: object) -> str:
        if value is None:
            return "-"
        return self.number(value) if isinstance(value, int) else safe(str(value))

    def _aside(self, kind: str, style: str, text: str) -> None:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.text import Text

            Console(stderr=True, highlight=False).print(Text.assemble((f"{kind}: ", style), safe(text)))
        else:
            _write(sys.stderr, f"{kind}: {safe(text)}")

    def _pretty_table(self, heads: Sequence[str], cells: Sequence[Sequence[str]], texts: int) -> None:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for index, head in enumerate(heads):
            # Only names are broken where the terminal is narrow.
            table.add_column(head, justify="left" if index < texts else "right", overflow="fold", no_wrap=index > 0)
        for row in cells:
            table.add_row(*map(Text, row))
        self.console.print(table)


def safe(text: str) -> str:
    """Return a text in which names can do nothing to a terminal: control characters are escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
