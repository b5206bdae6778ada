"""The servers that a cluster needs beside Airflow: whether they are there, and Debian's packages of them if not.

``python -m devel.many_workers.servers`` ends with code 0 if they are there, or are now.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from devel import postgres, redis

if TYPE_CHECKING:
    from collections.abc import Mapping

_INSTALL_S: Final = 300.0


def missing() -> dict[str, str]:
    """Return what is missing: why, by Debian's package."""
    reasons = {"postgresql": postgres.programs().reason, "redis-server": redis.missing()}
    return {package: reason for package, reason in reasons.items() if reason}


def install(packages: Mapping[str, str]) -> str | None:
    """Install Debian's packages, and return why not if that cannot be done."""
    if not packages:
        return None
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "only root can install them, on Debian"
    print(f"Installing {', '.join(packages)}", flush=True)
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "-qq"]
    for command in ([*apt, "update"], [*apt, "install", "--yes", "--no-install-recommends", *packages]):
        try:
            done = subprocess.run(
                command,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_INSTALL_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"{' '.join(command)} took more than {_INSTALL_S:g} s"
        if done.returncode:
            return f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}"
    postgres.programs.cache_clear()
    return None


def obtain() -> str | None:
    """See to it that the servers are there; return what is missing and why, if they cannot be."""
    wanted = missing()
    if not wanted:
        return None
    why_not = install(wanted)
    if still := missing():
        return f"{'; '.join(still.values())}. They were not installed: {why_not or 'the packages do not bring them'}."
    return None


def main() -> None:
    """Say what is missing."""
    if absent := obtain():
        print(absent)
        sys.exit(1)


if __name__ == "__main__":
    main()
