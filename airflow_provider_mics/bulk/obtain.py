"""Getting the document import of a night: the one that is there, or a new one, and never two."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Final, Literal

from airflow_provider_mics.api import document_imports
from airflow_provider_mics.api.conversation import Pause, pauses
from airflow_provider_mics.api.models import DocumentImport
from airflow_provider_mics.api.repeat import is_outcome_open
from airflow_provider_mics.bulk.delivery import stop_if_lines_count_again
from airflow_provider_mics.bulk.planning import check_document_import
from airflow_provider_mics.exceptions import MicsCallError, MicsConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from airflow_provider_mics.api.conversation import Conversation
    from airflow_provider_mics.bulk.ledger import Ledger

log = logging.getLogger(__name__)

IfExists = Literal["reuse", "create", "fail"]
#: How often a creation is begun in one try of a task, each time after the import was shown absent.
_MAX_CREATIONS: Final = 3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImportDefinition:
    """What a document import shall be; fields as the API has them."""

    document_type: str
    name: str
    mime_type: str
    encoding: str
    priority: str

    def is_of(self, found: DocumentImport) -> bool:
        """Return whether a document import bears this name, and is of this type and format."""
        wanted = (self.name, self.document_type, self.mime_type)
        return (found.name, found.document_type, found.mime_type) == wanted

    def described(self, datamart_id: str, document_import_id: str | None) -> DocumentImport:
        """Return the document import as it will be.

        :param document_import_id: None: there is none yet.
        """
        return DocumentImport(id=document_import_id or "none yet", datamart_id=datamart_id, **dataclasses.asdict(self))


def check_definition(wanted: ImportDefinition, if_exists: str) -> None:
    """Refuse a definition that cannot be right.

    :raises MicsConfigurationError: It cannot.
    """
    check_document_import(wanted.document_type, wanted.mime_type)
    if if_exists not in {"reuse", "create", "fail"}:
        raise MicsConfigurationError(f"if_exists must be reuse, create or fail, not {if_exists!r}.")
    if not wanted.name.strip():
        raise MicsConfigurationError("The document import needs a name.")


def obtain(
    datamart_id: str,
    wanted: ImportDefinition,
    if_exists: IfExists,
    *,
    ledger: Ledger,
    list_lag_s: float,
    now: Callable[[], float],
) -> Conversation[DocumentImport]:
    """Find or create a document import.

    A creation of which nobody knows the outcome, in this try or an earlier one, is looked for by its exact name.

    :param if_exists: What to do if there is one of exactly this name, type and mime type: take it, create another all
        the same, or fail.
    :param list_lag_s: How long the list of document imports may lag behind, in s.
    :raises MicsConfigurationError: The definition cannot be right, or there is one and ``if_exists`` is ``fail``.
    """
    check_definition(wanted, if_exists)
    if ledger.load.document_import_id:
        used: DocumentImport = yield document_imports.get(datamart_id, ledger.load.document_import_id)
        if wanted.is_of(used):
            log.info("Going on with document import %s, %r.", used.id, used.name)
            return used
        why = f"Document import {used.id} is not what this task loads into any more."
        stop_if_lines_count_again(why, used, ledger)
        log.warning("%s This is a new load.", why)
        ledger.begin()
    if ledger.load.names_before is None:
        if ledger.is_blind:
            # An earlier try may have made one just now, and have sent into it.
            yield Pause(list_lag_s)
        named = yield from _find(datamart_id, wanted)
        # Nothing is known of an earlier try: what it made bears the name.
        if named and (if_exists == "reuse" or ledger.is_blind):
            return _use(ledger, named if if_exists == "reuse" else named[-1:], wanted)
        if named and if_exists == "fail":
            raise MicsConfigurationError(
                f"There already is a document import {wanted.name!r}: {named[0].id}.",
                hint='With if_exists="reuse" it would be used, with "create" a second one made.',
            )
        ledger.note(names_before=tuple(str(item.id) for item in named))
        since = None
    else:
        since = now()
    return (yield from _create(datamart_id, wanted, since, ledger=ledger, list_lag_s=list_lag_s, now=now))


def _use(ledger: Ledger, named: list[DocumentImport], wanted: ImportDefinition) -> DocumentImport:
    if len(named) > 1:
        log.warning("%d document imports are named %r; the oldest is used.", len(named), wanted.name)
    log.info("Using document import %s, %r, which is there already.", named[0].id, wanted.name)
    ledger.note(document_import_id=str(named[0].id))
    return named[0]


def _create(
    datamart_id: str,
    wanted: ImportDefinition,
    may_exist_since: float | None,
    *,
    ledger: Ledger,
    list_lag_s: float,
    now: Callable[[], float],
) -> Conversation[DocumentImport]:
    before = ledger.load.names_before or ()
    creations = 0
    while True:
        if may_exist_since is not None:
            until = may_exist_since + list_lag_s
            found = yield from _await_creation(datamart_id, wanted, before, until, now)
            if found:
                # By its name only: another task's may have been made meanwhile, and what it holds is not known.
                log.warning("Document import %s, %r, was made: it was found.", found.id, wanted.name)
                ledger.note(document_import_id=str(found.id))
                return found
        try:
            created: DocumentImport = yield document_imports.create(datamart_id, **dataclasses.asdict(wanted))
        except MicsCallError as error:
            if not is_outcome_open(error):
                ledger.note(names_before=None)
                raise
            creations += 1
            if creations == _MAX_CREATIONS:
                # Another try of the task looks for it.
                raise
            log.warning("The document import may exist or not: it is looked for. %s", error)
            may_exist_since = now()
        else:
            ledger.note(document_import_id=str(created.id), made_import=True)
            log.info("Created document import %s, %r.", created.id, wanted.name)
            return created


def _await_creation(
    datamart_id: str, wanted: ImportDefinition, before: Collection[str], until: float, now: Callable[[], float]
) -> Conversation[DocumentImport | None]:
    for pause in pauses():
        # What appears while the list is on its way is not in it.
        is_complete = now() >= until
        named = yield from _find(datamart_id, wanted)
        if new := [item for item in named if str(item.id) not in before]:
            return new[0]
        if is_complete:
            return None
        yield Pause(max(0.0, min(pause.seconds, until - now())))
    return None


def _find(datamart_id: str, wanted: ImportDefinition) -> Conversation[list[DocumentImport]]:
    return document_imports.find_by_name(
        datamart_id, name=wanted.name, document_type=wanted.document_type, mime_type=wanted.mime_type
    )
