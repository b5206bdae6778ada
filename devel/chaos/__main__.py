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
    from collections.abc import Sequence


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


def _play(seeds: Sequence[int], lanes: int, keep: Path) -> Any:
    """Play loads in lanes, each a process with a sandbox of its own, and give what each came to."""
    # Each lane, and each try in it, is a fork of this process, which has imported Airflow once.
    context = multiprocessing.get_context("fork")
    results: Any = context.Queue()
    processes = [context.Process(target=_lane, args=(seeds[number::lanes], keep, results)) for number in range(lanes)]
    for process in processes:
        process.start()
    left = len(seeds)
    while left:
        try:
            found = results.get(timeout=5)
        except multiprocessing.queues.Empty:  # type: ignore[attr-defined]
            if not any(process.is_alive() for process in processes):
                raise RuntimeError(f"{left} loads were not played: a lane has ended") from None
            continue
        left -= 1
        yield Played(**json.loads(found))
    for process in processes:
        process.join()


def _lane(seeds: Sequence[int], keep: Path, results: Any) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="chaos-lane-") as folder,
        SandboxProcess(Path(folder) / "sandbox.txt", pending_s=0.02, running_s=0.02) as sandbox,
    ):
        lane = Lane(sandbox, keep)
        for seed in seeds:
            results.put(json.dumps(dataclasses.asdict(lane.play(plan_of(seed)))))


if __name__ == "__main__":
    sys.exit(main())
