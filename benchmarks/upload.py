"""Sending 1 GB in 10 parts: ``make bench-upload``, or ``python -m benchmarks.upload``.

Against ``curl -T`` for each part that ``split -C`` has made, all over one connection; a loop of ``requests.post``; and
Airflow's ``HttpOperator`` with each part as its data. What ``split`` takes is not counted here.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import files, sink
from benchmarks.measuring import GIGA, MEGA, Spread, column, in_turn, python, ratios, run, started
from benchmarks.programs import EXECUTIONS, TOKEN
from benchmarks.results import Part, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.measuring import Run

CURL: Final = "curl -T"
OURS: Final = "this provider, one connection"
TWO: Final = "this provider, two (its default)"
LOOP: Final = "requests.post(data=open(...)) each"
OPERATOR: Final = "HttpOperator, data=content of a part"
ABOUT: Final = """\
1 GB of profiles in 10 parts. `without start` leaves out starting the interpreter and importing, which a task has done
anyway; for curl it is the whole process. This provider reads ranges of the one file, unchecked, and counts its lines on
the way; the others send parts that `split -C` has made before, which is not counted."""


def curl(url: str, parts: Sequence[Path], authority: Path | None) -> list[str]:
    """Return the command that sends all parts over one connection."""
    command = [files.tool("curl"), "-sS", "--fail", "-X", "POST", "-H", f"Authorization: {TOKEN}"]
    command += ["-H", "Content-Type: application/x-ndjson"]
    command += ["--cacert", str(authority)] if authority else []
    for part in parts:
        command += ["-T", str(part), f"{url}{EXECUTIONS}", "-o", "/dev/null"]
    return command


def compete(path: Path, parts: Sequence[Path], folder: Path, options: argparse.Namespace, *, tls: bool) -> Any:
    """Let all send to one server."""
    certificate, authority = sink.certificates(folder) if tls else (None, None)
    with sink.running(certificate=certificate) as url:
        common = ["--url", url, *(["--ca", authority] if authority else [])]
        ours = python("benchmarks.programs", "upload", "--file", path, "--part-bytes", options.part_bytes, *common)
        competitors: dict[str, Callable[[], Run]] = {
            CURL: lambda: run(curl(url, parts, authority)),
            OURS: lambda: run(ours),
            TWO: lambda: run([*ours, "--parallel", "2"]),
            LOOP: lambda: run(python("benchmarks.programs", "loop_of_posts", *common, "--parts", *parts)),
        }
        if options.yardstick:
            operator = python("benchmarks.programs", "http_operator", *common, "--parts", *parts)
            environ = {
                "PYTHONPATH": str(options.yardstick.resolve()),
                "AIRFLOW_HOME": str(folder / "airflow"),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW_CONN_BENCH": json.dumps({"conn_type": "http", "host": url}),
            }
            competitors[OPERATOR] = lambda: run(operator, environ=environ)
        runs = in_turn(competitors, options.rounds)
        idle = run(python("benchmarks.programs", "idle", *common))
        profile = run([*ours, "--profile"]).told["profile"]
    return runs, idle, profile


def slow_server(folder: Path) -> tuple[bool, bool]:
    """Send 20 MB to a healthy server that takes 4 MB/s, with a timeout of 2 s, and tell who succeeds: we, and stock."""
    path = files.profile_file(folder, 20 * MEGA)

    def succeeds(*program: Any) -> bool:
        try:
            run(python("benchmarks.programs", *program, "--url", url, "--timeout", "2"))
        except RuntimeError:
            return False
        return True

    with sink.running(mb_per_s=4) as url:
        return succeeds("upload", "--file", path), succeeds("post_content", "--parts", path)


def judge(part: Part, runs: Mapping[str, Sequence[Run]], idle: Run) -> None:
    """Compare with the targets."""
    ours, curls, loops = runs[OURS], runs[CURL], runs[LOOP]
    wall = column(curls, "wall_s")
    part.target("U1", "sending over TLS / `curl -T`, wall", ratios(column(ours, "inner_s"), wall), 1.05)
    part.target("U2", "whole process over TLS / `curl -T`, wall", ratios(column(ours, "wall_s"), wall), 1.3)
    for name, field in (("sending", "inner_cpu_s"), ("whole process", "cpu_s")):
        cpu = ratios(column(ours, field), column(loops, field))
        part.target("U4", f"CPU of {name} over TLS / `requests.post(data=file)`", cpu, 0.9)
    rise = Spread.of((value - idle.peak_bytes) / MEGA for value in column(ours, "peak_bytes"))
    part.target("U5", "memory above a process that has sent nothing, MB", rise, 8)


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mb", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--yardstick", type=Path, help="folder with airflow.providers.http")
    options = parser.parse_args()
    part = Part(title="Upload", about=ABOUT)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        path = files.profile_file(folder, options.mb * MEGA)
        size = path.stat().st_size
        # Ten parts: each ends with a whole line.
        options.part_bytes = size // 10 + 1000
        parts = files.split(path, folder / "parts", options.part_bytes)
        for tls in (True, False):
            runs, idle, profile = compete(path, parts, folder, options, tls=tls)
            part.compare("Over TLS" if tls else "Without TLS, for what it tells", runs, CURL, size)
            steps = "; ".join(f"{share:.0%} {name}" for name, share in profile.items())
            part.notes.append(f"What our sending goes into {'over' if tls else 'without'} TLS (cProfile): {steps}.")
            if tls:
                judge(part, runs, idle)
                title = f"Upload of {options.mb / 1000:g} GB over TLS"
                for competitor, taken in runs.items():
                    seconds = Spread.of(value * GIGA / size for value in column(taken, "cpu_s"))
                    part.figures[f"{title}: processor time, s/GB|{competitor}"] = seconds.median
                    peak = Spread.of(value / MEGA for value in column(taken, "peak_bytes"))
                    part.figures[f"{title}: memory, MB|{competitor}"] = peak.median
        ours, stock = slow_server(folder)
    part.notes.append(
        f"The start: an interpreter that does nothing takes {started().text(3)} s, one that imports requests "
        f"{started('requests').text(3)} s, one that imports what sends files "
        f"{started('airflow_provider_mics.api.client', 'airflow_provider_mics.bulk.upload').text(3)} s."
    )
    part.target("U6", "failures at a healthy server of 4 MB/s, timeout 2 s, part of 20 MB", float(not ours), 0)
    part.notes.append(
        f"U6: `requests.post(data=content)` with the same timeout {'succeeds' if stock else 'fails'} there: the whole "
        "part must then be sent within the timeout."
    )
    keep("upload", part)


if __name__ == "__main__":
    main()
