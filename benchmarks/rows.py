"""Making lines of a million rows: ``make bench-rows``, or ``python -m benchmarks.rows``.

Against ``json.dumps`` for each row. Both write parts of at most 95 MB to disk.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
import json
import random
import re
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.programs import high_water

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from airflow_provider_mics.bulk.block import Block

PART_BYTES: Final = 95_000_000
SQL: Final = "SELECT crm_id, city, note, segment, visits, basket, optin FROM people ORDER BY rowid"
PLAIN: Final = "json.dumps each"
ABOUT: Final = """\
A million rows of 7 columns, from SQLite or as Python dicts, become lines of USER_PROFILE in parts on disk. Reading the
rows is part of all of them. The target is for the way from a query with a column mapping to lines, unchecked, as
`json.dumps` checks nothing; by default this provider also checks each line and hashes each part."""


def fill(path: Path, rows: int) -> None:
    """Write the rows."""
    dice = random.Random(3)  # noqa: S311 - invented people
    words = "Élodie Zoé Orléans Nîmes boutique magasin cliente fidèle avenue Jean Jaurès café".split()  # noqa: SIM905
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE people (crm_id, city, note, segment, visits INT, basket REAL, optin INT)")
        people = (
            (
                f"crm-{number:09d}",
                dice.choice(words),
                " ".join(dice.choices(words, k=12)),
                dice.choice(words),
                number % 90,
                round(dice.uniform(5, 500), 2),
                number % 2,
            )
            for number in range(rows)
        )
        database.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?)", people)
        database.commit()


def command_of(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return the command that a row becomes."""
    crm_id, city, note, segment, visits, basket, optin = row
    return {
        "operation": "UPSERT",
        "compartment_id": "1201",
        "user_account_id": crm_id,
        "update_strategy": "PARTIAL_UPDATE",
        "user_profile": {
            "$compartment_id": "1201",
            "$user_account_id": crm_id,
            "city": city,
            "note": note,
            "segment": segment,
            "visits": visits,
            "basket": basket,
            "optin": optin,
        },
    }


def plainly(rows: Iterable[tuple[Any, ...]], folder: Path) -> None:
    """Make lines as anybody would."""
    numbers = itertools.count(1)
    file = (folder / f"part-{next(numbers)}").open("w", encoding="utf-8")
    size = 0
    for row in rows:
        line = f"{json.dumps(command_of(row))}\n"
        size += len(line)
        if size > PART_BYTES:
            file.close()
            file, size = (folder / f"part-{next(numbers)}").open("w", encoding="utf-8"), len(line)
        file.write(line)
    file.close()


def mapped(database: sqlite3.Connection) -> Iterator[Block]:
    """Make lines of a query's rows by a column mapping, as ``SqlToMicsOperator`` does."""
    from airflow_provider_mics.bulk.mapping import Column, CommandMapping
    from airflow_provider_mics.bulk.rows import encode_rows
    from airflow_provider_mics.transfers._sql_rows import SqlRows

    crm_id = Column("crm_id", type="string", null="fail")
    command = {
        "operation": "UPSERT",
        "compartment_id": "1201",
        "user_account_id": crm_id,
        "update_strategy": "PARTIAL_UPDATE",
        "user_profile": {
            "$compartment_id": "1201",
            "$user_account_id": crm_id,
            "city": Column("city", type="string"),
            "note": Column("note", type="string"),
            "segment": Column("segment", type="string"),
            "visits": Column("visits", type="integer"),
            "basket": Column("basket", type="number"),
            "optin": Column("optin", type="integer"),
        },
    }
    with SqlRows(database, SQL, None, name="The query", chunk_rows=2000) as rows:
        mapping = CommandMapping(command).bind(rows.columns, rows.name)
        commands = itertools.chain.from_iterable(map(mapping.commands, rows.chunks(mapping.wanted)))
        yield from encode_rows(commands, source=rows.name, max_line_bytes=PART_BYTES, are_checked=True)


def of_dicts(database: sqlite3.Connection) -> Iterator[Block]:
    """Make lines of dicts, as ``@task.mics_import`` does."""
    from airflow_provider_mics.bulk.rows import encode_rows

    return encode_rows(map(command_of, database.execute(SQL)), source="The rows", max_line_bytes=PART_BYTES)


def checked(blocks: Iterator[Block]) -> Iterator[Block]:
    """Check lines while they are made."""
    from airflow_provider_mics.bulk.row_checks import check_lines

    return check_lines(blocks, document_type="USER_PROFILE", source="The rows", max_line_bytes=PART_BYTES)


def into_file(blocks: Iterator[Block], folder: Path) -> None:
    """Write blocks and nothing else: neither hash nor check."""
    with (folder / "lines").open("wb") as file:
        for block in blocks:
            file.write(block.content)


def into_parts(blocks: Iterator[Block]) -> None:
    """Write blocks into parts that are hashed, and take each for sent when it is full."""
    from airflow_provider_mics.bulk.spool import Spool

    with Spool("The rows", PART_BYTES) as spool:
        for _, file in spool.parts(blocks):
            spool.discard(file)


def read(database: sqlite3.Connection, _: Path) -> None:
    """Read the rows and do nothing with them."""
    for _row in database.execute(SQL):
        pass


KINDS: Final[dict[str, Callable[[sqlite3.Connection, Path], None]]] = {
    PLAIN: lambda database, folder: plainly(database.execute(SQL), folder),
    "this provider: query, unchecked": lambda database, folder: into_file(mapped(database), folder),
    "this provider: query, hashed": lambda database, _: into_parts(mapped(database)),
    "this provider: query, checked and hashed": lambda database, _: into_parts(checked(mapped(database))),
    "this provider: dicts, unchecked": lambda database, folder: into_file(of_dicts(database), folder),
    "this provider: dicts, checked and hashed": lambda database, _: into_parts(checked(of_dicts(database))),
    "reading the rows": read,
}
#: What is imported before the clock starts, by a word of the kind: no more than it needs, as memory is measured too.
MODULES: Final = {
    "provider": ("bulk.rows",),
    "query": ("bulk.mapping", "transfers._sql_rows"),
    "checked": ("bulk.row_checks",),
    "hashed": ("bulk.spool",),
}


def compete(path: Path, kind: str) -> None:
    """Do it once, and tell what it took, without what it imports."""
    for word in re.findall(r"\w+", kind):
        for module in MODULES.get(word, ()):
            importlib.import_module(f"airflow_provider_mics.{module}")
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(sqlite3.connect(path)) as database:
        begun, cpu = time.perf_counter(), time.process_time()
        KINDS[kind](database, Path(folder))
        told = {"inner_s": time.perf_counter() - begun, "inner_cpu_s": time.process_time() - cpu}
    sys.stdout.write(f"{json.dumps({**told, 'peak_bytes': high_water()})}\n")


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compete", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.compete:
        compete(options.path, options.compete)
        return
    from benchmarks.measuring import MEGA, Spread, column, in_turn, python, ratios, run
    from benchmarks.results import Part, keep

    part = Part(title="Rows to lines", about=ABOUT)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        path = Path(name) / "people.sqlite"
        fill(path, options.rows)
        command = python("benchmarks.rows", "--path", path, "--compete")
        runs = in_turn({kind: lambda kind=kind: run([*command, kind]) for kind in KINDS}, options.rounds)  # type: ignore[misc]
    plain = column(runs[PLAIN], "inner_cpu_s")
    rows = []
    for kind, taken in runs.items():
        cpu = column(taken, "inner_cpu_s")
        peak = Spread.of(value / MEGA for value in column(taken, "peak_bytes"))
        micros = Spread.of(value / options.rows * MEGA for value in cpu)
        rows.append([kind, micros.text(), ratios(cpu, plain).text(), peak.text(0)])
    part.table(f"{options.rows:,} rows", ("", "CPU us a row", f"ratio to {PLAIN}", "peak MB"), rows)
    ours = runs["this provider: query, unchecked"]
    part.target("G1", f"query to lines / `{PLAIN}`, CPU", ratios(column(ours, "inner_cpu_s"), plain), 0.45)
    peak = Spread.of(value / MEGA for value in column(ours, "peak_bytes"))
    part.target("G1", "memory of a process that does it, MB", peak, 25)
    keep("rows", part)


if __name__ == "__main__":
    main()
