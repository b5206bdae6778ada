"""Operator that loads files in one task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.operators._load import MicsLoad

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack

    from airflow.providers.common.compat.sdk import XComArg

    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.bulk.upload import Uploader
    from airflow_provider_mics.operators._ledger import Sending
    from airflow_provider_mics.operators._sending import ReadyFiles


class MicsImportFilesOperator(MicsLoad):
    """Does a whole load in one task: document import, upload, wait, verdict.

    Other arguments mean what they mean for :class:`~airflow_provider_mics.operators.document_import.\
MicsCreateDocumentImportOperator`, :class:`~airflow_provider_mics.operators.upload.MicsUploadFileOperator` and
    :class:`~airflow_provider_mics.sensors.execution.MicsExecutionSensor`.

    Files are found and checked before the document import is made: a load that sends nothing leaves none behind. The
    summary of an empty one (``on_empty="succeed"``) has None as ``document_import_id``.

    It may be killed at any point: a retry, on any worker, goes on with the load (Airflow 3.3 and later). A clear is a
    new load.

    Returns the load summary, a dict.

    :param path: File, pattern or object-storage URI, or a list of these. A path without wildcard must exist; what a
        pattern matches is loaded in the order of the names, and may be nothing (see ``on_empty``).
    :param wait_for_completion: Whether to wait for the executions and judge the load; without, the summary has no
        ``accepted`` and ``rejected``, and the task succeeds whatever becomes of the lines.
    :param deferrable: Whether to wait in the triggerer, where it costs no worker slot.
    :param poke_interval: Time between two looks, in s.
    :param timeout: Time after which waiting ends and the task fails, in s. It begins when all is sent or, with a
        ``canary``, when that is. A retry has what is left of it.
    :param cancel_on_kill: Whether to cancel those executions that are still PENDING, the platform cancels no others,
        when this task is killed or cleared, running or deferred. A worker that stops while a retry is left cancels
        nothing.
    :param cancel_on_timeout: Whether to cancel them at ``timeout`` and at ``execution_timeout``; else they go on at the
        platform.
    :param canary: Whether to send the first part alone, to wait for it on the worker, and to judge it by the limits
        before any other is sent.
    :param abort_after_rejected: Rejected lines, over all parts that have ended, beyond which no other part is sent and
        what is pending is cancelled. It is looked at between two parts, once each ``poke_interval``. None: any number.
    :raises MicsSourceError: A file is missing, cannot be read, or changes while it is loaded.
    :raises MicsInputError: A line is not what the platform takes; the message names file, line, field and remedy.
    :raises MicsUploadError: A part could not be sent; the message names those that were. A retry goes on.
    :raises MicsLoadError: The load ended, and not well: lines rejected, unaccounted for, or an execution failed.
    :raises MicsWaitError: The end was not seen in time, or cannot be looked at.
    :raises MicsCallError: Another call did not succeed.
    """

    template_fields: Sequence[str] = (*MicsLoad.template_fields, "path")
    # A path that ends in .json is a file to load, not a template.
    template_ext: Sequence[str] = ()
    #: The files, from when they are checked until they are sent; and what they keep open.
    _ready: ReadyFiles | None = None
    _until_sent: ExitStack | None = None

    def __init__(
        self,
        *,
        path: str | Sequence[str] | XComArg,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path: Any = path

    def prepare(self, document_import: DocumentImport, until_sent: ExitStack) -> bool:
        """Find, check and cut the files."""
        from airflow_provider_mics.operators._sending import FileLoad, ready_files

        self._ready = until_sent.enter_context(ready_files(FileLoad.of(self), document_import))
        self._until_sent = until_sent
        return not self._ready.is_empty

    def send(self, document_import: DocumentImport, uploader: Uploader) -> Sending:
        """Send the files."""
        from airflow_provider_mics.operators._sending import FileLoad, send_files

        ready, self._ready = self._ready, None
        if ready and self._until_sent:
            # Closed before they are read again, if they are not what an earlier try has begun to send.
            with self._until_sent.pop_all():
                return ready.send(uploader, document_import)
        return send_files(uploader, document_import, FileLoad.of(self))
