"""``make chaos``: whole loads in real processes, killed and disturbed at random, against the sandbox.

    python -m devel.chaos --loads 1000 --seed 1

The same seed is the same plan: what the loads are, what befalls them, and where they are killed. What comes of it may
differ in details, as far as time decides.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import multiprocessing.connection
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devel.chaos.judging import Played
from devel.chaos.lane import Lane
from devel.chaos.plans import plan_of
from devel.chaos.tally import Tally
from devel.sandbox_process import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the loads and print what came of them; 1 if anything did that must not."""
    parser = argparse.ArgumentParser(prog="python -m devel.chaos", description=__doc__.partition("\n")[0])
    parser.add_argument("--loads", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the first load's; the others count on (default: 1)")
    parser.add_argument("--lanes", type=int, default=8, help="loads at the same time (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="where the logs of loads that went wrong are left")
    options = parser.parse_args(arguments)
    keep = options.keep or Path(tempfile.mkdtemp(prefix="chaos-wrong-"))
    keep.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    tally = Tally()
    for played in _play(range(options.seed, options.seed + options.loads), options.lanes, keep):
        tally.add(played)
        for problem in played.wrong:
            print(f"seed {played.seed}: {problem}", flush=True)
        if sys.stderr.isatty():
            print(f"\r{tally.loads} loads", end="", file=sys.stderr)
    print(tally.table(time.monotonic() - began, first_seed=options.seed))
    if tally.is_clean:
        if not options.keep:
            keep.rmdir()
        return 0
    print(f"Logs of what went wrong are in {keep}")
    return 1


def _play(seeds: range, lanes: int, keep: Path) -> Iterator[Played]:
    """Play loads in lanes, each a process with a sandbox of its own, and give what each came to."""
    # Each lane, and each try in it, is a fork of this process, which has imported Airflow once and has no threads.
    context = multiprocessing.get_context("fork")
    begun = context.Value("i", 0)
    processes = {}
    for _ in range(lanes):
        reader, writer = context.Pipe(duplex=False)
        process = context.Process(target=_lane, args=(seeds, begun, keep, writer))
        process.start()
        writer.close()
        processes[reader] = process
    played = 0
    while processes:
        ready = multiprocessing.connection.wait(list(processes))
        for reader in [item for item in processes if item in ready]:
            try:
                found = reader.recv()
            except EOFError:
                processes.pop(reader).join()
            else:
                played += 1
                yield Played(**json.loads(found))
    if played < len(seeds):
        raise RuntimeError(f"{len(seeds) - played} loads were not played: a lane has failed")


def _lane(seeds: range, begun: Any, keep: Path, results: Any) -> None:
    with (
        results,
        tempfile.TemporaryDirectory(prefix="chaos-lane-") as folder,
        SandboxProcess(Path(folder) / "sandbox.txt", pending_s=0.02, running_s=0.02) as sandbox,
    ):
        lane = Lane(sandbox, keep)
        while True:
            with begun.get_lock():
                number = begun.value
                begun.value += 1
            if number >= len(seeds):
                return
            results.send(json.dumps(dataclasses.asdict(lane.play(plan_of(seeds[number])))))


if __name__ == "__main__":
    sys.exit(main())
