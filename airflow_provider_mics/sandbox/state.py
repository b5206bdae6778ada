"""Document imports and executions, as the stand-in keeps them."""

from __future__ import annotations

import itertools
import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Sequence
    from pathlib import Path

    from airflow_provider_mics.sandbox.lines import Report

#: First ids given; of the size of the vendor's samples.
_FIRST_IMPORT_ID: Final = 36271
_FIRST_EXECUTION_ID: Final = 11597785
DATAFARM_KEY: Final = "DF_EU_2020_02"


@dataclass(slots=True)
class Visibility:
    """From when on lists show something that was created.

    :param created: milliseconds since the epoch.
    :param calls: how many lists that would show it leave it out; None: all, until it is published.
    """

    created: int
    calls: int | None = 0
    published: bool = False

    def shows(self, latest: int) -> bool:
        """Tell whether a list shows it, which counts as a list that would.

        :param latest: what was created after this moment is not shown yet.
        """
        if self.published:
            return True
        if self.created > latest:
            return False
        if self.calls is None or self.calls > 0:
            self.calls = None if self.calls is None else self.calls - 1
            return False
        return True


@dataclass(slots=True)
class DocumentImport:
    """A document import; field names are the vendor's."""

    id: str
    datamart_id: str
    document_type: str
    mime_type: str
    encoding: str
    name: str
    priority: str
    visibility: Visibility = field(repr=False)
    datafarm_key: str = DATAFARM_KEY

    def resource(self) -> dict[str, Any]:
        """Return the resource, in the order of the vendor's samples."""
        return {
            "id": self.id,
            "datafarm_key": self.datafarm_key,
            "datamart_id": self.datamart_id,
            "document_type": self.document_type,
            "mime_type": self.mime_type,
            "encoding": self.encoding,
            "name": self.name,
            "priority": self.priority,
        }


@dataclass(slots=True)
class Pin:
    """A status set by hand, or by CANCEL; ``at`` is the reading of the life cycle's clock then."""

    status: str
    at: int
    message: str | None = None
    cancelled: bool = False


@dataclass(slots=True)
class Execution:
    """One upload under a document import.

    :param path: the bytes received, exactly.
    :param bytes: their count; ``sha256`` their hash, ``lines`` how many lines are not blank.
    :param created: milliseconds since the epoch; ``created_progress`` the same moment on the life cycle's clock.
    :param life_cycle: (status, milliseconds in it) pairs, as set when it was created; the last one stays.
    :param report: what the check of its lines found, once done.
    """

    id: str
    organisation_id: str
    document_import: DocumentImport
    input_file_name: str
    path: Path
    error_path: Path
    bytes: int
    sha256: str
    lines: int
    created: int
    created_progress: int
    life_cycle: Sequence[tuple[str, int]]
    stem: str
    report: concurrent.futures.Future[Report] = field(repr=False)
    visibility: Visibility = field(repr=False)
    pin: Pin | None = None
    override: dict[str, Any] = field(default_factory=dict)

    @property
    def file_uri(self) -> str:
        """URI of the bytes received. The extension is the vendor's, whatever the content is."""
        return f"{self.stem}.json"

    @property
    def error_file_uri(self) -> str:
        """URI of the error file, which exists even without errors."""
        return f"{self.stem}_errors.csv"


class State:
    """Everything that was created, readable from any thread."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._imports: dict[tuple[str, str], DocumentImport] = {}
        self._executions: dict[str, Execution] = {}
        self._by_import: dict[tuple[str, str], list[Execution]] = {}
        self._by_uri: dict[str, Execution] = {}
        self._import_ids = itertools.count(_FIRST_IMPORT_ID)
        self._execution_ids = itertools.count(_FIRST_EXECUTION_ID)
        self._random = random.Random()  # noqa: S311 - names, not secrets

    def new_import_id(self) -> str:
        """Return an id that no import has had."""
        with self.lock:
            return str(next(self._import_ids))

    def new_execution_id(self) -> str:
        """Return an id that no execution has had."""
        with self.lock:
            return str(next(self._execution_ids))

    def raw_file_name(self) -> str:
        """Invent the input file name of a raw body, in the vendor's pattern."""
        return f"requestBody{self._random.randrange(10**18, 2 * 10**19)}asRaw"

    def uri_stem(self, organisation_id: str, document_import: DocumentImport, file_name: str, created: int) -> str:
        """Build the URI of an input file, without extension, in the pattern of the vendor's samples."""
        stamp = datetime.fromtimestamp(created / 1000, UTC).strftime("%Y-%m-%d_%H.%M.%S")
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        salt = "".join(self._random.choices(alphabet, k=10))
        return (
            f"mics://data_file/tenants/{organisation_id}/datamarts/{document_import.datamart_id}"
            f"/document_imports/{document_import.id}/{file_name}-{stamp}-{salt}"
        )

    def put_import(self, document_import: DocumentImport) -> None:
        """Keep an import, new or changed."""
        with self.lock:
            self._imports[document_import.datamart_id, document_import.id] = document_import

    def get_import(self, datamart_id: str, import_id: str) -> DocumentImport | None:
        """Find an import of a datamart."""
        with self.lock:
            return self._imports.get((datamart_id, import_id))

    def delete_import(self, datamart_id: str, import_id: str) -> DocumentImport | None:
        """Take an import out of view; its executions stay known to the stand-in."""
        with self.lock:
            return self._imports.pop((datamart_id, import_id), None)

    def imports(self, datamart_id: str | None = None) -> list[DocumentImport]:
        """Return the imports of a datamart, or all, oldest first."""
        with self.lock:
            return [item for item in self._imports.values() if datamart_id in {None, item.datamart_id}]

    def put_execution(self, execution: Execution) -> None:
        """Keep an execution."""
        with self.lock:
            self._executions[execution.id] = execution
            self._by_import.setdefault(_key(execution.document_import), []).append(execution)
            self._by_uri[execution.file_uri] = self._by_uri[execution.error_file_uri] = execution

    def get_execution(self, execution_id: str) -> Execution | None:
        """Find an execution by its id alone, which is unique over all imports."""
        with self.lock:
            return self._executions.get(execution_id)

    def executions(self, document_import: DocumentImport | None = None) -> list[Execution]:
        """Return the executions of an import, or all, oldest first."""
        with self.lock:
            if document_import is None:
                return list(self._executions.values())
            return list(self._by_import.get(_key(document_import), ()))

    def execution_of_file(self, uri: str) -> Execution | None:
        """Find the execution that an input or error file belongs to."""
        with self.lock:
            return self._by_uri.get(uri)

    def publish(self) -> dict[str, int]:
        """Let lists show everything created so far; returns how many imports and executions were hidden."""
        hidden = {"imports": 0, "executions": 0}
        with self.lock:
            for name, items in (("imports", self._imports), ("executions", self._executions)):
                for item in items.values():
                    hidden[name] += not item.visibility.published
                    item.visibility.published = True
        return hidden

    def clear(self) -> list[Execution]:
        """Forget everything; returns the executions, whose files are the caller's to delete."""
        with self.lock:
            executions = list(self._executions.values())
            self._imports.clear()
            self._executions.clear()
            self._by_import.clear()
            self._by_uri.clear()
        return executions


def _key(document_import: DocumentImport) -> tuple[str, str]:
    return document_import.datamart_id, document_import.id
