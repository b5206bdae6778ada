"""Operators for document imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.exceptions import MicsConfigurationError, MicsNotFoundError
from airflow_provider_mics.operators._definition import DefinesDocumentImport
from airflow_provider_mics.operators._task import MicsTask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.providers.common.compat.sdk import Context, XComArg

#: What can be changed: what a document import is created with ("Bulk processing").
_FIELDS: Final = ("document_type", "name", "mime_type", "encoding", "priority")


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
        from airflow_provider_mics.operators._ledger import open_ledger

        wanted = self.definition(context)
        return str(self.obtain_document_import(context, wanted, open_ledger(context, self.hook)).id)


class MicsUpdateDocumentImportOperator(MicsTask):
    """Changes fields of a document import; those that are not given keep their values.

    The platform replaces the document import by what it is sent, so it is read first, and what somebody else changes
    in that moment is lost. Executions that are there already are not touched.

    Returns the document import as it then is, a dict of the API's fields.

    :param document_import_id: The document import, usually ``create.output``.
    :param document_type: What its lines are; None: as it is.
    :param name: Its name; None: as it is.
    :param mime_type: ``APPLICATION_X_NDJSON``, or ``TEXT_CSV`` for ``USER_SEGMENT``; None: as it is.
    :param encoding: Encoding of the lines; None: as it is.
    :param priority: ``LOW``, ``MEDIUM`` or ``HIGH``; None: as it is.
    :param mics_conn_id: The Airflow connection.
    :param datamart_id: The datamart; None: the connection's.
    :raises MicsConfigurationError: Nothing is to be changed, or what it would be cannot be right.
    :raises MicsNotFoundError: There is no such document import.
    :raises MicsCallError: Another call did not succeed.
    """

    template_fields: Sequence[str] = ("mics_conn_id", "datamart_id", "document_import_id", *_FIELDS)

    def __init__(
        self,
        *,
        document_import_id: str | XComArg,
        document_type: str | None = None,
        name: str | None = None,
        mime_type: str | None = None,
        encoding: str | None = None,
        priority: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.document_import_id: Any = document_import_id
        self.document_type = document_type
        self.name = name
        self.mime_type = mime_type
        self.encoding = encoding
        self.priority = priority

    def execute(self, context: Context) -> dict[str, Any]:
        """Read it, and put it back with the fields changed."""
        import msgspec

        from airflow_provider_mics.bulk.planning import check_document_import

        given = {name: value for name in _FIELDS if (value := getattr(self, name)) is not None}
        if not given:
            raise MicsConfigurationError(f"Nothing is to be changed: none of {', '.join(_FIELDS)} is given.")
        if not given.get("name", "a name").strip():
            raise MicsConfigurationError("The document import needs a name.")
        self.link_to(context, self.document_import_id)
        present = self.hook.get_document_import(self.document_import_id)
        fields = {name: getattr(present, name) for name in _FIELDS if getattr(present, name) is not None} | given
        check_document_import(fields["document_type"], fields["mime_type"])
        changed = self.hook.update_document_import(self.document_import_id, fields)
        self.log.info("Changed %s of document import %s", ", ".join(given), self.document_import_id)
        updated: dict[str, Any] = msgspec.to_builtins(changed)
        return updated


class MicsDeleteDocumentImportOperator(MicsTask):
    """Removes a document import from view. What its executions have loaded stays.

    Returns None.

    :param document_import_id: The document import, usually ``create.output``.
    :param mics_conn_id: The Airflow connection.
    :param datamart_id: The datamart; None: the connection's.
    :raises MicsNotFoundError: There is no such document import.
    :raises MicsCallError: Another call did not succeed.
    """

    template_fields: Sequence[str] = ("mics_conn_id", "datamart_id", "document_import_id")
    # There is nothing left to lead to.
    operator_extra_links = ()

    def __init__(self, *, document_import_id: str | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.document_import_id: Any = document_import_id

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Delete it."""
        present = self.hook.get_document_import(self.document_import_id)
        try:
            self.hook.delete_document_import(self.document_import_id)
        except MicsNotFoundError:
            # It was there a moment ago: an attempt whose answer was lost has done it, or somebody else.
            self.log.info("Document import %s has gone meanwhile", self.document_import_id)
        else:
            self.log.info("Deleted document import %s (%s)", self.document_import_id, present.name)
