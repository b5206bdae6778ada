"""A night's export from an invented CRM, as the demo and the tests send it.

The same seed gives the same bytes. Everything is written line by line, so that a file may be larger than memory. All
people are invented: e-mail addresses end in ``.example``, and only hashes of them stand where the platform wants one.

Run as ``python -m devel.crm_export FOLDER``.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from devel import crm_people

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

PROFILES: Final = 20_000
ACTIVITIES: Final = 5_000
SEGMENT_ROWS: Final = 3_000
SEED: Final = 20_261_123
COMPARTMENT_ID: Final = "1201"
#: A compartment that the bad lines name; the sandbox is told that it does not exist.
UNKNOWN_COMPARTMENT_ID: Final = "9999"
SEGMENT_NAME: Final = "vip_customers"
#: The night that the export is of, in milliseconds since 1970: midnight UTC at the end of 2026-11-22.
NIGHT_MS: Final = 1_795_392_000_000

_DAY_MS: Final = 86_400_000
# The larger file first, and never two of one length: executions are told apart by their number of lines.
_FIRST_FILE_SHARE: Final = 0.6
_SEGMENT_HEADER: Final = (
    "OPERATION,COMPARTMENT_ID,USER_ACCOUNT_ID,EMAIL_HASH,SEGMENT_TECHNICAL_NAME,EXPIRATION_DURATION,DATA_BAG"
)


@dataclass(frozen=True)
class ExportedFile:
    """One file of the export. ``lines`` are data lines (without a CSV header); ``bad_lines`` are counted from 1."""

    path: Path
    lines: int
    bytes: int
    sha256: str
    bad_lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class CrmExport:
    """The files of one night."""

    profiles: tuple[ExportedFile, ExportedFile]
    activities: ExportedFile
    segment: ExportedFile

    @property
    def files(self) -> tuple[ExportedFile, ...]:
        """All files."""
        return (*self.profiles, self.activities, self.segment)


def write_export(folder: Path, *, scale: float = 1.0, bad_lines: int = 0, seed: int = SEED) -> CrmExport:
    """Write a whole night into ``folder``.

    :param scale: 1.0 gives 20,000 profiles, 5,000 activities and 3,000 segment rows.
    :param bad_lines: how many lines of ``profiles-2.ndjson`` the platform will reject: they name a compartment that
        does not exist, which nothing but the platform can know.
    """
    folder.mkdir(parents=True, exist_ok=True)
    profiles, activities, rows = (max(2, round(count * scale)) for count in (PROFILES, ACTIVITIES, SEGMENT_ROWS))
    first = max(1, round(profiles * _FIRST_FILE_SHARE))
    second = profiles - first
    if bad_lines > second:
        raise ValueError(f"{bad_lines} bad lines do not fit into the {second} lines of profiles-2.ndjson")
    bad = tuple(sorted(crm_people.loaded_dice(f"{seed}-bad").sample(range(1, second + 1), bad_lines)))
    return CrmExport(
        profiles=(
            _write(folder / "profiles-1.ndjson", profile_lines(range(first), seed=seed)),
            _write(folder / "profiles-2.ndjson", profile_lines(range(first, profiles), seed=seed, bad=bad), bad=bad),
        ),
        activities=_write(folder / "activities.ndjson", activity_lines(activities, customers=profiles, seed=seed)),
        segment=_write(
            folder / "vip_segment.csv", segment_lines(rows, customers=profiles, seed=seed), header=_SEGMENT_HEADER
        ),
    )


def write_large_profiles(path: Path, *, min_bytes: int, seed: int = SEED) -> ExportedFile:
    """Write one file of profiles of at least ``min_bytes`` bytes, quickly.

    It has 2,000 people again and again, each time under new account ids, so that no line is there twice.
    """
    people = list(profile_lines(range(2_000), seed=seed))
    accounts = [crm_people.account_id(number, seed=seed) for number in range(len(people))]

    def lines() -> Iterator[str]:
        size = 0
        copy = 0
        while True:
            for line, account in zip(people, accounts, strict=True):
                text = line if copy == 0 else line.replace(account, f"{account}-{copy}")
                yield text
                size += len(text.encode()) + 1
                if size >= min_bytes:
                    return
            copy += 1

    return _write(path, lines())


def profile_lines(numbers: Iterable[int], *, seed: int = SEED, bad: Collection[int] = ()) -> Iterator[str]:
    """Yield USER_PROFILE lines for the customers with these numbers; ``bad`` are positions, from 1, to be spoilt."""
    for position, number in enumerate(numbers, start=1):
        line = crm_people.profile(number, seed=seed, compartment_id=COMPARTMENT_ID, now_ms=NIGHT_MS)
        yield _json(_spoilt(line) if position in bad else line)


def activity_lines(count: int, *, customers: int, seed: int = SEED) -> Iterator[str]:
    """Yield USER_ACTIVITY lines: purchases of one day in shops, by customers of the profile files."""
    dice = crm_people.loaded_dice(f"{seed}-activities")
    for number in range(count):
        ts = NIGHT_MS - _DAY_MS + number * _DAY_MS // count
        customer = dice.randrange(customers)
        yield _json(crm_people.purchase(number, customer, seed=seed, compartment_id=COMPARTMENT_ID, ts=ts))


def segment_lines(count: int, *, customers: int, seed: int = SEED) -> Iterator[str]:
    """Yield the CSV rows of a USER_SEGMENT file, without header: who is a VIP, and who no longer is."""
    dice = crm_people.loaded_dice(f"{seed}-segment")
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    for _ in range(count):
        customer = dice.randrange(customers)
        # One identifier a row: the account with its compartment, or the hash of an address.
        by_hash = crm_people.chance(dice, 20)
        identifier = (
            ["", "", crm_people.email_hash(customer, seed=seed)]
            if by_hash
            else [COMPARTMENT_ID, crm_people.account_id(customer, seed=seed), ""]
        )
        leaves = crm_people.chance(dice, 10)
        bag = _json({"tier": dice.choice(["gold", "platine"]), "note": 'cliente fidèle, "VIP"'}) if not leaves else ""
        rows.writerow(["DELETE" if leaves else "UPDATE", *identifier, SEGMENT_NAME, 0 if leaves else 43_200, bag])
        yield buffer.getvalue().removesuffix("\n")
        buffer.seek(0)
        buffer.truncate()


def _spoilt(line: dict[str, Any]) -> dict[str, Any]:
    """Make a line that looks right and that the platform rejects: its compartment does not exist."""
    profile = line["user_profile"] | {"$compartment_id": UNKNOWN_COMPARTMENT_ID}
    return line | {"compartment_id": UNKNOWN_COMPARTMENT_ID, "user_profile": profile}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _write(path: Path, lines: Iterable[str], *, header: str | None = None, bad: tuple[int, ...] = ()) -> ExportedFile:
    digest = hashlib.sha256()
    size = count = 0
    remaining = iter(lines)
    with path.open("wb") as file:
        block = b"" if header is None else f"{header}\n".encode()
        while True:
            digest.update(block)
            size += file.write(block)
            batch = list(islice(remaining, 1_000))
            if not batch:
                return ExportedFile(path, count, size, digest.hexdigest(), bad)
            count += len(batch)
            block = "".join(f"{line}\n" for line in batch).encode()


def main() -> None:
    """Write an export and say what is in it."""
    parser = argparse.ArgumentParser(description="Write a night's export from an invented CRM.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="1.0: 20,000 profiles (default)")
    parser.add_argument("--bad-lines", type=int, default=0, help="lines of profiles-2.ndjson to be rejected")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    export = write_export(arguments.folder, scale=arguments.scale, bad_lines=arguments.bad_lines, seed=arguments.seed)
    for file in export.files:
        bad = f", bad lines {', '.join(map(str, file.bad_lines))}" if file.bad_lines else ""
        print(f"{file.path}: {file.lines:,} lines, {file.bytes:,} bytes{bad}")


if __name__ == "__main__":
    main()
