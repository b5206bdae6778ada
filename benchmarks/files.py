"""The files that are loaded, and the parts that ``split -C`` makes of them."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from benchmarks.preflight import profiles, segment_rows, write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PART_BYTES: Final = 100_000_000
#: Bytes that are invented; a larger file repeats them.
_INVENTED: Final = 20_000_000


def profile_file(folder: Path, size: int) -> Path:
    """Write an NDJSON file of just under ``size``: profiles, 440 bytes a line, nearly all with accents."""
    return _repeated(
        folder / f"profiles-{size}.ndjson", write(folder / "invented", profiles(min(_INVENTED, size))), size
    )


def segment_file(folder: Path, size: int, *, quoted: bool) -> Path:
    """Write rows of a segment into a CSV file of about ``size``; if ``quoted``, with newlines inside quotes."""
    invented = write(folder / "invented", segment_rows(min(_INVENTED, size), quoted=quoted))
    return _repeated(folder / f"segment-{'quoted' if quoted else 'plain'}-{size}.csv", invented, size, header_lines=1)


def split(path: Path, folder: Path, part_bytes: int = PART_BYTES) -> Sequence[Path]:
    """Split a file with GNU split."""
    folder.mkdir()
    subprocess.run(split_command(path, folder, part_bytes), check=True)  # noqa: S603 - our own path
    return sorted(folder.iterdir())


def split_command(path: Path, folder: Path, part_bytes: int = PART_BYTES) -> list[str]:
    """Return the command that does it."""
    return [tool("split"), "-C", str(part_bytes), str(path), f"{folder}/part-"]


def tool(name: str) -> str:
    """Return where a program is.

    :raises SystemExit: It is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not installed.")
    return found


def _repeated(path: Path, invented: Path, size: int, header_lines: int = 0) -> Path:
    content = invented.read_bytes()
    invented.unlink()
    header = b"".join(content.splitlines(keepends=True)[:header_lines])
    body = content[len(header) :]
    left = size - len(header)
    with path.open("wb") as file:
        file.write(header)
        while left >= len(body):
            file.write(body)
            left -= len(body)
        if not header_lines:
            file.write(body[: body.rfind(b"\n", 0, left) + 1])
    return path
