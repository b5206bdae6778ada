"""Operators for document imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_mics.operators._definition import DefinesDocumentImport

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class MicsCreateDocumentImportOperator(DefinesDocumentImport):
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

    def execute(self, context: Context) -> str:
        """Find or create it."""
        return str(self.obtain_document_import(context).id)
