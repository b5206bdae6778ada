"""Says to uv what the user's pip is told: which indexes, links and certificates to use.

uv reads neither ``pip.conf`` nor ``PIP_*``, so behind a company's package mirror it would fail where pip works. Run as
``eval "$(.venv/bin/python devel/pip_settings.py)"`` before uv; what the user has set for uv itself is left alone.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_UV_NAMES: Final = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "trusted-host": "UV_INSECURE_HOST",
}
# Where uv lists several values with commas; the others take blanks, as pip does.
_COMMAS: Final = frozenset({"UV_FIND_LINKS"})


def uv_environment(pip_config: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Translate what ``pip config list`` printed: lines such as ``global.index-url='https://...'``."""
    found: dict[str, str] = {}
    # pip lists files first and the environment last; the later one wins, as in pip.
    for line in pip_config.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.partition(".")
        name = _UV_NAMES.get(option.strip())
        if name is None or section not in {"global", "install", ":env:"}:
            continue
        values = shlex.split(value)[0].split() if value else []
        if values:
            found[name] = (",".join if name in _COMMAS else " ".join)(values)
    if "UV_INDEX" in found:
        # pip takes the best version of all indexes; uv by default the first index that has the name.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {name: value for name, value in found.items() if name not in environ}


def main() -> None:
    """Print the settings as commands for the shell."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    for name, value in uv_environment(listed, os.environ).items():
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main()
