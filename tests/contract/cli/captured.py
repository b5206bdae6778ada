"""What docs/cli.md shows, as it comes out: its commands, run in their order on a terminal, against the sandbox.

``python -m tests.contract.cli.captured`` writes it into docs/cli.md anew, and into README.md where that shows the same
commands.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.imports import environment
from tests.contract.cli.conftest import connection_to, profiles
from tests.contract.cli.terminal import run_on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.sandbox import Sandbox

REPOSITORY: Final = Path(__file__).parents[3]
DOCUMENTS: Final = (REPOSITORY / "docs/cli.md", REPOSITORY / "README.md")
COLUMNS: Final = 100
_BLOCK: Final = re.compile(r"^```\n(\$ .*?)^```$", re.MULTILINE | re.DOTALL)
_TYPED: Final = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
#: In front of what comes of each command.
_MARK: Final = "\N{SYMBOL FOR RECORD SEPARATOR}"
#: What differs from run to run: times, and ids of errors.
_VARIES: Final = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00)?"
    r"|(?<=\s)\d+\.\d\b"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
#: Served by another test, as it ends only when it is stopped.
SERVING: Final = "airflow mics sandbox"


def shown(document: Path) -> list[tuple[str, str]]:
    """Return what is typed in a document, in order, and what it says comes of it."""
    return [
        (typed.group(1), typed.group(2))
        for block in _BLOCK.finditer(document.read_text())
        for typed in _TYPED.finditer(block.group(1))
    ]


def steady(text: str) -> str:
    """Return a text without what differs from run to run."""
    return _VARIES.sub("~", text)


def captured() -> dict[str, str]:
    """Run what docs/cli.md types, and return what comes of each command."""
    commands = [typed for typed, _ in shown(DOCUMENTS[0]) if typed != SERVING]
    with tempfile.TemporaryDirectory(prefix="cli-") as home:
        environ = {
            **environment(Path(home)),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////nowhere/airflow.db",
            "PYTHONPATH": str(REPOSITORY),
        }
        seen = run_on_terminal(
            [sys.executable, "-m", "tests.contract.cli.captured", home, *commands], environ, columns=COLUMNS
        )
    _, *outputs = "\n".join(seen.screen).split(_MARK)
    if seen.code or len(outputs) != len(commands):
        raise RuntimeError(seen.written)
    return {typed: f"{output.strip(chr(10))}\n" for typed, output in zip(commands, outputs, strict=True)}


def prepare(folder: Path) -> None:
    """Make the files that docs/cli.md speaks of."""
    night = folder / "night"
    night.mkdir()
    (night / "profiles-1.ndjson").write_bytes(profiles(20_000))
    lines = profiles(10_000, first=20_001).splitlines(keepends=True)
    lines[816] = lines[816].replace(b"UPSERT", b"MERGE")
    lines[7001] = lines[7001].rstrip()[:-1] + b"\n"
    for number in range(9000, 9010):
        lines[number] = b'{"operation":"DELETE","compartment_id":"1201","user_account_id":"crm-%d"}\n' % number
    lines.insert(5000, b"\n")
    (night / "profiles-2.ndjson").write_bytes(b"".join(lines))
    lines = profiles(500, first=30_001).splitlines(keepends=True)
    for number in (16, 120, 433):
        # Nobody can tell by the line that there is no such compartment.
        lines[number] = lines[number].replace(b"1201", b"1999")
    (night / "late.ndjson").write_bytes(b"".join(lines))
    segment = b"UPDATE,crm-%d,12,43200\n"
    header = b"OPERATION,USER_ACCOUNT_ID,SEGMENT_ID,EXPIRATION_DURATION\n"
    (night / "segments.csv").write_bytes(header + b"".join(segment % number for number in range(9000)))


def _play(home: str, commands: list[str]) -> None:
    from airflow.cli.cli_parser import get_parser

    from airflow_provider_mics.sandbox import Sandbox

    os.chdir(home)
    prepare(Path(home))
    parser = get_parser()
    with Sandbox() as sandbox:
        sandbox.settings.pending_s = sandbox.settings.running_s = 0
        sandbox.settings.compartments = ["1201"]
        os.environ["AIRFLOW_CONN_MICS_DEFAULT"] = connection_to(sandbox)
        for typed in commands:
            _set_scene(sandbox, typed)
            sys.stdout.write(f"{_MARK}\n")
            sys.stdout.flush()
            program, *arguments = shlex.split(typed.partition(" | ")[0])
            if program != "airflow":
                subprocess.run(typed, shell=True, check=True)  # noqa: S602
                continue
            args = parser.parse_args(arguments)
            with _pipe(typed), contextlib.suppress(SystemExit):
                args.func(args)


def _set_scene(sandbox: Sandbox, typed: str) -> None:
    """Put two executions there that have not ended before they are cancelled; end them before they are watched."""
    if " executions cancel " in typed:
        from airflow_provider_mics.hooks.mics import MicsHook
        from tests.contract.cli.conftest import Body

        sandbox.settings.pending_s = 3600
        for _ in range(2):
            MicsHook().create_execution(
                sandbox.imports[0].id, mime_type="APPLICATION_X_NDJSON", open_body=lambda: Body(profiles(1000))
            )
        sandbox.set_status(sandbox.executions[-2].id, "RUNNING")
    if " executions watch " in typed:
        sandbox.set_status(sandbox.executions[-2].id, "SUCCEEDED")


@contextlib.contextmanager
def _pipe(typed: str) -> Iterator[None]:
    """Let a command write into a pipe if it is typed so, and do what the other end does."""
    behind = typed.partition(" | ")[2]
    if not behind:
        yield
        return
    with tempfile.TemporaryFile("w+") as file:
        kept = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
        file.seek(0)
        subprocess.run(behind, shell=True, stdin=file, check=True)  # noqa: S602


def main() -> None:
    """Write what comes of the commands into the documents."""
    found = captured()
    for document in DOCUMENTS:

        def replaced(block: re.Match[str]) -> str:
            def again(typed: re.Match[str]) -> str:
                return f"$ {typed.group(1)}\n{found.get(typed.group(1), typed.group(2))}"

            return f"```\n{_TYPED.sub(again, block.group(1))}```"

        document.write_text(_BLOCK.sub(replaced, document.read_text()))


if __name__ == "__main__":
    if sys.argv[1:]:
        _play(sys.argv[1], sys.argv[2:])
    else:
        main()
