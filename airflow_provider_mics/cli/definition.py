"""What ``airflow mics`` takes. Airflow imports this whenever any of its commands starts, so it imports nothing else."""

from __future__ import annotations

from typing import Any, Final

from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand, lazy_load_command, positive_int

_FILES: Final = Arg(
    ("files",),
    nargs="+",
    metavar="FILE",
    help="A path, a pattern in quotes, or a URI of an object store, such as s3://aws_default@bucket/night/*.ndjson",
)
_TYPE_HELP: Final = "USER_PROFILE, USER_ACTIVITY, USER_SEGMENT, USER_CHOICE..."
_DOCUMENT_TYPE: Final = Arg(
    ("-t", "--document-type"),
    required=True,
    metavar="TYPE",
    help=f"What the lines are: {_TYPE_HELP} Of types that are not known here, only the JSON is checked",
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
_PLANNED_TYPE: Final = Arg(
    ("-t", "--document-type"),
    metavar="TYPE",
    help="What the lines are. With it, they are checked, and cut as by a load that checks them. Default: they are cut "
    "unread",
)
_MAX_PART_BYTES: Final = Arg(
    ("--max-part-bytes",),
    type=positive_int(allow_zero=False),
    default=95_000_000,
    metavar="N",
    help="Largest part, in bytes. Default: 95000000",
)
_JSON: Final = Arg(("--json",), action="store_true", help="The same as --output json")
_OUTPUT: Final = Arg(
    ("-o", "--output"),
    choices=("table", "json", "yaml"),
    default="table",
    help="How results are printed: table, json or yaml. Default: table",
)
_CONN_ID: Final = Arg(
    ("--conn-id",), default="mics_default", metavar="ID", help="The Airflow connection. Default: mics_default"
)
_DATAMART_ID: Final = Arg(("--datamart-id",), metavar="ID", help="The datamart. Default: the connection's")
#: Of every command that talks to mediarithmics.
_CONNECTED: Final = (_CONN_ID, _DATAMART_ID, _OUTPUT)

_IMPORT: Final = Arg(("document_import_id",), metavar="IMPORT", help="Id of the document import")
_EXECUTION: Final = Arg(("execution_id",), metavar="EXECUTION", help="Id of the execution")
_EXECUTIONS: Final = Arg(
    ("execution_ids",), nargs="*", metavar="EXECUTION", help="Ids of executions. Default: all of the document import"
)
_EXECUTIONS_TO_CANCEL: Final = Arg(
    ("execution_ids",), nargs="+", metavar="EXECUTION", help="Ids of the executions to cancel"
)
_LIMIT: Final = Arg(
    ("--limit",),
    type=positive_int(allow_zero=False),
    default=50,
    metavar="N",
    help="Show the newest N. Default: 50",
)
_INTERVAL: Final = Arg(
    ("--interval",), type=float, default=5.0, metavar="S", help="Time between two looks, in seconds. Default: 5"
)
_TIMEOUT: Final = Arg(
    ("--timeout",), type=float, metavar="S", help="Seconds after which waiting ends. Default: wait for ever"
)
_MAX_REJECTED: Final = Arg(
    ("--max-rejected",),
    type=positive_int(allow_zero=True),
    metavar="N",
    help="Most rejected lines of a good load. Default: 0, or any number with --max-rejected-ratio",
)
_MAX_REJECTED_RATIO: Final = Arg(
    ("--max-rejected-ratio",),
    type=float,
    metavar="R",
    help="Most rejected lines of a good load, as a share of all, 0 to 1",
)
_WAITING: Final = (_INTERVAL, _TIMEOUT, _MAX_REJECTED, _MAX_REJECTED_RATIO)


def _at(path: str) -> Any:
    return lazy_load_command(f"airflow_provider_mics.cli.{path}")


_IMPORTS: Final = (
    ActionCommand(
        name="list",
        help="List document imports, the newest first",
        func=_at("imports.list_imports"),
        args=(
            Arg(("--name",), metavar="TEXT", help="Only those with this in their names, in the same case"),
            Arg(("-t", "--document-type"), metavar="TYPE", help=f"Only those of this type: {_TYPE_HELP}"),
            _LIMIT,
            *_CONNECTED,
        ),
    ),
    ActionCommand(
        name="show",
        help="Show a document import",
        func=_at("imports.show_import"),
        args=(_IMPORT, *_CONNECTED),
    ),
    ActionCommand(
        name="create",
        help="Create a document import",
        description="Create a document import. One of the same name, type and format is not created again.\n\n"
        "Exit code: 0 it is there now, 2 it could not be created, or was there before.",
        func=_at("imports.create_import"),
        args=(
            Arg(("name",), metavar="NAME", help="Its name"),
            Arg(("-t", "--document-type"), required=True, metavar="TYPE", help=f"What its lines are: {_TYPE_HELP}"),
            Arg(
                ("-m", "--mime-type"),
                default="APPLICATION_X_NDJSON",
                metavar="TYPE",
                help="APPLICATION_X_NDJSON (default), or TEXT_CSV for USER_SEGMENT",
            ),
            Arg(("--encoding",), default="utf-8", metavar="NAME", help="Encoding of its lines. Default: utf-8"),
            Arg(("--priority",), default="MEDIUM", metavar="WORD", help="LOW, MEDIUM (default) or HIGH"),
            *_CONNECTED,
        ),
    ),
    ActionCommand(
        name="delete",
        help="Remove a document import from view",
        description="Remove a document import from view. What its executions have loaded stays.",
        func=_at("imports.delete_import"),
        args=(_IMPORT, Arg(("-y", "--yes"), action="store_true", help="Do not ask"), *_CONNECTED),
    ),
)
_EXECUTIONS_COMMANDS: Final = (
    ActionCommand(
        name="list",
        help="List the executions of a document import, the newest first",
        func=_at("executions.list_executions"),
        args=(_IMPORT, _LIMIT, *_CONNECTED),
    ),
    ActionCommand(
        name="show",
        help="Show an execution, and why its lines were rejected",
        func=_at("executions.show_execution"),
        args=(_IMPORT, _EXECUTION, *_CONNECTED),
    ),
    ActionCommand(
        name="cancel",
        help="Cancel executions that are still PENDING",
        description="Cancel executions, which works only while they are PENDING.\n\n"
        "Exit code: 0 all are cancelled, 1 some had started and go on, 2 they could not be cancelled.",
        func=_at("executions.cancel_executions"),
        args=(_IMPORT, _EXECUTIONS_TO_CANCEL, *_CONNECTED),
    ),
    ActionCommand(
        name="watch",
        help="Watch executions until they have ended, and judge the load",
        description="Watch executions until they have ended.\n\n"
        "Exit code: 0 the load is good, 1 it is not, 2 its end could not be seen.",
        func=_at("executions.watch_executions"),
        args=(_IMPORT, _EXECUTIONS, *_WAITING, *_CONNECTED),
    ),
)
_COMMANDS: Final = (
    ActionCommand(
        name="validate",
        help="Check every line of files as a load would, and send nothing",
        description="Check every line of files by the rules of its document type. Nothing is sent, no connection is "
        "needed.\n\nExit code: 0 all lines are good, 1 some are bad, 2 they could not be checked.",
        func=_at("validate.validate"),
        args=(_FILES, _DOCUMENT_TYPE, _MIME_TYPE, _MAX_PART_BYTES, _DEAD_LETTER, _OUTPUT, _JSON),
    ),
    ActionCommand(
        name="plan",
        help="Show the parts that files are cut into",
        description="Show the parts that files are cut into: as MicsPlanPartsOperator does, or, with a document "
        "type, as a load does that checks every line. Nothing is sent, no connection is needed.\n\nExit code: 0, 1 if "
        "a file cannot be cut or lines are bad, 2 if it cannot be read.",
        func=_at("plan.plan"),
        args=(_FILES, _PLANNED_TYPE, _MAX_PART_BYTES, _MIME_TYPE, _OUTPUT, _JSON),
    ),
    ActionCommand(
        name="upload",
        help="Load files: check, send, wait, judge",
        description="Load files as MicsImportFilesOperator does: check every line, send, wait, judge.\n\n"
        "Exit code: 0 the load is good, 1 it is not, or lines are bad and nothing was sent, 2 it could not be done.",
        func=_at("upload.upload"),
        args=(
            _FILES,
            Arg(("--import",), dest="document_import_id", metavar="ID", help="The document import to use"),
            Arg(("--name",), metavar="NAME", help="Without --import: name of the one to use, or create"),
            Arg(("-t", "--document-type"), metavar="TYPE", help=f"With --name: what the lines are: {_TYPE_HELP}"),
            _MIME_TYPE,
            _MAX_PART_BYTES,
            Arg(
                ("--dead-letter",),
                metavar="PATH",
                help="Send the good lines, and write the bad ones there, whole and with what is wrong with them",
            ),
            Arg(("--unchecked",), action="store_true", help="Send the files unread"),
            Arg(
                ("--allow-deletions",),
                action="store_true",
                help="Needed for the document types whose lines erase users or identifiers",
            ),
            Arg(("--report",), metavar="PATH", help="Where to write a report if lines are rejected: JSON, and a text"),
            *_WAITING,
            *_CONNECTED,
        ),
    ),
    ActionCommand(
        name="errors",
        help="Show why lines of a document import were rejected",
        description="Download the error files of executions, and show why lines were rejected, the reasons grouped. "
        "Of what was in the lines nothing is shown.\n\nExit code: 0, also if lines were rejected.",
        func=_at("errors.show_errors"),
        args=(
            _IMPORT,
            _EXECUTIONS,
            Arg(
                ("--save",),
                metavar="DIR",
                help="Save the error files there, with a report; a folder or a URI of an object store. They may hold "
                "personal data",
            ),
            *_CONNECTED,
        ),
    ),
    ActionCommand(
        name="sandbox",
        help="Run a stand-in for mediarithmics on this machine",
        description="Run a stand-in for mediarithmics on this machine, to try things out. It keeps nothing.",
        func=_at("sandbox.run_sandbox"),
        args=(
            Arg(
                ("--port",),
                type=positive_int(allow_zero=True),
                default=8010,
                metavar="N",
                help="Port; 0: a free one. Default: 8010",
            ),
            Arg(("--pending",), type=float, metavar="S", help="How long executions are PENDING, in seconds"),
            Arg(("--running",), type=float, metavar="S", help="How long they are RUNNING, in seconds"),
            Arg(("-v", "--verbose"), action="store_true", help="A line for each request"),
            _OUTPUT,
        ),
    ),
    GroupCommand(name="imports", help="Document imports", subcommands=_IMPORTS),
    GroupCommand(name="executions", help="Executions: what uploads become", subcommands=_EXECUTIONS_COMMANDS),
    GroupCommand(
        name="connection",
        help="The connection to mediarithmics",
        subcommands=(
            ActionCommand(
                name="test",
                help="Test a connection",
                description="Test a connection.\n\nExit code: 0 it works, 1 it does not, 2 there is none.",
                func=_at("connection.check_connection"),
                args=_CONNECTED,
            ),
        ),
    ),
)


def get_mics_cli_commands() -> list[GroupCommand]:
    """Return the commands that the provider adds to Airflow's."""
    return [GroupCommand(name="mics", help="Work with mediarithmics", subcommands=_COMMANDS)]
