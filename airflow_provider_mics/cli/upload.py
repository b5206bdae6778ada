"""``airflow mics upload``: a whole load, with somebody looking on."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from airflow_provider_mics.api.constants import DELETION_DOCUMENT_TYPES, Priority
from airflow_provider_mics.api.models import DocumentImport
from airflow_provider_mics.bulk.dead_letters import DeadLetters
from airflow_provider_mics.bulk.ledger import Ledger
from airflow_provider_mics.bulk.loading import plan_files
from airflow_provider_mics.bulk.obtain import ImportDefinition, obtain
from airflow_provider_mics.bulk.problem_report import ProblemReport
from airflow_provider_mics.bulk.report import Report
from airflow_provider_mics.bulk.state_store import MemoryStore
from airflow_provider_mics.bulk.upload import Uploader
from airflow_provider_mics.cli.connected import hook_of
from airflow_provider_mics.cli.imports import named
from airflow_provider_mics.cli.judging import conclude_on
from airflow_provider_mics.cli.progress import watched
from airflow_provider_mics.cli.running import command
from airflow_provider_mics.cli.sending import sending
from airflow_provider_mics.cli.sources import check_not_replaced, document_type_from, find_sources, mime_type_from
from airflow_provider_mics.cli.waiting import go_on, limits_of, shown, wait, watch_for
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsSourceError
from airflow_provider_mics.storage import find_files, open_for_writing

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from airflow_provider_mics.bulk.files import SourceFile
    from airflow_provider_mics.bulk.planning import Plan
    from airflow_provider_mics.bulk.sent_part import SentPart
    from airflow_provider_mics.cli.screen import Screen
    from airflow_provider_mics.hooks.mics import MicsHook

#: As ``MicsUploadFileOperator`` has it.
_PARALLEL_UPLOADS = 2


@command
def upload(args: argparse.Namespace, screen: Screen) -> int:
    """Check files, send them, wait, and judge the load."""
    # What means nothing is found out before anything is read or sent.
    limits = limits_of(args)
    watch_for("", (), args)
    hook = hook_of(args)
    target = _Target.of(args, hook)
    sources = find_sources(args.files, target.mime_type)
    target.mime_type = sources.mime_type
    target.check(allow_deletions=args.allow_deletions)
    dead_letters = _dead_letters(args, sources.files)
    with (
        watched(sources.files, screen, "Checking") as files,
        dead_letters or contextlib.nullcontext(),
        _problem_report(args.report, target) as report,
    ):
        plan = plan_files(
            files,
            document_type=target.document_type,
            mime_type=target.mime_type,
            encoding=target.encoding,
            is_checked=not args.unchecked,
            max_part_bytes=args.max_part_bytes,
            dead_letters=dead_letters,
            report=report,
        )
    document_import = target.document_import()
    document_import_id = str(document_import.id)
    try:
        sent = _send(hook, document_import, plan, screen)
        if not sent:
            raise MicsSourceError("There is nothing to load: not a single line.")
        watch = watch_for(document_import_id, [part.execution_id for part in sent], args)
        with shown(screen) as looked:
            found = wait(hook, watch, args.interval, looked)
    except KeyboardInterrupt:
        screen.warning(f"Executions of document import {document_import_id} may be there. {go_on(document_import_id)}")
        raise
    if not screen.is_document:
        screen.line(
            f"Sent to document import {document_import_id} ({document_import.name}): "
            f"{screen.counted(sum(part.lines for part in sent), 'line')}, "
            f"{screen.counted(sum(part.bytes for part in sent), 'byte')}"
        )
        screen.above_table()
    return conclude_on(
        screen,
        document_import,
        found,
        parts=sent,
        limits=limits,
        dead_letter=dead_letters.summary() if dead_letters else None,
        report=_report(args.report, hook),
    )


class _Target:
    """The document import to load into: one that is there, or one to make once the lines are known to be good."""

    def __init__(self, hook: MicsHook, found: DocumentImport | None, args: argparse.Namespace) -> None:
        self._hook = hook
        self._found = found
        self._name = args.name
        self.document_type = found.document_type if found else document_type_from(args.document_type)[0]
        #: None: what the files' names tell.
        self.mime_type = found.mime_type if found else args.mime_type and mime_type_from(args.mime_type)
        self.encoding = found.encoding if found else "utf-8"

    @classmethod
    def of(cls, args: argparse.Namespace, hook: MicsHook) -> _Target:
        """Find out what the arguments name.

        :raises MicsConfigurationError: They name none, or two.
        """
        if args.document_import_id:
            if args.name or args.document_type or args.mime_type:
                raise MicsConfigurationError(
                    "--import names a document import, which has its name, type and format already.",
                    hint="Leave --name, --document-type and --mime-type out.",
                )
            return cls(hook, hook.get_document_import(args.document_import_id), args)
        if not args.name or not args.document_type:
            raise MicsConfigurationError(
                "No document import is named.",
                hint="Give the id of one with --import, or --name and --document-type for one to use or create.",
            )
        return cls(hook, None, args)

    def check(self, *, allow_deletions: bool) -> None:
        """Refuse what cannot be loaded, or must not by mistake.

        :raises MicsConfigurationError: It is so.
        """
        if self.document_type in DELETION_DOCUMENT_TYPES and not allow_deletions:
            raise MicsConfigurationError(
                f"Every line of {self.document_type} erases something for good.",
                hint="Add --allow-deletions if that is what you want.",
            )
        if not self._found:
            self._found = next(iter(named(self._hook, self._name, self.document_type, self.mime_type)), None)

    def described(self) -> DocumentImport:
        """Return it, as it is or will be."""
        return self._found or DocumentImport(
            id="none yet", name=self._name, document_type=self.document_type, mime_type=self.mime_type
        )

    def document_import(self) -> DocumentImport:
        """Return it, made if need be."""
        if not self._found:
            wanted = ImportDefinition(
                document_type=self.document_type,
                name=self._name,
                mime_type=self.mime_type,
                encoding="utf-8",
                priority=Priority.MEDIUM.value,
            )
            self._found = self._hook.run(
                obtain(
                    self._hook.datamart_id,
                    wanted,
                    "reuse",
                    # No later run will want to know.
                    ledger=Ledger.open(MemoryStore(), generation=0),
                    list_lag_s=self._hook.connection.list_lag_s,
                    now=time.time,
                )
            )
        return self._found


def _send(hook: MicsHook, document_import: DocumentImport, plan: Plan, screen: Screen) -> list[SentPart]:
    uploader = Uploader(hook.client, hook.datamart_id, document_import, list_lag_s=hook.connection.list_lag_s)
    with sending(plan, screen) as (parts, discard):
        return uploader.send_all(parts, parallel_uploads=_PARALLEL_UPLOADS, on_sent=discard)


def _dead_letters(args: argparse.Namespace, files: Sequence[SourceFile]) -> DeadLetters | None:
    path: str | None = args.dead_letter
    if not path:
        return None
    if args.unchecked:
        raise MicsConfigurationError("--dead-letter is for lines that are checked.", hint="Leave --unchecked out.")
    check_not_replaced(path, files)
    return DeadLetters(path, lambda: open_for_writing(path))


@contextlib.contextmanager
def _problem_report(path: str | None, target: _Target) -> Iterator[ProblemReport | None]:
    if not path:
        yield None
        return
    with ProblemReport(path, open_for_writing, target.described()) as report:
        yield report


def _report(path: str | None, hook: MicsHook) -> Report | None:
    if not path:
        return None
    return Report(path=path, download=hook.download_data_file, open_for_writing=open_for_writing, find_files=find_files)
