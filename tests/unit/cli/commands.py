"""Commands as Airflow runs them, without starting Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from airflow.cli.cli_config import ActionCommand, DefaultHelpParser, GroupCommand

from airflow_provider_mics.cli.definition import get_mics_cli_commands

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

GOOD = (
    b'{"operation":"UPSERT","compartment_id":"1201","user_account_id":"crm-1","force_replace":false,'
    b'"user_profile":{"$compartment_id":"1201","$user_account_id":"crm-1","city":"Lyon"}}\n'
)
DELETION = b'{"operation":"DELETE","compartment_id":"1201","user_account_id":"crm-1"}\n'
SECRET = "jeanne@example.org"
BAD = b'{"operation":"MERGE","email_hash":"' + SECRET.encode() + b'","user_profile":{}}\n'
HEADER = b"OPERATION,USER_ACCOUNT_ID,SEGMENT_ID,EXPIRATION_DURATION\n"
SEGMENT = b"UPDATE,crm-1,12,43200\n"


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def every_command() -> dict[str, ActionCommand]:
    """Return the commands by what is typed, such as "imports list"."""
    return dict(_commands("", get_mics_cli_commands()[0].subcommands))


def _commands(prefix: str, items: Iterable[Any]) -> Iterator[tuple[str, ActionCommand]]:
    for item in items:
        if isinstance(item, GroupCommand):
            yield from _commands(f"{prefix}{item.name} ", item.subcommands)
        else:
            yield f"{prefix}{item.name}", item


def command(name: str) -> ActionCommand:
    return every_command()[name]


def parse(name: str, *arguments: object) -> argparse.Namespace:
    """Parse what is typed behind the name of a command."""
    parser = DefaultHelpParser(prog=f"airflow mics {name}")
    for arg in command(name).args:
        arg.add_to_parser(parser)
    return parser.parse_args([str(item) for item in arguments])


def run(capsys: pytest.CaptureFixture[str], name: str, *arguments: object) -> Ran:
    func: Any = command(name).func
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        func(parse(name, *arguments))
    code = ended.value.code
    assert isinstance(code, int)
    return Ran(code, *capsys.readouterr())
