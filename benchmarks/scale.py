"""How cost grows, against the formulas of docs/scale.md: ``make bench-scale``, or ``python -m benchmarks.scale``.

Calls, ledger entries and bytes are counted, so that they are exact on any machine; only the time of the check is a
measurement.
"""

from __future__ import annotations

import argparse
import collections
import json
import math
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.api.client import MicsClient
from airflow_provider_mics.api.conversation import hold
from airflow_provider_mics.api.credentials import TokenCredentials
from airflow_provider_mics.api.executions import read_some
from airflow_provider_mics.api.models import Execution, Page
from airflow_provider_mics.api.settings import APISettings
from airflow_provider_mics.bulk.checks import checker_for
from airflow_provider_mics.bulk.files import LocalFile
from airflow_provider_mics.bulk.ledger import Ledger
from airflow_provider_mics.bulk.looking import Listing
from airflow_provider_mics.bulk.part_descriptions import describe_part
from airflow_provider_mics.bulk.planning import plan_load
from airflow_provider_mics.bulk.upload import Uploader
from airflow_provider_mics.sandbox import Sandbox
from benchmarks.measuring import GIGA, MEGA
from benchmarks.preflight import profiles, write
from benchmarks.results import Part, keep

if TYPE_CHECKING:
    from collections.abc import Generator

    from airflow_provider_mics.api.call import Call

NDJSON: Final = "APPLICATION_X_NDJSON"
#: The most that a page of a list is asked for.
PAGE: Final = 500
#: Up to so many executions are asked for one by one, by a worker and by the triggerer.
WORKER_SINGLES: Final = 3
TRIGGERER_SINGLES: Final = 2


class CountingStore:
    """Keeps the state of a task, and counts what is written."""

    survives = True

    def __init__(self) -> None:
        self.writes = 0
        self.values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        """Return a value."""
        return self.values.get(key)

    def set(self, key: str, value: Any) -> None:
        """Write a value."""
        self.writes += 1
        self.values[key] = value

    @property
    def bytes(self) -> int:
        """What is kept in the end, as JSON."""
        return sum(len(json.dumps(value)) for value in self.values.values())


def parts(part: Part, folder: Path) -> None:
    """Send files of more and more parts, and count."""
    path = write(folder / "lines.ndjson", profiles(400_000))
    with Sandbox() as sandbox:
        settings = APISettings(base_url=sandbox.url)
        with MicsClient(settings, TokenCredentials(sandbox.token)) as client:
            rows = [_send(client, sandbox, path, count) for count in (1, 10, 100, 400)]
    head = ("parts", "calls, formula", "calls", "ledger writes, formula", "writes", "ledger bytes a part", "XCom bytes")
    part.table("Sending P parts: P + 1 calls, 2 P + 2 writes", head, rows)


def _send(client: Any, sandbox: Sandbox, path: Path, count: int) -> list[str]:
    from airflow_provider_mics.api import document_imports

    datamart_id = str(sandbox.datamart_id)
    created = client.send(
        document_imports.create(datamart_id, document_type="USER_PROFILE", name=str(count), mime_type=NDJSON)
    )
    file = LocalFile(path)
    plan = plan_load([file], mime_type=NDJSON, max_part_bytes=file.size // count + (2000 if count > 1 else 0))
    store = CountingStore()
    uploader = Uploader(client, datamart_id, created, ledger=Ledger.open(store, generation=0))
    before = len(sandbox.requests)
    with plan.delivery() as (pieces, discard):
        sent = uploader.send_all(pieces, parallel_uploads=2, on_sent=discard)
    calls = len(sandbox.requests) - before
    planned = len(json.dumps([describe_part(piece, file) for piece, file in plan.planned]))
    number = len(sent)
    return [
        f"{number}",
        f"{number + 1}",
        f"{calls}",
        f"{2 * number + 2}",
        f"{store.writes}",
        f"{store.bytes / number:.0f}",
        f"{planned / number:.0f} a part planned",
    ]


def looks(part: Part) -> None:
    """Count the calls of one look at the newest executions of an import that has twice as many."""
    rows = []
    for count in (1, 2, 3, 10, 50, 100, 500, 1000, 5000):
        everything = [Execution(id=str(number), status="RUNNING") for number in range(2 * count, 0, -1)]
        wanted = [item.execution_id for item in everything[:count]]
        worker = _count(read_some("1", "1", wanted), everything)
        triggerer = _count(_look(wanted), everything)
        formulas = (
            _formula(count, WORKER_SINGLES),
            _formula(count, TRIGGERER_SINGLES),
        )
        rows.append([str(value) for value in (count, formulas[0], worker, formulas[1], triggerer)])
    head = ("executions", "worker, formula", "worker", "triggerer, formula", "triggerer")
    part.table("Calls of one look at E executions", head, rows)


def _formula(count: int, singles: int) -> int:
    return count if count <= singles else math.ceil(count / PAGE)


def _look(wanted: list[str]) -> Generator[Call[Any], Any, None]:
    """Do what the waits of the triggerer do: list, then ask for each that is missing."""
    found = yield from Listing().read("1", "1", frozenset(wanted))  # type: ignore[misc]
    for execution_id in set(wanted) - found.keys():
        yield from _one(execution_id)


def _one(execution_id: str) -> Generator[Call[Any], Any, Any]:
    from airflow_provider_mics.api import executions

    return (yield executions.get("1", "1", execution_id))


def _count(conversation: Any, everything: list[Execution]) -> int:
    """Hold a conversation with a list in place of the platform, and count its calls."""
    by_id = {item.execution_id: item for item in everything}
    counted: collections.Counter[str] = collections.Counter()

    def answer(call: Call[Any]) -> Any:
        counted["calls"] += 1
        if not call.query:
            return by_id[call.path.rpartition("/")[2]]
        first, size = (int(value) for _, value in call.query)
        return Page(items=tuple(everything[first : first + size]), total=len(everything), max_results=size)

    hold(conversation, answer)
    return counted["calls"]


def lines(part: Part, rounds: int) -> None:
    """Check lines of several lengths, and see how much of the time is for a line and how much for a byte."""
    points = []
    for padding in (0, 400, 2000, 10_000):
        content = _content(padding)
        count = content.count(b"\n")
        points.append((count, len(content), statistics.median(_check(content) for _ in range(rounds))))
    # From the shortest and the longest lines; those between check it.
    (few, few_bytes, few_s), (many, many_bytes, many_s) = points[-1], points[0]
    determinant = few * many_bytes - many * few_bytes
    a_line = (few_s * many_bytes - many_s * few_bytes) / determinant
    a_byte = (few * many_s - many * few_s) / determinant
    rows = [
        [
            f"{size / count:,.0f}",
            f"{(a_line * count + a_byte * size) / size * GIGA:.2f}",
            f"{seconds / size * GIGA:.2f}",
            f"{(a_line * count + a_byte * size) / seconds - 1:+.0%}",
        ]
        for count, size, seconds in points
    ]
    part.table(
        f"Check: {a_line * MEGA:.2f} us a line + {a_byte * GIGA:.2f} s a GB, of one processor",
        ("bytes a line", "s/GB, formula", "s/GB", "off by"),
        rows,
    )


def _content(padding: int) -> bytes:
    rows = profiles(3_000_000 // (1 + padding // 1000))
    made = []
    for row in rows:
        command = json.loads(row)
        command["user_profile"]["note"] += " " + "très bonne cliente, " * (padding // 20)
        made.append(json.dumps(command, ensure_ascii=False, separators=(",", ":")).encode())
    return b"\n".join(made) + b"\n"


def _check(content: bytes) -> float:
    checker = checker_for("USER_PROFILE", NDJSON)
    begun = time.process_time()
    offset, line, block_bytes = 0, 1, 112 * 1024
    while offset < len(content):
        block = content[offset : offset + block_bytes]
        result = checker.check_block(block, first_line=line, offset=offset, problems=[], limit=20)
        offset, line = offset + result.consumed, result.next_line
    return time.process_time() - begun


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    part = Part(title="How cost grows", about="The formulas of docs/scale.md beside what was counted and measured.")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        parts(part, Path(name))
    looks(part)
    lines(part, options.rounds)
    keep("scale", part)


if __name__ == "__main__":
    main()
