"""A whole load in one task: document import, sending, waiting, verdict. What is sent is for the subclasses."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from airflow.providers.common.compat.sdk import AirflowSkipException, conf

from airflow_provider_mics.api.constants import DEFAULT_MAX_PART_BYTES
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsSourceError
from airflow_provider_mics.operators._definition import DefinesDocumentImport
from airflow_provider_mics.operators._sends_parts import SendsParts
from airflow_provider_mics.operators._task import hand_over, handed_over, put_aside, report_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import ExitStack

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_mics.api.models import DocumentImport, Execution
    from airflow_provider_mics.bulk.early_verdict import EarlyVerdict
    from airflow_provider_mics.bulk.ledger import Ledger
    from airflow_provider_mics.bulk.upload import Uploader
    from airflow_provider_mics.bulk.verdict import Limits
    from airflow_provider_mics.bulk.watch import Watch
    from airflow_provider_mics.operators._ledger import Sending
    from airflow_provider_mics.operators._sending import Preflight
    from airflow_provider_mics.operators._waiting import Waited

OnEmpty = Literal["skip", "succeed", "fail"]


class MicsLoad(SendsParts, DefinesDocumentImport):
    """Base of the operators that do a whole load in one task.

    Arguments mean what they mean for
    :class:`~airflow_provider_mics.operators.import_files.MicsImportFilesOperator`.
    """

    template_fields: Sequence[str] = (
        *DefinesDocumentImport.template_fields,
        "dead_letter_path",
        "max_rejected",
        "max_rejected_ratio",
        "report_path",
    )

    def __init__(
        self,
        *,
        max_part_bytes: int = DEFAULT_MAX_PART_BYTES,
        parallel_uploads: int = 2,
        preflight: Preflight = "fail",
        dead_letter_path: str | None = None,
        max_deletions: int | None = None,
        on_empty: OnEmpty = "skip",
        allow_deletions: bool = False,
        max_rejected: int | str | None = 0,
        max_rejected_ratio: float | str | None = None,
        report_path: str | None = None,
        wait_for_completion: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: float = 60.0,
        timeout: float | dt.timedelta = dt.timedelta(days=1),
        cancel_on_timeout: bool = False,
        canary: bool = False,
        abort_after_rejected: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_part_bytes = max_part_bytes
        self.parallel_uploads = parallel_uploads
        self.preflight: Preflight = preflight
        self.dead_letter_path = dead_letter_path
        self.max_deletions = max_deletions
        self.on_empty: OnEmpty = on_empty
        self.allow_deletions = allow_deletions
        self.max_rejected = max_rejected
        self.max_rejected_ratio = max_rejected_ratio
        self.report_path = report_path
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poke_interval = poke_interval
        self.timeout_s = timeout.total_seconds() if isinstance(timeout, dt.timedelta) else float(timeout)
        self.cancel_on_timeout = cancel_on_timeout
        self.canary = canary
        self.abort_after_rejected = abort_after_rejected

    def prepare(self, document_import: DocumentImport, until_sent: ExitStack) -> bool:  # noqa: ARG002 - for subclasses
        """Find out, before there is a document import, what there is to send; return False if that is nothing.

        :param document_import: As it will be.
        :param until_sent: Closes, when all is sent, what is opened here.
        """
        return True

    @abstractmethod
    def send(self, document_import: DocumentImport, uploader: Uploader) -> Sending:
        """Send what there is to send, and return what was sent; nothing, if there is not a single line."""

    def execute(self, context: Context) -> dict[str, Any] | None:
        """Create, send, and wait here or in the triggerer; or go on where an earlier try has stopped."""
        from airflow_provider_mics.bulk.outcome import load_summary
        from airflow_provider_mics.bulk.planning import check_deletions_allowed
        from airflow_provider_mics.bulk.watch import Step, Watch
        from airflow_provider_mics.operators._waiting import LastingWait, look

        # What means nothing is found out before anything is sent.
        early_verdict = self._early_verdict(context)
        check_on_empty(self.on_empty)
        check_deletions_allowed(self.document_type, allow_deletions=self.allow_deletions)
        wanted = self.definition(context)
        ledger = self.begin(context)
        with contextlib.ExitStack() as until_sent:
            # Where an earlier try has sent all, there is nothing to look at again.
            if ledger.load.parts is None:
                described = wanted.described(self.hook.datamart_id, ledger.load.document_import_id)
                if not self.prepare(described, until_sent) and not ledger.parts():
                    return self._load_nothing(context, described, ledger)
            document_import = self.obtain_document_import(context, wanted, ledger)
            sent, dead_letter = self.carry_out(
                document_import, ledger, lambda uploader: self.send(document_import, uploader), early_verdict
            )
        hand_over(context, sent, dead_letter)
        if not sent:
            nothing_to_load(self.on_empty)
        if not self.wait_for_completion:
            return load_summary(document_import, parts=sent, dead_letter=dead_letter)
        watch = Watch(
            document_import_id=str(document_import.id),
            execution_ids=[part.execution_id for part in sent],
            deadline=LastingWait(context, self.timeout_s).deadline,
        )
        waited, found = look(self.hook, watch)
        while waited.step is Step.WAIT:
            if self.deferrable:
                self._defer(watch)
            time.sleep(watch.pause(self.poke_interval, time.time()))
            waited, found = look(self.hook, watch)
        return self._conclude(context, waited, found)

    def execute_complete(self, context: Context, event: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Judge the load, on a worker, when the trigger has seen its end."""
        from airflow_provider_mics.bulk.watch import Step
        from airflow_provider_mics.operators._waiting import Waited, look

        waited = Waited.read(event)
        found: Mapping[str, Execution] = {}
        self.link_to(context, waited.document_import_id)
        if waited.step is not Step.GIVE_UP:
            waited, found = look(self.hook, waited.watch)
        if waited.step is Step.WAIT:
            # Another server of the platform's may not know of the end yet, or could not be reached.
            self._defer(waited.watch)
        return self._conclude(context, waited, found)

    def _load_nothing(self, context: Context, described: DocumentImport, ledger: Ledger) -> dict[str, Any]:
        """End a load that has not a single line, for which no document import is made."""
        from airflow_provider_mics.bulk.outcome import load_summary
        from airflow_provider_mics.bulk.verdict import Tally

        hand_over(context, [])
        nothing_to_load(self.on_empty)
        tally = Tally(lines=0, accepted=0, rejected=0) if self.wait_for_completion else None
        summary = load_summary(described, parts=[], tally=tally)
        return {**summary, "document_import_id": ledger.load.document_import_id}

    def _limits(self) -> Limits:
        from airflow_provider_mics.bulk.verdict import Limits

        return Limits.of(self.max_rejected, self.max_rejected_ratio)

    def _early_verdict(self, context: Context) -> EarlyVerdict | None:
        from airflow_provider_mics.bulk.early_verdict import EarlyVerdict
        from airflow_provider_mics.operators._waiting import LastingWait

        verdict = EarlyVerdict(
            canary=self.canary,
            abort_after_rejected=self.abort_after_rejected,
            limits=self._limits(),
            interval_s=self.poke_interval,
            deadline=lambda: LastingWait(context, self.timeout_s).deadline,
            cancel_on_timeout=self.cancel_on_timeout,
        )
        return verdict if self.canary or self.abort_after_rejected is not None else None

    def _defer(self, watch: Watch) -> NoReturn:
        from airflow_provider_mics.operators._waiting import deferral

        self.defer(
            **deferral(watch, self.hook, self.poke_interval, cancel_on_kill=self.cancel_on_kill, cancel_on_clear=True)
        )

    def _conclude(self, context: Context, waited: Waited, found: Mapping[str, Execution]) -> dict[str, Any]:
        from airflow_provider_mics.bulk.outcome import conclude
        from airflow_provider_mics.bulk.twins import check_twins
        from airflow_provider_mics.bulk.watch import Step
        from airflow_provider_mics.operators._killing import cancel_now

        document_import_id = waited.document_import_id
        if waited.step is not Step.ENDED:
            late = waited.step is Step.TIMEOUT and self.cancel_on_timeout
            if cancelled := cancel_now(self.hook, document_import_id, waited.execution_ids) if late else None:
                # A retry would send them again, and cancel them at once: the time is over.
                raise waited.not_seen_through(
                    hint=f"{len(cancelled)} had not started and are cancelled, the others go on or are in. A clear "
                    "sends everything again: raise timeout before.",
                    retryable=False,
                )
            raise waited.not_seen_through(
                hint="They go on at the platform. A retry looks at them again; a clear would send everything again: to "
                f"only wait for them, use a MicsExecutionSensor on document import {document_import_id}."
            )
        document_import = self.hook.get_document_import(document_import_id)
        ledger = self._ledger or self.begin(context)
        self.hook.run(check_twins(self.hook.datamart_id, document_import, ledger))
        report, dead_letter = report_to(self.report_path, self.hook), put_aside(context, [self.task_id])
        summary = conclude(
            document_import,
            list(found.values()),
            parts=handed_over(context, [self.task_id], found),
            limits=self._limits(),
            dead_letter=dead_letter,
            report=report,
        )
        if dead_letter and report and not summary["report"]:
            # Nothing was rejected behind the check, so the report is the check's.
            summary["report"] = report.path
        return summary


def check_on_empty(on_empty: str) -> None:
    """Refuse a word that means nothing."""
    if on_empty not in {"skip", "succeed", "fail"}:
        raise MicsConfigurationError(f"on_empty must be skip, succeed or fail, not {on_empty!r}.")


def nothing_to_load(on_empty: OnEmpty) -> None:
    """Do what a task does that has not a single line to load: skip, fail, or go on."""
    nothing = "There is nothing to load: not a single line."
    if on_empty == "skip":
        raise AirflowSkipException(nothing)
    if on_empty == "fail":
        raise MicsSourceError(nothing, hint='With on_empty="skip" or "succeed" that would be no failure.')
