"""Sending items one by one in a task. What the items are is for the subclasses."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.operators._task import NO_PATH, MicsTask, ProviderTask

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from airflow.providers.common.compat.sdk import BaseOperatorLink, Context, XComArg

    from airflow_provider_mics.bulk.items.ending import Health
    from airflow_provider_mics.bulk.items.item import ItemKind
    from airflow_provider_mics.bulk.items.source import ItemSource
    from airflow_provider_mics.hooks._base import APIHook
    from airflow_provider_mics.operators._sending import Preflight


class SendsItems(ProviderTask):
    """Base of the operators that send each line with a call of its own.

    Lines are read and checked to the end before anything is sent, and then read once more; memory does not grow with
    their number. Another try of the task goes on where one stopped (Airflow 3.3 and later): what is in is not sent
    again, and what may be in only where that does no harm.

    Returns counts, a dict: ``items``, of which ``accepted`` are in, ``rejected`` are not, ``unknown`` may be, and
    ``invalid`` were not sent; ``dead_letter``, where they were put aside (``path``, ``lines``), or None;
    ``duration_s``.

    :param items: What to send, dicts. They show among the task's rendered templates; a file does not.
    :param path: In place of ``items``, NDJSON files: a path, a pattern or an object-storage URI, or a list of these;
        compressed files too.
    :param concurrency: Calls under way at the same time.
    :param rate_limit: Most calls per second, where that is less than the connection's ``rate_limit``.
    :param preflight: Whether to check each line by the rules of its document type before anything is sent: ``fail`` if
        one is bad; ``dead_letter`` to send the good ones and put the bad ones aside; ``off`` to leave checking to the
        platform.
    :param dead_letter_path: Where items that are not in, or may not be, are put aside, whole, with status and error id,
        as NDJSON: a path or object-storage URI, readable by this user only where the file system can. It holds
        personal data.
    :param max_rejected: Most items that may be rejected or unknown; None: only the ratio counts.
    :param max_rejected_ratio: Most of them as a share of all that could be sent, 0 to 1; None: only the number counts.
    :raises MicsSourceError: A file is missing, cannot be read, or changes meanwhile.
    :raises MicsInputError: A line is bad, and nothing was sent; the message names file, line, field and remedy.
    :raises MicsItemsError: More items than allowed are not in, or may not be; or sending had to stop.
    """

    template_fields: Sequence[str] = (
        "items",
        "path",
        "dead_letter_path",
        "max_rejected",
        "max_rejected_ratio",
    )
    # A path that ends in .json is a file to load, not a template.
    template_ext: Sequence[str] = ()
    #: Through which a kill stops the sending.
    _health: Health | None = None

    def __init__(
        self,
        *,
        items: Sequence[Mapping[str, Any]] | XComArg | None = None,
        path: str | Sequence[str] | XComArg | None = None,
        concurrency: int = 16,
        rate_limit: float | None = None,
        preflight: Preflight = "fail",
        dead_letter_path: str | None = None,
        max_rejected: int | str | None = 0,
        max_rejected_ratio: float | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.items: Any = items
        self.path: Any = path
        self.concurrency = concurrency
        self.rate_limit = rate_limit
        self.preflight: Preflight = preflight
        self.dead_letter_path = dead_letter_path
        self.max_rejected = max_rejected
        self.max_rejected_ratio = max_rejected_ratio

    @abstractmethod
    def item_hook(self) -> APIHook[Any]:
        """Return the hook whose client sends the items."""

    @abstractmethod
    def item_kind(self) -> ItemKind:
        """Return what the items are, and which call sends one."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the items."""
        from airflow_provider_mics.bulk.items.ending import Health
        from airflow_provider_mics.bulk.items.send import Sending, Try, send_items
        from airflow_provider_mics.bulk.verdict import Limits
        from airflow_provider_mics.operators._state import generation, is_retry, state_store

        if self.concurrency < 1:
            raise MicsConfigurationError(f"concurrency must be at least 1, not {self.concurrency}.")
        limits = Limits.of(self.max_rejected, self.max_rejected_ratio)
        hook, kind, source = self.item_hook(), self.item_kind(), self._source()
        attempt = Try(store=state_store(context), generation=generation(context), is_retry=is_retry(context))
        self._health = Health()
        with self._open_dead_letters() as dead_letters:
            sending = Sending(
                kind=kind,
                source=source,
                open_client=lambda: hook.async_client(connections=self.concurrency, rate_limit=self.rate_limit),
                concurrency=self.concurrency,
                limits=limits,
                are_checked=self.preflight != "off",
                skips_bad=self.preflight == "dead_letter",
                dead_letters=dead_letters,
                health=self._health,
            )
            return send_items(sending, attempt)

    def on_kill(self) -> None:
        """Send nothing more; what is under way is waited for, so that it is known."""
        if self._health:
            self._health.end("The task was ended.")

    def _source(self) -> ItemSource:
        from airflow_provider_mics.bulk.items.source import FilesOfItems, RowsOfItems
        from airflow_provider_mics.storage import find_files

        if (self.items is None) == (self.path is None):
            raise MicsConfigurationError("Give either items or path.")
        if self.path is not None:
            return FilesOfItems(find_files(self.path))
        if isinstance(self.items, str | bytes | dict) or not hasattr(self.items, "__iter__"):
            raise MicsConfigurationError(f"items must be a list of dicts, not {type(self.items).__name__}.")
        return RowsOfItems(self.items)

    def _open_dead_letters(self) -> Any:
        import contextlib

        from airflow_provider_mics.bulk.dead_letters import DeadLetters
        from airflow_provider_mics.operators._sending import check_preflight
        from airflow_provider_mics.storage import open_for_writing

        check_preflight(self.preflight, self.dead_letter_path, None, max_part_bytes=1)
        if self.dead_letter_path in NO_PATH:
            return contextlib.nullcontext()
        path = str(self.dead_letter_path)
        return DeadLetters(path, lambda: open_for_writing(path))


class MicsItemsTask(SendsItems, MicsTask):
    """Base of the operators that send items to mediarithmics.

    :param mics_conn_id: The Airflow connection.
    :param datamart_id: The datamart; None: the connection's.
    """

    template_fields: Sequence[str] = ("mics_conn_id", "datamart_id", *SendsItems.template_fields)
    # They belong to no document import.
    operator_extra_links: Collection[BaseOperatorLink] = ()

    def item_hook(self) -> APIHook[Any]:
        """Return the hook of this task."""
        return self.hook
