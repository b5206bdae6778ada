#!/usr/bin/env python
"""How fast lines are checked before they are sent, against plain Python, ``split`` and just reading the file.

Run as ``python benchmarks/preflight.py [--mb 200] [--rounds 5]``. Files are generated in a temporary folder. In each
round every competitor runs once, in turn, so that a busy machine is slow for all of them; ratios are taken round by
round. Everything runs on one thread; ``benchmarks.two_processors`` has the whole of what a load does with a file.

The plain checkers here apply the same rules as the package, as anybody would write them with ``json`` and ``csv``. They
are favoured: half a surrogate pair and, by ``json.loads``, NaN are let through.
"""

from __future__ import annotations

import argparse
import collections
import csv
import hashlib
import importlib
import io
import json
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from airflow_provider_mics.bulk.checks import Problem, checker_for
from airflow_provider_mics.bulk.checks.csv_pattern import segment_pattern
from airflow_provider_mics.bulk.checks.document_rules import rules_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NDJSON: Final = "APPLICATION_X_NDJSON"
CSV: Final = "TEXT_CSV"
#: Blocks of more than 128 KiB may be taken from the system and given back each time, page by page.
BLOCK: Final = 128 * 1024 - 4096
PIECE: Final = 64 * 1024
MEGA: Final = 1_000_000
SECONDS: Final = (10**9, 10**10)
COLUMNS: Final = (
    "OPERATION",
    "COMPARTMENT_ID",
    "USER_ACCOUNT_ID",
    "EMAIL_HASH",
    "SEGMENT_TECHNICAL_NAME",
    "EXPIRATION_DURATION",
    "EXPIRATION_TS",
    "DATA_BAG",
)
WORDS: Final = tuple(
    "Élodie Zoé Müller Gaëlle Besançon République Jaurès fidèle café très gros client avenue rue de la naïve règle "  # noqa: SIM905 - words are easier to read without quotes
    "Saint-Étienne Orléans Nîmes boutique magasin en ligne".split()
)


# Data


def profiles(size: int) -> Iterator[str]:
    """Yield profile lines, 440 bytes each, nearly all with accents."""
    dice = random.Random(1)  # noqa: S311 - invented people
    written = number = 0
    while written < size:
        account = f"crm-{number:09d}"
        line = json.dumps(
            {
                "operation": "UPSERT",
                "compartment_id": "1201",
                "user_account_id": account,
                "force_replace": False,
                "merge_objects": True,
                "user_profile": {
                    "$compartment_id": "1201",
                    "$user_account_id": account,
                    "first_name": dice.choice(WORDS),
                    "last_name": dice.choice(WORDS),
                    "city": dice.choice(WORDS),
                    "birth_year": dice.randrange(1940, 2008),
                    "basket": round(dice.uniform(5, 500), 2),
                    "note": " ".join(dice.choices(WORDS, k=9)),
                    "optin": {"sms": dice.random() < 0.5, "email": None},  # noqa: PLR2004
                    "tags": dice.choices(WORDS, k=4),
                },
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        yield line
        written += len(line.encode()) + 1
        number += 1


def segment_rows(size: int, *, quoted: bool) -> Iterator[str]:
    """Yield CSV rows, a tenth of them deletions; if ``quoted``, three of ten hold a JSON bag with newlines inside."""
    dice = random.Random(2)  # noqa: S311 - invented people
    bag = '"{""tier"": ""or"",\n ""note"": ""cliente fidèle, VIP"", ""visits"": 12}"'
    yield ",".join(COLUMNS)
    written = number = 0
    while written < size:
        by_hash = number % 10 < 3  # noqa: PLR2004
        identifier = f",,{hashlib.sha256(b'%d' % number).hexdigest()}" if by_hash else f"1201,crm-{number:09d},"
        if number % 10 == 9:  # noqa: PLR2004
            row = f"DELETE,{identifier},vip_customers,,,"
        else:
            expiry = "43200," if number % 4 else ",1924992000000"
            content = bag if quoted and dice.random() < 0.3 else ""  # noqa: PLR2004
            row = f"UPDATE,{identifier},vip_customers,{expiry},{content}"
        yield row
        written += len(row.encode()) + 1
        number += 1


def write(path: Path, lines: Iterator[str]) -> Path:
    """Write lines to a file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        for line in lines:
            file.write(f"{line}\n")
    return path


# Ours


def check_file(path: Path, document_type: str, mime_type: str) -> None:
    """Check a file as a caller of the package does."""
    checker = checker_for(document_type, mime_type)
    problems: list[Problem] = []
    rest = b""
    offset, line = 0, 1
    with path.open("rb", buffering=0) as file:
        while True:
            read = file.read(BLOCK)
            block = rest + read
            result = checker.check_block(
                block, first_line=line, offset=offset, problems=problems, limit=20, final=not read
            )
            rest = block[result.consumed :]
            offset += result.consumed
            line = result.next_line
            if result.bad:
                raise SystemExit(f"{path}: {problems[0]}")
            if not read:
                return


# Plain Python


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError


plain_decode: Final = json.JSONDecoder(parse_constant=_refuse_constant).decode


def is_id(value: Any) -> bool:
    """Tell whether it is an id."""
    return value != "" and isinstance(value, str | int) and not isinstance(value, bool)


def is_good_profile(line: Any) -> bool:
    """Apply the rules of USER_PROFILE."""
    if not isinstance(line, dict):
        return False
    get = line.get
    operation, account, compartment = get("operation"), get("user_account_id"), get("compartment_id")
    email, agent, body = get("email_hash"), get("user_agent_id"), get("user_profile")
    force, merge, strategy = get("force_replace"), get("merge_objects"), get("update_strategy")
    if operation not in {"UPSERT", "DELETE"}:
        return False
    if account is not None:
        is_named = email is None and agent is None and is_id(account) and (compartment is None or is_id(compartment))
    elif compartment is not None:
        is_named = False
    elif email is not None:
        is_named = agent is None and isinstance(email, str) and email != "" and "@" not in email
    else:
        is_named = is_id(agent)
    if (
        not is_named
        or (body is not None and not isinstance(body, dict))
        or (force is not None and not isinstance(force, bool))
        or (merge is not None and not isinstance(merge, bool))
        or (strategy is not None and strategy not in {"PARTIAL_UPDATE", "PARTIAL_DELETE", "FORCE_REPLACE"})
    ):
        return False
    return operation == "DELETE" or (body is not None and (strategy is None or (force is None and merge is None)))


def check_profiles(path: Path, decode: Callable[[Any], Any], mode: str) -> None:
    """Decode each line and apply the rules."""
    deletions = 0
    settings: dict[str, Any] = {"encoding": "utf-8", "newline": "\n"} if mode == "r" else {}
    with path.open(mode, **settings) as file:
        for text in file:
            line = decode(text)
            if not is_good_profile(line):
                raise SystemExit(f"{path}: a line is bad")
            deletions += line["operation"] == "DELETE"


def is_good_row(row: list[str]) -> bool:
    """Apply the rules of USER_SEGMENT."""
    if len(row) != len(COLUMNS):
        return False
    operation, compartment, account, email, segment, duration, moment, bag = row
    if operation not in {"UPDATE", "DELETE"} or (account == "") == (email == "") or not segment:
        return False
    if (compartment and not account) or "@" in email:
        return False
    if duration and not (duration.isascii() and duration.isdigit() and int(duration) < 2**63):
        return False
    if moment:
        if not (moment.isascii() and moment.isdigit()):
            return False
        milliseconds = int(moment)
        if SECONDS[0] <= milliseconds < SECONDS[1] or milliseconds >= 2**63:
            return False
    if bag:
        plain_decode(bag)
    return operation == "DELETE" or duration != "" or moment != ""


def check_rows(path: Path) -> None:
    """Read each row and apply the rules."""
    deletions = 0
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, strict=True)
        if [name.upper() for name in next(rows)] != list(COLUMNS):
            raise SystemExit(f"{path}: the header is bad")
        for row in rows:
            if not row:
                continue
            if not is_good_row(row) or "\0" in row[2]:
                raise SystemExit(f"{path}: a row is bad")
            deletions += row[0] == "DELETE"


def read_csv(path: Path) -> None:
    """Read each row and check nothing."""
    with path.open(encoding="utf-8", newline="") as file:
        for _ in csv.reader(file):
            pass


# Others


def read_file(path: Path) -> None:
    """Read a file and look at nothing."""
    with path.open("rb", buffering=0) as file:
        while file.read(BLOCK):
            pass


def split_file(path: Path) -> None:
    """Split a file with GNU split, which looks for line ends only."""
    command = shutil.which("split")
    if command is None:
        raise SystemExit("GNU split is not installed.")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        subprocess.run([command, "-C", "95000000", path, f"{folder}/part-"], check=True)  # noqa: S603 - our own path


# Measuring


class Table:
    """Times of several competitors over one file."""

    def __init__(self, path: Path, competitors: dict[str, Callable[[], None]], rounds: int) -> None:
        self.size = path.stat().st_size
        self.times: dict[str, list[float]] = {name: [] for name in competitors}
        for number in range(rounds + 1):
            for name, run in competitors.items():
                start = time.perf_counter()
                run()
                # The first round fills the page cache.
                if number:
                    self.times[name].append(time.perf_counter() - start)

    def show(self, ours: str) -> None:
        """Print speeds, and how many times as long as ours each takes."""
        say(f"  {'':34}{'MB/s':>6}  {'(min - max)':<15}{'time / ours':>12}  (min - max)")
        for name, times in self.times.items():
            speeds = sorted(self.size / MEGA / seconds for seconds in times)
            ratios = self.ratios(name, ours)
            say(
                f"  {name:34}{statistics.median(speeds):6.0f}  {f'({speeds[0]:.0f} - {speeds[-1]:.0f})':<15}"
                f"{statistics.median(ratios):12.2f}  ({ratios[0]:.2f} - {ratios[-1]:.2f})"
            )

    def ratios(self, name: str, ours: str) -> list[float]:
        """Return the ratios of all rounds, the smallest first."""
        return sorted(a / b for a, b in zip(self.times[name], self.times[ours], strict=True))

    def verdict(self, name: str, ours: str, target: float) -> None:
        """Say whether a target is reached."""
        ratio = statistics.median(self.ratios(name, ours))
        say(f"  -> {ratio:.1f} times as fast as {name}; target {target}: {'reached' if ratio >= target else 'MISSED'}")


def best_of(run: Callable[[], object], rounds: int) -> float:
    """Return the shortest time of a few."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def explain(steps: dict[str, float], whole: float) -> None:
    """Print shares of a whole, the largest first."""
    rest = max(0.0, whole - sum(steps.values()))
    for name, seconds in sorted({**steps, "everything else": rest}.items(), key=lambda item: -item[1]):
        say(f"    {seconds / whole:4.0%}  {name}")


def explain_ndjson(path: Path, rounds: int) -> None:
    """Measure the steps of the quick look, each with those before it, as they share the processor's cache."""
    hunch = rules_for("USER_PROFILE").hunch()

    def pieces() -> Iterator[bytes]:
        with path.open("rb", buffering=0) as file:
            rest = b""
            while block := file.read(PIECE):
                piece = rest + block
                end = piece.rfind(b"\n") + 1
                rest = piece[end:]
                yield piece[:end]

    def to_utf_8() -> Iterator[bytes]:
        for piece in pieces():
            piece.isascii() or piece.decode()
            yield piece

    def to_lines() -> Iterator[list[bytes]]:
        for piece in to_utf_8():
            yield io.BytesIO(piece).readlines()

    def to_structures() -> Iterator[object]:
        for lines in to_lines():
            yield hunch and hunch.holds(lines)

    names = {
        "reading, in pieces": pieces,
        "UTF-8": to_utf_8,
        "cutting into lines": to_lines,
        "decoding into typed structures (grammar, types, words, identifiers)": to_structures,
    }
    steps = {}
    before = 0.0
    for name, run in names.items():
        until = best_of(lambda run=run: collections.deque(run(), maxlen=0), rounds)  # type: ignore[misc]
        steps[name] = until - before
        before = until
    say("  what the time goes into:")
    explain(steps, best_of(lambda: check_file(path, "USER_PROFILE", NDJSON), rounds))


def explain_csv(path: Path, rounds: int) -> None:
    """Measure the steps of the quick look one by one."""
    text = path.read_bytes()
    pattern = segment_pattern([name.lower() for name in COLUMNS])
    start = text.index(b"\n") + 1
    blocks = []
    while start < len(text):
        end = pattern.match(text, start, start + BLOCK)
        position = end.end() if end else start
        while end and end.lastindex:
            end = pattern.match(text, position, start + BLOCK)
            position = end.end() if end else position
        blocks.append(text[start:position])
        start = position

    def match_all() -> None:
        for block in blocks:
            position = 0
            while (match := pattern.match(block, position)) and match.lastindex:
                position = match.end()

    steps = {
        "the regular expression (quotes, cells, rules)": best_of(match_all, rounds),
        "UTF-8": best_of(lambda: [block.isascii() or block.decode() for block in blocks], rounds),
    }
    say("  what the time goes into:")
    explain(steps, best_of(lambda: check_file(path, "USER_SEGMENT", CSV), rounds))


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def peak_megabytes() -> float:
    """Return the most memory this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def compare_ndjson(folder: Path, size: int, rounds: int) -> None:
    """Compare checks of profiles."""
    path = write(folder / "profiles.ndjson", profiles(size))
    before = peak_megabytes()
    check_file(path, "USER_PROFILE", NDJSON)
    grown = peak_megabytes() - before
    ours, plain, prepared = "our check", "json.loads + the same checks", "JSONDecoder + the same checks"
    competitors: dict[str, Callable[[], None]] = {
        ours: lambda: check_file(path, "USER_PROFILE", NDJSON),
        # Of the line's bytes, as it is mostly written; and the fastest that plain Python has.
        plain: lambda: check_profiles(path, json.loads, "rb"),
        prepared: lambda: check_profiles(path, plain_decode, "r"),
    }
    try:
        decode = importlib.import_module("orjson").loads
        competitors["orjson + the same checks"] = lambda: check_profiles(path, decode, "rb")
    except ImportError:
        say("(orjson is not installed: left out)")
    competitors["split -C (checks nothing)"] = lambda: split_file(path)
    competitors["reading the file (checks nothing)"] = lambda: read_file(path)
    table = Table(path, competitors, rounds)
    say(f"\nNDJSON profiles, {table.size / MEGA:.0f} MB; our check made the process grow by {grown:.0f} MB")
    table.show(ours)
    table.verdict(plain, ours, target=5)
    explain_ndjson(path, rounds)


def compare_csv(folder: Path, size: int, rounds: int, *, quoted: bool) -> None:
    """Compare checks of segment rows."""
    path = write(folder / f"segment-{quoted}.csv", segment_rows(size, quoted=quoted))
    ours, plain = "our check", "csv.reader + the same checks"
    table = Table(
        path,
        {
            ours: lambda: check_file(path, "USER_SEGMENT", CSV),
            plain: lambda: check_rows(path),
            "csv.reader (checks nothing)": lambda: read_csv(path),
            "reading the file (checks nothing)": lambda: read_file(path),
        },
        rounds,
    )
    kind = "3 of 10 with quoted JSON and newlines inside" if quoted else "without quotes"
    say(f"\nCSV segment rows, {kind}, {table.size / MEGA:.0f} MB")
    table.show(ours)
    table.verdict(plain, ours, target=2.5)
    explain_csv(path, rounds)


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--mb", type=int, default=200, help="size of each file in MB (200)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds after the first, which is not counted (5)")
    arguments = parser.parse_args()
    size, rounds = arguments.mb * MEGA, arguments.rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare_ndjson(folder, size, rounds)
        compare_csv(folder, size, rounds, quoted=False)
        compare_csv(folder, size, rounds, quoted=True)


if __name__ == "__main__":
    main()
