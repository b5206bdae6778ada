"""How fast activities are sent one by one, against a loop of ``requests.post`` with a session: ``make bench-tracking``.

Both send the same activities to the same server, in turn, each in a process of its own; ratios are taken round by
round. The loop sends fewer of them, as it would take an hour. Ours does all that a task does: it reads a file twice,
checks every line, writes its progress down (into a file), reads every answer.

The servers: the sandbox; and a sink of some thirty lines that answers as fast as Python can, as the sandbox takes more
time for a request than our client. Each answers at once, which nothing behind a network does, and after a delay.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import json
import pstats
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY: Final = Path(__file__).resolve().parents[1]
MODULE: Final = "benchmarks.tracking"
TOKEN: Final = "api:sandbox-token"  # noqa: S105 - the sandbox's
DATAMART: Final = "1509"
REPLY: Final = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{"status":"ok","data":true}'
)
#: Most items of the loop in a round; with a delay a tenth of it.
LOOP_ITEMS: Final = 5000
SMALL: Final = 10_000
MEGABYTE: Final = 1024 * 1024


def activity(number: int) -> dict[str, Any]:
    """Return an activity of some 330 bytes, without a unique key: the kind that is never sent twice."""
    return {
        "$type": "TOUCH",
        "$session_status": "NO_SESSION",
        "$ts": 1_718_000_000_000 + number,
        "$user_identifiers": [
            {"$type": "USER_ACCOUNT", "$compartment_id": "1201", "$user_account_id": f"crm-{number:09d}"}
        ],
        "$events": [
            {
                "$event_name": "store-visit",
                "$ts": 1_718_000_000_000 + number,
                "$properties": {"shop": "lyon-2", "basket": 42.5, "items": 3},
            }
        ],
    }


# Servers


class Sink(asyncio.Protocol):
    """Reads requests with a Content-Length, and answers each with the same."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._received = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        received = self._received + data
        while (end := received.find(b"\r\n\r\n")) >= 0:
            start = received.lower().index(b"content-length:", 0, end) + 15
            whole = end + 4 + int(received[start : received.index(b"\r\n", start)])
            if len(received) < whole:
                break
            received = received[whole:]
            if self._delay_s:
                asyncio.get_running_loop().call_later(self._delay_s, self._transport.write, REPLY)
            else:
                self._transport.write(REPLY)
        self._received = received


async def serve_sink(delay_s: float) -> None:
    """Serve until the process is ended, and say where."""
    server = await asyncio.get_running_loop().create_server(lambda: Sink(delay_s), "127.0.0.1", 0)
    say(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await server.serve_forever()


def serve_sandbox(delay_s: float) -> None:
    """Serve until the process is ended, and say where."""
    from airflow_provider_mics.sandbox import Sandbox

    with Sandbox(token=TOKEN) as sandbox:
        if delay_s:
            sandbox.faults.plan("delay", times=None, seconds=delay_s)
        say(sandbox.url)
        sys.stdin.read()


@contextlib.contextmanager
def server(kind: str, delay_s: float) -> Iterator[str]:
    """Run a server in a process of its own, and give its address."""
    command = [sys.executable, "-m", MODULE, "--serve", kind, "--delay-ms", str(delay_s * 1000)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, cwd=REPOSITORY) as running:  # noqa: S603 - ours
        try:
            assert running.stdout is not None  # noqa: S101 - a pipe
            yield running.stdout.readline().strip()
        finally:
            running.terminate()


# Competitors


def loop_of_posts(url: str, path: Path, items: int, _: int) -> None:
    """Send the first items as anybody would."""
    import requests

    with requests.Session() as session, path.open() as file:
        session.headers["Authorization"] = TOKEN
        for _, line in zip(range(items), file, strict=False):
            reply = session.post(f"{url}/v1/datamarts/{DATAMART}/user_activities", json=json.loads(line), timeout=60)
            reply.raise_for_status()


def bare_aiohttp(url: str, path: Path, items: int, concurrency: int) -> None:
    """Send the first items with aiohttp and nothing else: what it costs alone."""
    import aiohttp
    import yarl

    address = yarl.URL(f"{url}/v1/datamarts/{DATAMART}/user_activities")
    headers = {"Authorization": TOKEN, "Content-Type": "application/json"}

    async def run() -> None:
        with path.open("rb") as file:
            lines = (line for _, line in zip(range(items), file, strict=False))
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:

                async def work() -> None:
                    for line in lines:
                        async with session.post(address, data=line, headers=headers) as response:
                            await response.read()

                await asyncio.gather(*(work() for _ in range(concurrency)))

    asyncio.run(run())


def client_alone(url: str, path: Path, items: int, concurrency: int) -> None:
    """Send the first items with our client and nothing around it."""
    from airflow_provider_mics.api import user_activities

    async def run() -> None:
        with path.open("rb") as file:
            lines = (json.loads(line) for _, line in zip(range(items), file, strict=False))
            async with _client(url, concurrency) as client:

                async def work() -> None:
                    for line in lines:
                        await client.send(user_activities.post(DATAMART, line))

                await asyncio.gather(*(work() for _ in range(concurrency)))

    asyncio.run(run())


def ours(url: str, path: Path, items: int, concurrency: int) -> None:
    """Send all items as a task does."""
    from airflow_provider_mics.bulk.files import LocalFile
    from airflow_provider_mics.bulk.items.kinds import activities
    from airflow_provider_mics.bulk.items.send import Sending, Try, send_items
    from airflow_provider_mics.bulk.items.source import FilesOfItems
    from airflow_provider_mics.bulk.verdict import Limits

    sending = Sending(
        kind=activities(DATAMART),
        source=FilesOfItems([LocalFile(path)]),
        open_client=lambda: _client(url, concurrency),
        concurrency=concurrency,
        limits=Limits(),
    )
    with tempfile.TemporaryDirectory() as folder:
        result = send_items(sending, Try(store=FileStore(Path(folder) / "state.json")))
    if result["accepted"] != items:
        sys.exit(f"Only {result['accepted']} of {items} activities are in")


class FileStore:
    """Keeps the state of a task in a file."""

    survives = True

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, _: str) -> Any:
        """Return nothing: each run is the first."""

    def set(self, key: str, value: Any) -> None:
        """Write it."""
        self._path.write_text(json.dumps({key: value}))


def _client(url: str, concurrency: int) -> Any:
    from airflow_provider_mics.api.async_client import AsyncMicsClient
    from airflow_provider_mics.api.credentials import TokenCredentials
    from airflow_provider_mics.api.settings import APISettings

    return AsyncMicsClient(APISettings(base_url=url), TokenCredentials(TOKEN), connections=concurrency)


COMPETITORS: Final[dict[str, Callable[[str, Path, int, int], None]]] = {
    "loop": loop_of_posts,
    "aiohttp": bare_aiohttp,
    "client": client_alone,
    "ours": ours,
}


def compete(name: str, url: str, path: Path, items: int, concurrency: int, *, profiled: bool) -> None:
    """Send items, and print what it took as JSON."""
    run = COMPETITORS[name]
    profile = cProfile.Profile() if profiled else None
    began, cpu = time.perf_counter(), _cpu_s()
    if profile:
        from airflow_provider_mics.bulk.items import send

        # On this thread, which is the one that the profiler sees.
        vars(send)["run_beside"] = lambda work, stop: asyncio.run(work())  # noqa: ARG005 - as the original
        profile.runcall(run, url, path, items, concurrency)
        tell_profile(profile, items)
    else:
        run(url, path, items, concurrency)
    took = {
        "s": time.perf_counter() - began,
        "cpu_s": _cpu_s() - cpu,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    say(json.dumps(took))


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measured(name: str, url: str, path: Path, items: int, concurrency: int, *more: str) -> dict[str, float]:
    """Send items in a process of its own."""
    arguments = ["--compete", name, "--url", url, "--path", str(path), "--items", str(items)]
    command = [sys.executable, "-W", "ignore", "-m", MODULE, *arguments, "--concurrency", str(concurrency), *more]
    done = subprocess.run(  # noqa: S603 - ours
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True, cwd=REPOSITORY
    )
    *said, figures = done.stdout.splitlines()
    for line in said:
        say(line)
    return dict(json.loads(figures))


# Report


def compare(kind: str, delay_ms: float, path: Path, *, items: int, concurrency: int, rounds: int) -> None:
    """Let both send to a server, in turn."""
    loop_items = min(items, LOOP_ITEMS // 10 if delay_ms else LOOP_ITEMS)
    loops, tasks, ratios = [], [], []
    with server(kind, delay_ms / 1000) as url:
        for _ in range(rounds):
            loops.append(loop_items / measured("loop", url, path, loop_items, 1)["s"])
            tasks.append(items / measured("ours", url, path, items, concurrency)["s"])
            ratios.append(tasks[-1] / loops[-1])
    waits = f"{delay_ms:g} ms" if delay_ms else "none"
    say(
        f"{kind:9} {waits:>8} {concurrency:>12} {statistics.median(loops):>12,.0f} {statistics.median(tasks):>12,.0f} "
        f"{statistics.median(ratios):>9.1f}   {items:>10,}  ({min(ratios):.1f} to {max(ratios):.1f})"
    )


def explain(path: Path, items: int, concurrency: int, rounds: int) -> None:
    """Say what a request costs each client in processor time, and what that goes into."""
    with server("sink", 0) as url:
        say(f"\nProcessor time of the client for one request, sink, no delay, {concurrency} at a time:")
        costs = {
            name: min(measured(name, url, path, items, concurrency)["cpu_s"] for _ in range(rounds)) / items * 1e6
            for name in ("aiohttp", "client", "ours")
        }
        few = min(items, LOOP_ITEMS)
        costs["loop"] = min(measured("loop", url, path, few, 1)["cpu_s"] for _ in range(rounds)) / few * 1e6
        for name, text in (
            ("loop", "requests.post with a session"),
            ("aiohttp", "aiohttp alone, lines as they are"),
            ("client", "our client: tokens, repeats, errors, replies read"),
            ("ours", "the whole task: files, checks, progress"),
        ):
            say(f"  {costs[name]:6.0f} us  {text}")
        say("\nWhat the whole task's time goes into (under cProfile, which makes Python code seem slower):")
        few = min(items, SMALL)
        measured("ours", url, write(path.with_name("profiled.ndjson"), few), few, concurrency, "--profile")


def tell_profile(profile: cProfile.Profile, items: int) -> None:
    """Print own time by package."""
    shares: dict[str, float] = {}
    stats: Any = pstats.Stats(profile)
    for (file, _, name), (_, _, own_s, _, _) in stats.stats.items():
        shares[_owner(file, name)] = shares.get(_owner(file, name), 0) + own_s
    total = sum(shares.values())
    for owner, own_s in sorted(shares.items(), key=lambda share: -share[1])[:9]:
        say(f"  {own_s / total:5.0%}  {own_s / items * 1e6:5.0f} us  {owner}")


def _owner(file: str, name: str) -> str:
    for mark, owner in (
        ("airflow_provider_mics/api", "our client"),
        ("airflow_provider_mics/bulk", "our engine, files, checks"),
        ("aiohttp", "aiohttp"),
        ("yarl", "aiohttp"),
        ("multidict", "aiohttp"),
        ("asyncio", "asyncio"),
        ("msgspec", "msgspec"),
    ):
        if mark in file:
            return owner
    if "socket" in name or "poll" in name:
        return "the kernel: send, recv, epoll"
    return "asyncio" if "_contextvars" in name or "_asyncio" in name else "the rest of Python"


def tell_memory(folder: Path, path: Path, items: int, concurrency: int) -> None:
    """Compare the most memory that few and many items take."""
    with server("sink", 0) as url:
        few = min(SMALL, items)
        small = write(folder / "small.ndjson", few)
        peaks = [
            measured("ours", url, file, count, concurrency)["peak"] for file, count in ((small, few), (path, items))
        ]
    say(
        f"\nMost memory of the process: {peaks[0] / MEGABYTE:.1f} MB for {few:,} activities, "
        f"{peaks[1] / MEGABYTE:.1f} MB for {items:,}."
    )


def write(path: Path, items: int) -> Path:
    """Write activities."""
    with path.open("w") as file:
        for number in range(items):
            file.write(f"{json.dumps(activity(number), separators=(',', ':'))}\n")
    return path


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Run it all, or what a process of its own does."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--delay-ms", type=float, default=20)
    for name in ("--serve", "--compete", "--url"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--profile", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve == "sink":
        asyncio.run(serve_sink(options.delay_ms / 1000))
    elif options.serve:
        serve_sandbox(options.delay_ms / 1000)
    elif options.compete:
        compete(
            options.compete, options.url, options.path, options.items, options.concurrency, profiled=options.profile
        )
    else:
        with tempfile.TemporaryDirectory() as folder:
            run(Path(folder), options)


def run(folder: Path, options: argparse.Namespace) -> None:
    """Run it all."""
    items, rounds, concurrency = options.items, options.rounds, options.concurrency
    path = write(folder / "activities.ndjson", items)
    say(f"{items:,} activities, {path.stat().st_size / items:.0f} bytes each; medians of {rounds} rounds\n")
    say("server       delay  at one time  loop, per s  ours, per s     ratio   activities")
    for kind, delay_ms, most, count in (
        ("sandbox", options.delay_ms, 4 * concurrency, items),
        ("sandbox", 0, concurrency, items),
        ("sink", options.delay_ms, 4 * concurrency, items),
        ("sink", options.delay_ms, 12 * concurrency, items),
        ("sink", 2, 4 * concurrency, items),
        ("sink", 0, concurrency, items),
        # Bound by the number of calls at a time, so fewer tell as much.
        ("sink", options.delay_ms, concurrency, min(SMALL, items)),
    ):
        file = path if count == items else write(folder / "fewer.ndjson", count)
        compare(kind, delay_ms, file, items=count, concurrency=most, rounds=rounds)
    explain(path, items, concurrency, rounds)
    tell_memory(folder, path, items, concurrency)


if __name__ == "__main__":
    main()
