"""A short chaos run: whole loads in real processes, killed and disturbed at random."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def test_loads_that_are_killed_and_disturbed_lose_and_double_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "devel.chaos", "--loads", "24", "--lanes", "6", "--seed", "1"]
    run = subprocess.run(  # noqa: S603
        [*command, "--keep", str(tmp_path / "wrong")], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert "| **lines lost** | 0 |" in run.stdout
    assert "| **lines doubled** (USER_ACTIVITY) | 0 |" in run.stdout
    assert "| **false greens** | 0 |" in run.stdout
