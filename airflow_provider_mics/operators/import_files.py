"""Operator that loads files in one task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.operators._load import MicsLoad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import XComArg

    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.bulk.upload import Uploader
    from airflow_provider_mics.operators._ledger import Sending


class MicsImportFilesOperator(MicsLoad):
    """Does a whole load in one task: document import, upload, wait, verdict.

    Arguments mean what they mean for :class:`~airflow_provider_mics.operators.document_import.\
MicsCreateDocumentImportOperator`, :class:`~airflow_provider_mics.operators.upload.MicsUploadFileOperator` and
    :class:`~airflow_provider_mics.sensors.execution.MicsExecutionSensor`.

    Returns the load summary, a dict.

    :param wait_for_completion: Whether to wait for the executions and judge the load; without, the summary has no
        ``accepted`` and ``rejected``, and the task succeeds whatever becomes of the lines.
    :param deferrable: Whether to wait in the triggerer, where it costs no worker slot.
    :param poke_interval: Time between two looks, in s.
    :param timeout: Time after which waiting ends and the task fails, in s. Executions go on at the platform.
    """

    template_fields: Sequence[str] = (*MicsLoad.template_fields, "path")
    # A path that ends in .json is a file to load, not a template.
    template_ext: Sequence[str] = ()

    def __init__(
        self,
        *,
        path: str | Sequence[str] | XComArg,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path: Any = path

    def send(self, document_import: DocumentImport, uploader: Uploader) -> Sending:
        """Send the files."""
        from airflow_provider_mics.operators._sending import FileLoad, send_files

        load = FileLoad(
            path=self.path,
            max_part_bytes=self.max_part_bytes,
            parallel_uploads=self.parallel_uploads,
            preflight=self.preflight,
            dead_letter_path=self.dead_letter_path,
            max_deletions=self.max_deletions,
            report_path=self.report_path,
        )
        return send_files(uploader, document_import, load)
