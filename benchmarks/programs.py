"""The programs that are measured: ``python -m benchmarks.programs NAME OPTIONS``, each in a process of its own.

Each prints what it tells of itself as JSON: ``inner_s`` and ``inner_cpu_s``, without the start of the interpreter and
the imports, and ``peak_bytes``.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: What the sink takes.
DATAMART: Final = "1509"
DOCUMENT_IMPORT: Final = "7"
TOKEN: Final = "api:bench"  # noqa: S105 - for our own server
EXECUTIONS: Final = f"/v1/datamarts/{DATAMART}/document_imports/{DOCUMENT_IMPORT}/executions"
NDJSON: Final = "APPLICATION_X_NDJSON"
HEADERS: Final = {"Authorization": TOKEN, "Content-Type": "application/x-ndjson"}


def idle(options: argparse.Namespace) -> Callable[[], None]:
    """Import what an upload needs, and open a client: what a process is before it sends anything."""
    client = _client(options)
    return client.close  # type: ignore[no-any-return]


def upload(options: argparse.Namespace) -> Callable[[], None]:
    """Plan one file and send its parts, unchecked."""
    from airflow_provider_mics.bulk.files import LocalFile
    from airflow_provider_mics.bulk.planning import plan_load

    client = _client(options)

    def work() -> None:
        plan = plan_load([LocalFile(options.file)], mime_type=NDJSON, max_part_bytes=options.part_bytes)
        _send(client, plan, options)
        client.close()

    return work


def load(options: argparse.Namespace) -> Callable[[], dict[str, Any]]:
    """Do a whole load as a task does: check (unless told not to), cut, send, wait, judge."""
    from airflow_provider_mics.api import document_imports
    from airflow_provider_mics.bulk.dead_letters import DeadLetters
    from airflow_provider_mics.bulk.files import LocalFile
    from airflow_provider_mics.bulk.loading import plan_files
    from airflow_provider_mics.bulk.outcome import conclude
    from airflow_provider_mics.bulk.verdict import Limits
    from airflow_provider_mics.bulk.watch import Step, Watch

    client = _client(options)

    def work() -> dict[str, Any]:
        definition = {"document_type": "USER_PROFILE", "name": "Benchmark"}
        document_import = client.send(document_imports.create(DATAMART, **definition))
        begun = time.perf_counter()
        plan = plan_files(
            [LocalFile(options.file)],
            document_type=document_import.document_type,
            mime_type=document_import.mime_type,
            encoding="utf-8",
            is_checked=options.preflight != "off",
            max_part_bytes=options.part_bytes,
            # No line is bad: nothing is written.
            dead_letters=DeadLetters("", io.BytesIO) if options.preflight == "dead_letter" else None,
            goes_on=True,
        )
        planned_s = time.perf_counter() - begun
        sent = _send(client, plan, options)
        watch = Watch(
            document_import_id=str(document_import.id),
            execution_ids=[part.execution_id for part in sent],
            deadline=time.time() + 3600,
        )
        while (seen := watch.look(client.run, DATAMART)).step is Step.WAIT:
            time.sleep(1)
        summary = conclude(document_import, list(seen.found.values()), parts=sent, limits=Limits())
        client.close()
        return {"planned_s": planned_s, "accepted": summary["accepted"], "disk_bytes": written()}

    return work


def loop_of_posts(options: argparse.Namespace) -> Callable[[], None]:
    """Send files as anybody would: ``requests.post(url, data=file)``."""
    import requests

    def work() -> None:
        for part in options.parts:
            with part.open("rb") as file:
                url = f"{options.url}{EXECUTIONS}"
                reply = requests.post(url, data=file, headers=HEADERS, timeout=120, verify=options.ca or True)
            reply.raise_for_status()

    return work


def post_content(options: argparse.Namespace) -> Callable[[], None]:
    """Send files with all of their content at once: ``requests.post(url, data=content)``."""
    import requests

    def work() -> None:
        for part in options.parts:
            url = f"{options.url}{EXECUTIONS}"
            requests.post(url, data=part.read_bytes(), headers=HEADERS, timeout=options.timeout).raise_for_status()

    return work


def http_operator(options: argparse.Namespace) -> Callable[[], None]:
    """Send files with Airflow's ``HttpOperator``, the file's content as ``data``."""
    from airflow.providers.http.operators.http import HttpOperator

    def work() -> None:
        for number, part in enumerate(options.parts):
            HttpOperator(
                task_id=f"send_{number}",
                http_conn_id="bench",
                endpoint=EXECUTIONS,
                method="POST",
                headers=HEADERS,
                data=part.read_bytes(),
                extra_options={"verify": str(options.ca)} if options.ca else {},
                log_response=False,
            ).execute({})

    return work


def plan(options: argparse.Namespace) -> Callable[[], dict[str, Any]]:
    """Cut a file into parts, unchecked."""
    from airflow_provider_mics.bulk.files import LocalFile
    from airflow_provider_mics.bulk.parts import plan_parts

    def work() -> dict[str, Any]:
        mime_type = "TEXT_CSV" if options.file.suffix == ".csv" else NDJSON
        parts = plan_parts(LocalFile(options.file), mime_type=mime_type, max_part_bytes=options.part_bytes)
        return {"parts": len(parts)}

    return work


def _client(options: argparse.Namespace) -> Any:
    from airflow_provider_mics.api.client import MicsClient
    from airflow_provider_mics.api.credentials import TokenCredentials
    from airflow_provider_mics.api.settings import APISettings

    settings = APISettings(
        base_url=options.url, verify=str(options.ca) if options.ca else True, timeout_s=options.timeout
    )
    return MicsClient(settings, TokenCredentials(TOKEN))


def _send(client: Any, plan: Any, options: argparse.Namespace) -> Any:
    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.bulk.upload import Uploader

    document_import = DocumentImport(id=DOCUMENT_IMPORT, document_type="USER_PROFILE", mime_type=NDJSON)
    uploader = Uploader(client, DATAMART, document_import)
    if options.profile:
        # In this thread, which is the one that is watched.
        return [Uploader(client, DATAMART, document_import).send(part, file) for part, file in plan.planned]
    with plan.delivery() as (parts, discard):
        return uploader.send_all(parts, parallel_uploads=options.parallel, on_sent=discard)


def high_water(pid: int | str = "self") -> int:
    """Return the most memory that a process has had, in bytes; 0: it is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def written() -> int:
    """Return how many bytes this process has written to disks."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["write_bytes"])


def profile_of(work: Callable[[], Any]) -> dict[str, float]:
    """Return what the time of the main thread goes into: shares by function, the largest first."""
    import cProfile
    import pstats

    profile = cProfile.Profile()
    profile.runcall(work)
    own: Any = pstats.Stats(profile)
    times = {f"{Path(file).name} {name}" if line else name: taken[2] for (file, line, name), taken in own.stats.items()}
    largest = sorted(times.items(), key=lambda item: -item[1])[:6]
    return {name: seconds / own.total_tt for name, seconds in largest}


#: A program gets its options, does what need not be measured inside, and returns the rest.
PROGRAMS: Final[dict[str, Callable[[argparse.Namespace], Callable[[], Any]]]] = {
    program.__name__: program for program in (idle, upload, load, loop_of_posts, post_content, http_operator, plan)
}


def main() -> None:
    """Run one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("--url", default="")
    parser.add_argument("--ca", type=Path, help="file of CA certificates")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--parts", type=Path, nargs="*", default=[])
    parser.add_argument("--part-bytes", type=int, default=100_000_000)
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--preflight", choices=("fail", "dead_letter", "off"), default="off")
    parser.add_argument("--profile", action="store_true", help="tell what the time goes into instead")
    options = parser.parse_args()
    work = PROGRAMS[options.program](options)
    if options.profile:
        sys.stdout.write(f"{json.dumps({'profile': profile_of(work)})}\n")
        return
    begun, cpu = time.perf_counter(), time.process_time()
    told = work() or {}
    told |= {"inner_s": time.perf_counter() - begun, "inner_cpu_s": time.process_time() - cpu}
    sys.stdout.write(f"{json.dumps({**told, 'peak_bytes': high_water()})}\n")


if __name__ == "__main__":
    main()
