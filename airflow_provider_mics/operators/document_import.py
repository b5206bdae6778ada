"""Operators for document imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.api.constants import MimeType, Priority
from airflow_provider_mics.operators._task import MicsTask, name_for_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_mics.bulk.obtain import IfExists


class MicsCreateDocumentImportOperator(MicsTask):
    """Creates the document import of the night, or finds it.

    Returns the document import's id, a str.

    :param document_type: What its lines are, such as ``USER_PROFILE``; see
        :class:`~airflow_provider_mics.api.constants.DocumentType`. Types that are new to this provider pass.
    :param name: Its name.
    :param mime_type: ``APPLICATION_X_NDJSON``, or ``TEXT_CSV`` for ``USER_SEGMENT``.
    :param encoding: Encoding of the lines.
    :param priority: ``LOW``, ``MEDIUM`` or ``HIGH``.
    :param append_night: Whether to add the night to the name, as the vendor recommends: ``... - 2026-11-23``, the date
        of the run's logical date in the Dag's time zone; of a manual run without one, of the time it was asked for.
    :param if_exists: What to do if there is one of exactly this name, type and mime type: ``reuse`` it (so running a
        night again does not make a second one), ``create`` another, or ``fail``.
    :param mics_conn_id: The Airflow connection.
    :param datamart_id: The datamart; None: the connection's.
    :raises MicsConfigurationError: Definition or connection cannot be right, or it exists and must not.
    :raises MicsCallError: A call did not succeed.
    """

    template_fields: Sequence[str] = (
        "mics_conn_id",
        "datamart_id",
        "document_type",
        "name",
        "mime_type",
        "encoding",
        "priority",
    )

    def __init__(
        self,
        *,
        document_type: str,
        name: str,
        mime_type: str = MimeType.NDJSON.value,
        encoding: str = "utf-8",
        priority: str = Priority.MEDIUM.value,
        append_night: bool = True,
        if_exists: IfExists = "reuse",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.document_type = document_type
        self.name = name
        self.mime_type = mime_type
        self.encoding = encoding
        self.priority = priority
        self.append_night = append_night
        self.if_exists: IfExists = if_exists

    def execute(self, context: Context) -> str:
        """Find or create it."""
        from airflow_provider_mics.bulk.obtain import ImportDefinition, obtain

        wanted = ImportDefinition(
            document_type=self.document_type,
            name=name_for_run(self.name, context) if self.append_night else self.name,
            mime_type=self.mime_type,
            encoding=self.encoding,
            priority=self.priority,
        )
        document_import = self.hook.run(obtain(self.hook.datamart_id, wanted, self.if_exists))
        self.link_to(context, str(document_import.id))
        return str(document_import.id)
