"""Operators that upload files to a document import, on one worker or on many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.api.constants import DEFAULT_MAX_PART_BYTES
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError
from airflow_provider_mics.operators._load import OnEmpty, check_on_empty, nothing_to_load
from airflow_provider_mics.operators._sends_parts import SendsParts
from airflow_provider_mics.operators._task import MicsTask, hand_over

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context, XComArg

    from airflow_provider_mics.bulk.upload import Uploader
    from airflow_provider_mics.operators._ledger import Sending
    from airflow_provider_mics.operators._sending import Preflight


class MicsUploadFileOperator(SendsParts):
    """Uploads files to a document import, in parts that the platform takes, and does not wait for them.

    Files are read in byte ranges and never held in memory, nor copied. Each part ends where a line (CSV: a record)
    ends; parts of a CSV file repeat its header.

    Returns the ids of the executions, a list of str, in the order of the parts.

    :param document_import_id: The document import, usually ``create.output``.
    :param path: File, pattern or object-storage URI, or a list of these. A path without wildcard must exist; what a
        pattern matches is loaded in the order of the names, and may be nothing (see ``on_empty``).
    :param part: In place of ``path``, one part of a :class:`MicsPlanPartsOperator`: one big file over many workers, by
        ``.expand(part=plan.output)``.
    :param max_part_bytes: Largest part, in bytes.
    :param parallel_uploads: Parts under way at the same time.
    :param preflight: Whether to check each line by the rules of the document type: ``fail`` if one is bad, before
        anything is sent; ``dead_letter`` to put the bad ones aside and send the others, each part while the next one is
        checked (with ``max_deletions``: when all are); ``off`` to send files unread.
        Parts of a :class:`MicsPlanPartsOperator` are sent unread.
    :param dead_letter_path: Where bad lines are put aside, whole and with what is wrong with them, as NDJSON: a path or
        object-storage URI, readable by this user only where the file system can. It holds personal data.
    :param max_deletions: Most lines that may delete something, of the types that can do both; None: any number.
    :param on_empty: What to do if there is not a single line to load: ``skip`` the task, ``succeed`` with no execution,
        or ``fail``.
    :param allow_deletions: Must be set for the document types whose lines erase users or identifiers.
    :param cancel_on_kill: Whether to cancel those executions that are still PENDING, the platform cancels no others,
        when this task is killed or cleared while it runs. A worker that stops while a retry is left cancels nothing.
    :param mics_conn_id: The Airflow connection.
    :param datamart_id: The datamart; None: the connection's.
    :raises MicsSourceError: A file is missing, cannot be read, or changes while it is loaded.
    :raises MicsInputError: A line is not what the platform takes; the message names file, line, field and remedy. Or a
        file is of another format than the import, or a line is larger than a part may be.
    :raises MicsUploadError: A part could not be sent; the message names those that were.
    :raises MicsCallError: Another call did not succeed.
    """

    template_fields: Sequence[str] = (
        "mics_conn_id",
        "datamart_id",
        "document_import_id",
        "path",
        "part",
        "dead_letter_path",
    )
    # A path that ends in .json is a file to load, not a template.
    template_ext: Sequence[str] = ()

    def __init__(
        self,
        *,
        document_import_id: str | XComArg,
        path: str | Sequence[str] | XComArg | None = None,
        part: dict[str, Any] | XComArg | None = None,
        max_part_bytes: int = DEFAULT_MAX_PART_BYTES,
        parallel_uploads: int = 2,
        preflight: Preflight = "fail",
        dead_letter_path: str | None = None,
        max_deletions: int | None = None,
        on_empty: OnEmpty = "skip",
        allow_deletions: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.document_import_id: Any = document_import_id
        self.path: Any = path
        self.part: Any = part
        self.max_part_bytes = max_part_bytes
        self.parallel_uploads = parallel_uploads
        self.preflight: Preflight = preflight
        self.dead_letter_path = dead_letter_path
        self.max_deletions = max_deletions
        self.on_empty: OnEmpty = on_empty
        self.allow_deletions = allow_deletions

    def execute(self, context: Context) -> list[str]:
        """Plan and send."""
        from airflow_provider_mics.bulk.part_descriptions import read_part
        from airflow_provider_mics.bulk.planning import check_deletions_allowed
        from airflow_provider_mics.operators._sending import FileLoad, send_files
        from airflow_provider_mics.storage import find_files

        self.link_to(context, self.document_import_id)
        if (self.path is None) == (self.part is None):
            raise MicsConfigurationError("An upload needs either path or part.")
        check_on_empty(self.on_empty)
        load = FileLoad.of(self)
        ledger = self.begin(context)
        document_import = self.hook.get_document_import(self.document_import_id)
        check_deletions_allowed(document_import.document_type, allow_deletions=self.allow_deletions)

        def send(uploader: Uploader) -> Sending:
            if self.part is None:
                return send_files(uploader, document_import, load)
            part, file = read_part(self.part, find_files)
            return [uploader.send(part, file)], None

        sent, dead_letter = self.carry_out(document_import, ledger, send)
        hand_over(context, sent, dead_letter)
        if not sent:
            nothing_to_load(self.on_empty)
        return [part.execution_id for part in sent]


class MicsPlanPartsOperator(MicsTask):
    """Cuts files into parts for uploads that are mapped over many workers.

    ``MicsUploadFileOperator.partial(task_id="upload", document_import_id=create.output).expand(part=plan.output)``
    then sends each part in a task of its own. The files must be reachable from every worker under the same name, and
    stay as they are until the last part is sent; a file that has changed stops its upload.

    Returns the parts, a list of dict of JSON values, in order: a file's name, byte ranges and version, and nothing of
    its rows.

    :param path: As for :class:`MicsUploadFileOperator`. Names that end in ``.csv`` are cut as CSV, others as NDJSON.
    :param max_part_bytes: Largest part, in bytes.
    :raises MicsSourceError: A file is missing or cannot be read.
    :raises MicsInputError: A line is larger than a part may be.
    """

    template_fields: Sequence[str] = ("mics_conn_id", "datamart_id", "path")
    # A path that ends in .json is a file to load, not a template.
    template_ext: Sequence[str] = ()
    # It belongs to no document import.
    operator_extra_links = ()

    def __init__(
        self,
        *,
        path: str | Sequence[str] | XComArg,
        max_part_bytes: int = DEFAULT_MAX_PART_BYTES,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path: Any = path
        self.max_part_bytes = max_part_bytes

    def execute(self, context: Context) -> list[dict[str, Any]]:  # noqa: ARG002 - Airflow's signature
        """Plan."""
        from airflow_provider_mics.bulk.counted import counted
        from airflow_provider_mics.bulk.part_descriptions import describe_part
        from airflow_provider_mics.bulk.planning import mime_type_of, plan_load
        from airflow_provider_mics.bulk.streams import CompressedFile
        from airflow_provider_mics.storage import find_files

        files = find_files(self.path)
        formats = {mime_type_of(file.name) for file in files}
        if len(formats) > 1:
            raise MicsConfigurationError(
                "The files are of different formats, by their endings.", hint="Plan each format by a task of its own."
            )
        plan = plan_load(files, mime_type=next(iter(formats), ""), max_part_bytes=self.max_part_bytes)
        if compressed := [item.file.name for item in plan.sources if isinstance(item, CompressedFile)]:
            raise MicsInputError(
                f"{compressed[0]} is compressed: what it holds cannot be read in ranges, by many workers.",
                hint="Load it with path, in one task, or decompress it before.",
            )
        self.log.info("Planned %s of %s", counted(len(plan.planned), "part"), counted(len(plan.sources), "file"))
        return [describe_part(part, file) for part, file in plan.planned]
