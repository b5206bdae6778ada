"""What ``airflow mics`` takes. Airflow imports this whenever any of its commands starts, so it imports nothing else."""

from __future__ import annotations

from typing import Final

from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand, lazy_load_command, positive_int

_FILES: Final = Arg(
    ("files",),
    nargs="+",
    metavar="FILE",
    help="A path, a pattern in quotes, or a URI of an object store, such as s3://aws_default@bucket/night/*.ndjson",
)
_DOCUMENT_TYPE: Final = Arg(
    ("-t", "--document-type"),
    required=True,
    metavar="TYPE",
    help="What the lines are: USER_PROFILE, USER_ACTIVITY, USER_SEGMENT, USER_CHOICE... Of types that are not known "
    "here, only the JSON is checked",
)
_MIME_TYPE: Final = Arg(
    ("-m", "--mime-type"),
    metavar="TYPE",
    help="APPLICATION_X_NDJSON or TEXT_CSV. Default: what the files' names tell, else APPLICATION_X_NDJSON",
)
_DEAD_LETTER: Final = Arg(
    ("--dead-letter",),
    metavar="PATH",
    help="Where to write the bad lines, whole and with what is wrong with them; a path or a URI of an object store. "
    "What is there is replaced",
)
_MAX_PART_BYTES: Final = Arg(
    ("--max-part-bytes",),
    type=positive_int(allow_zero=False),
    default=95_000_000,
    metavar="N",
    help="Largest part, in bytes. Default: 95000000",
)
_JSON: Final = Arg(("--json",), action="store_true", help="Print one JSON document")

_COMMANDS: Final = (
    ActionCommand(
        name="validate",
        help="Check every line of files as a load would, and send nothing",
        description="Check every line of files by the rules of its document type. Nothing is sent, no connection is "
        "needed.\n\nExit code: 0 all lines are good, 1 some are bad, 2 they could not be checked.",
        func=lazy_load_command("airflow_provider_mics.cli.validate.validate"),
        args=(_FILES, _DOCUMENT_TYPE, _MIME_TYPE, _MAX_PART_BYTES, _DEAD_LETTER, _JSON),
    ),
    ActionCommand(
        name="plan",
        help="Show the parts that files are cut into",
        description="Show the parts that files are cut into, as MicsPlanPartsOperator does. Nothing is sent, no "
        "connection is needed.\n\nExit code: 0, 1 if a file cannot be cut, 2 if it cannot be read.",
        func=lazy_load_command("airflow_provider_mics.cli.plan.plan"),
        args=(_FILES, _MAX_PART_BYTES, _MIME_TYPE, _JSON),
    ),
)


def get_mics_cli_commands() -> list[GroupCommand]:
    """Return the commands that the provider adds to Airflow's."""
    return [GroupCommand(name="mics", help="Work with mediarithmics", subcommands=_COMMANDS)]
