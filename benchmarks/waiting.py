"""What many waits in one triggerer process cost: ``python -m benchmarks.waiting``.

Waits of several kinds, each kind in a fresh process with one event loop, against the sandbox in another process:

- asleep: each only sleeps. What is beyond it is what waiting costs.
- shared: this provider's trigger. All waits for one import share a list call an interval.
- one by one: each wait asks for its execution once an interval, all over one session: what the triggers of dbt Cloud
  and Airbyte do, made better by the session.
- HttpSensor-like: as ``HttpTrigger`` of apache-airflow-providers-http, which opens a session for each request.

Counted from the first look of all on, over whole intervals: requests as the sandbox counts them, CPU of the process,
memory beyond its start, and how late a task wakes that sleeps for 10 ms (the lag of the event loop). CPU and memory are
also given as ratios to those of the shared waits. The machine's other work shows in the lag of those that sleep.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import gc
import io
import json
import os
import pstats
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

REPOSITORY: Final = Path(__file__).resolve().parents[1]
KINDS: Final = ("asleep", "shared", "one by one", "HttpSensor-like")
#: A whole day, in s: nothing ends while it is measured.
FOREVER_S: Final = 86_400.0
LAG_SAMPLE_S: Final = 0.01
#: What is promised of 10,000 waits over 100 imports at 30 s.
TARGETS: Final = {"% of a core beyond asleep": 1.0, "kB a wait beyond asleep": 4.0, "lag p99, ms": 10.0}

_BODY: Final = (
    b'{"operation":"UPSERT","compartment_id":"1","user_account_id":"a","force_replace":true,"user_profile":{}}\n'
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--waits", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--imports", type=int, default=100)
    parser.add_argument("--interval", type=float, default=30.0, help="s")
    parser.add_argument("--intervals", type=int, default=2, help="how many are measured")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--no-profile", action="store_true", help="do not say what dominates")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        sys.stdout.write(json.dumps(asyncio.run(_measure(json.loads(arguments.measure)))))
        return
    for waits in arguments.waits:
        _compare(waits, arguments)


def _compare(waits: int, arguments: argparse.Namespace) -> None:
    from devel.sandbox_process import SandboxProcess

    with (
        tempfile.TemporaryDirectory(prefix="waiting-") as folder,
        SandboxProcess(Path(folder) / "sandbox.log", pending_s=FOREVER_S) as sandbox,
    ):
        sandbox.control("POST", "settings", {"check_lines": False})
        ids = _upload(sandbox.connection, waits, arguments.imports)
        job = {
            "ids": ids,
            "interval_s": arguments.interval,
            "intervals": arguments.intervals,
            "counts": f"{sandbox.url}/_sandbox/counts",
        }
        environ = {
            **os.environ,
            "AIRFLOW_HOME": folder,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_MICS_DEFAULT": json.dumps(sandbox.connection),
        }
        found = {kind: _in_process({**job, "kind": kind}, environ) for kind in arguments.kinds}
        _report(waits, arguments, found)
        if "shared" in found and not arguments.no_profile:
            profiled = _in_process({**job, "kind": "shared", "profile": True}, environ)
            sys.stdout.write(f"What dominates the shared waits, s of {profiled['cpu_s']:.2f}:\n{profiled['profile']}\n")


def _upload(connection: Any, waits: int, imports: int) -> dict[str, list[str]]:
    """Create the executions, evenly over the imports, and return their ids by import."""
    from airflow_provider_mics.api import document_imports, executions
    from airflow_provider_mics.api.client import MicsClient
    from airflow_provider_mics.api.credentials import TokenCredentials
    from airflow_provider_mics.api.settings import APISettings

    class Body(io.BytesIO):
        def __len__(self) -> int:
            return len(_BODY)

    mime_type, datamart_id = "APPLICATION_X_NDJSON", connection["extra"]["datamart_id"]
    with MicsClient(APISettings(base_url=connection["host"]), TokenCredentials(connection["password"])) as client:
        made: dict[str, list[str]] = {}
        for number in range(imports):
            call = document_imports.create(
                datamart_id, document_type="USER_PROFILE", name=str(number), mime_type=mime_type
            )
            made[str(client.send(call).id)] = []

        def upload(document_import_id: str) -> None:
            call = executions.upload(
                datamart_id, document_import_id, mime_type=mime_type, open_body=lambda: Body(_BODY)
            )
            made[document_import_id].append(client.send(call).execution_id)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(upload, [list(made)[number % imports] for number in range(waits)]))
    return made


def _in_process(job: dict[str, Any], environ: dict[str, str]) -> dict[str, Any]:
    sys.stderr.write(f"{job['kind']}: {sum(map(len, job['ids'].values()))} waits\n")
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "benchmarks.waiting", "--measure", json.dumps({**job, "ids": None})],
        input=json.dumps(job["ids"]),
        env=environ,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    # Airflow may have something to say before.
    answer: dict[str, Any] = json.loads(done.stdout[done.stdout.rindex('{"kind"') :])
    return answer


# -- the process that is measured -----------------------------------------------------------------------------------


async def _measure(job: dict[str, Any]) -> dict[str, Any]:
    ids: dict[str, list[str]] = json.load(sys.stdin)
    pairs = [(document_import_id, item) for document_import_id, items in ids.items() for item in items]
    interval_s = float(job["interval_s"])
    stack = contextlib.AsyncExitStack()
    start = await _PREPARE[job["kind"]](interval_s, stack)
    # Its imports are no cost of a wait either.
    _requests(job["counts"])
    gc.collect()
    memory_before = _memory_kb()
    tasks = [asyncio.ensure_future(start(*pair)) for pair in pairs]
    # Those that share look for the first time after ten seconds, the others within an interval.
    await asyncio.sleep(max(interval_s, 12.0) + 3.0)
    profile = cProfile.Profile() if job.get("profile") else None
    requests, cpu_s, begun = _requests(job["counts"]), time.process_time(), time.monotonic()
    if profile:
        profile.enable()
    lags = await _lags(interval_s * job["intervals"])
    if profile:
        profile.disable()
    cpu_s, took_s = time.process_time() - cpu_s, time.monotonic() - begun
    requests = _requests(job["counts"]) - requests
    gc.collect()
    memory_kb = _memory_kb() - memory_before
    if failed := [task for task in tasks if task.done()]:
        raise RuntimeError(f"{len(failed)} waits have ended: {failed[0].exception()}")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await stack.aclose()
    return {
        "kind": job["kind"],
        "requests": requests / job["intervals"],
        "cpu_s": cpu_s,
        "core": 100 * cpu_s / took_s,
        "kb": memory_kb / len(pairs),
        "lag_p99_ms": 1000 * lags[int(0.99 * len(lags))],
        "lag_max_ms": 1000 * lags[-1],
        "profile": _dominates(profile) if profile else "",
    }


async def _asleep(interval_s: float, _: contextlib.AsyncExitStack) -> Any:
    async def wait(__: str, ___: str) -> None:
        await asyncio.sleep(random.uniform(0, interval_s))  # noqa: S311 - not a secret
        while True:  # noqa: ASYNC110 - to sleep is what it is for
            await asyncio.sleep(interval_s)

    return wait


async def _shared(interval_s: float, stack: contextlib.AsyncExitStack) -> Any:
    from airflow_provider_mics.hooks.mics import MicsHook
    from airflow_provider_mics.triggers.execution import MicsExecutionTrigger

    # What is imported at the first look is no cost of a wait.
    await stack.enter_async_context(MicsHook().async_client())
    deadline = time.time() + FOREVER_S
    datamart_id = _connection()["extra"]["datamart_id"]

    async def wait(document_import_id: str, execution_id: str) -> None:
        trigger = MicsExecutionTrigger(
            mics_conn_id="mics_default",
            datamart_id=datamart_id,
            document_import_id=document_import_id,
            execution_ids=[execution_id],
            poke_interval=interval_s,
            deadline=deadline,
        )
        async for event in trigger.run():
            raise RuntimeError(f"ended: {event}")

    return wait


async def _one_by_one(interval_s: float, stack: contextlib.AsyncExitStack) -> Any:
    from airflow_provider_mics.api import executions
    from airflow_provider_mics.hooks.mics import MicsHook

    hook = MicsHook()
    client = await stack.enter_async_context(hook.async_client())
    datamart_id = hook.datamart_id

    async def wait(document_import_id: str, execution_id: str) -> None:
        await asyncio.sleep(random.uniform(0, interval_s))  # noqa: S311 - not a secret
        while True:
            await client.send(executions.get(datamart_id, document_import_id, execution_id))
            await asyncio.sleep(interval_s)

    return wait


async def _http_sensor_like(interval_s: float, _: contextlib.AsyncExitStack) -> Any:
    import aiohttp

    connection = _connection()
    headers = {"Authorization": connection["password"]}
    base = f"{connection['host']}/v1/datamarts/{connection['extra']['datamart_id']}/document_imports"

    async def wait(document_import_id: str, execution_id: str) -> None:
        await asyncio.sleep(random.uniform(0, interval_s))  # noqa: S311 - not a secret
        while True:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{base}/{document_import_id}/executions/{execution_id}", headers=headers) as response,
            ):
                await response.json()
            await asyncio.sleep(interval_s)

    return wait


_PREPARE: Final[dict[str, Callable[[float, contextlib.AsyncExitStack], Awaitable[Any]]]] = {
    "asleep": _asleep,
    "shared": _shared,
    "one by one": _one_by_one,
    "HttpSensor-like": _http_sensor_like,
}


def _connection() -> Any:
    return json.loads(os.environ["AIRFLOW_CONN_MICS_DEFAULT"])


async def _lags(seconds: float) -> list[float]:
    """Sleep for so long, and return how late each short sleep in it has ended, sorted."""
    lags = []
    ends_at = time.monotonic() + seconds
    while (before := time.monotonic()) < ends_at:
        await asyncio.sleep(LAG_SAMPLE_S)
        lags.append(time.monotonic() - before - LAG_SAMPLE_S)
    return sorted(lags)


def _requests(counts_url: str) -> int:
    import requests

    return int(requests.get(counts_url, timeout=60).json()["total"])


def _memory_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS")


def _dominates(profile: cProfile.Profile) -> str:
    out = io.StringIO()
    pstats.Stats(profile, stream=out).sort_stats("tottime").print_stats(12)
    lines = [line for line in _table(out.getvalue().splitlines()) if "select.epoll" not in line]
    return "\n".join(line.replace(f"{REPOSITORY}{os.sep}", "") for line in lines[:11])


def _table(lines: Sequence[str]) -> Iterator[str]:
    begun = False
    for line in lines:
        begun = begun or "tottime" in line
        if begun and line.strip():
            yield line


# -- the report -----------------------------------------------------------------------------------------------------


def _report(waits: int, arguments: argparse.Namespace, found: dict[str, dict[str, Any]]) -> None:
    asleep, shared = found.get("asleep"), found.get("shared")
    sys.stdout.write(
        f"\n{waits} waits over {arguments.imports} imports, looked at every {arguments.interval:g} s\n"
        "| kind | requests an interval | % of a core | kB a wait | lag p99, ms | max | CPU x | memory x |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    for kind, it in found.items():
        cpu = f"{it['core'] / shared['core']:.1f}" if shared else ""
        memory = f"{it['kb'] / shared['kb']:.1f}" if shared else ""
        sys.stdout.write(
            f"| {kind} | {it['requests']:.0f} | {it['core']:.2f} | {it['kb']:.1f} | {it['lag_p99_ms']:.1f} "
            f"| {it['lag_max_ms']:.0f} | {cpu} | {memory} |\n"
        )
    if not (asleep and shared):
        return
    reached = {
        "% of a core beyond asleep": shared["core"] - asleep["core"],
        "kB a wait beyond asleep": shared["kb"] - asleep["kb"],
        "lag p99, ms": shared["lag_p99_ms"],
    }
    for name, value in reached.items():
        verdict = "met" if value <= TARGETS[name] else "missed"
        sys.stdout.write(f"{name}: {value:.2f} (target {TARGETS[name]:g}, {verdict})\n")
    pages = -(-waits // arguments.imports // 500)
    most = arguments.imports * max(pages, 1)
    verdict = "met" if shared["requests"] <= most else "missed"
    sys.stdout.write(f"list calls an interval: {shared['requests']:.1f} (target {most}, {verdict})\n")


if __name__ == "__main__":
    main()
