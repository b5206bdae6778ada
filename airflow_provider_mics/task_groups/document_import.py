"""A whole load as a group of tasks, its uploads spread over the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import TaskGroup

from airflow_provider_mics.api.constants import DEFAULT_MAX_PART_BYTES, MimeType
from airflow_provider_mics.operators.document_import import MicsCreateDocumentImportOperator
from airflow_provider_mics.operators.upload import MicsPlanPartsOperator, MicsUploadFileOperator
from airflow_provider_mics.sensors.execution import MicsExecutionSensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.providers.common.compat.sdk import XComArg


def mics_import_in_parts(
    group_id: str,
    *,
    document_type: str,
    name: str,
    path: str | Sequence[str] | XComArg,
    mime_type: str = MimeType.NDJSON.value,
    max_part_bytes: int = DEFAULT_MAX_PART_BYTES,
    allow_deletions: bool = False,
    max_rejected: int | str | None = 0,
    max_rejected_ratio: float | str | None = None,
    deferrable: bool = True,
    poke_interval: float = 60.0,
    default_args: Mapping[str, Any] | None = None,
) -> TaskGroup:
    """Make a task group that loads big files with many workers: create, plan, upload (a task for each part), wait.

    The files must be reachable from every worker under the same name, such as in object storage or on a shared disk,
    and stay as they are until the last part is sent. Their lines are not checked before they are sent; the wait
    accounts for each of them.

    :param group_id: Id of the group; its tasks are ``create``, ``plan``, ``upload`` and ``wait``.
    :param default_args: Arguments of all its tasks, such as ``mics_conn_id``, ``pool`` or ``retries``. A pool, or
        ``max_active_tis_per_dagrun``, bounds how many parts are under way at the same time.

    Other arguments mean what they mean for ``MicsCreateDocumentImportOperator``, ``MicsPlanPartsOperator``,
    ``MicsUploadFileOperator`` and ``MicsExecutionSensor``.
    """
    with TaskGroup(group_id, default_args=dict(default_args or {})) as group:  # type: ignore[arg-type]  # attrs hides it
        create = MicsCreateDocumentImportOperator(
            task_id="create", document_type=document_type, name=name, mime_type=mime_type
        )
        plan = MicsPlanPartsOperator(task_id="plan", path=path, max_part_bytes=max_part_bytes)
        upload = MicsUploadFileOperator.partial(
            task_id="upload",
            document_import_id=create.output,
            allow_deletions=allow_deletions,
            map_index_template="part {{ task.part.number }} of {{ task.part.of }}",
        ).expand(part=plan.output)
        MicsExecutionSensor(
            task_id="wait",
            document_import_id=create.output,
            execution_ids=upload.output,
            max_rejected=max_rejected,
            max_rejected_ratio=max_rejected_ratio,
            deferrable=deferrable,
            poke_interval=poke_interval,
        )
    return group
