"""Operator for MetaX, JunctionTV's metadata exchange."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.operators._items import SendsItems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_mics.bulk.items.item import ItemKind
    from airflow_provider_mics.hooks.metax import MetaxHook


class MetaxPutUserStatsOperator(SendsItems):
    """Puts what subscribers watch and like into MetaX, one PUT for each line.

    An item, or line, has ``subscriber_id``, which goes into the address, and ``favorites`` or ``view_data`` or both, in
    the vendor's form and units: ``view_time`` and ``pause_time`` in s, ``last_played_on`` in ms since 1970. Other
    fields are refused. Lines of one subscriber are sent in their order, one after the other, all others side by side.

    With ``is_delta`` a line adds to what is known: a field that is absent keeps what is there; ``favorites`` replaces
    the list, and ``[]`` erases it; an asset of ``view_data`` keeps the fields that its entry does not have. Whether
    ``play_count`` and ``view_time`` that are sent twice count twice is not public. So a delta that has one of them, and
    whose call ended without an answer that tells, is not sent again, by this try or a later one, but counted as
    ``unknown`` and put aside. Before Airflow 3.3, where a try knows nothing of those before, a retry sends no such
    delta.

    Other arguments and what it returns are described at :class:`~airflow_provider_mics.operators._items.SendsItems`.
    Lines are checked with ``preflight="off"`` too.

    :param is_delta: False: each line takes the place of its subscriber's whole history. Needs ``allow_overwrite``.
    :param allow_overwrite: Whether ``is_delta=False`` may be: what a line does not have is then lost.
    :param metax_conn_id: The Airflow connection, of type ``metax``.
    """

    template_fields: Sequence[str] = ("metax_conn_id", *SendsItems.template_fields)
    ui_color = "#e9e3f4"

    def __init__(
        self,
        *,
        is_delta: bool = True,
        allow_overwrite: bool = False,
        metax_conn_id: str = "metax_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.is_delta = is_delta
        self.allow_overwrite = allow_overwrite
        self.metax_conn_id = metax_conn_id

    @cached_property
    def hook(self) -> MetaxHook:
        """The hook of this task; made when first used, on a worker."""
        from airflow_provider_mics.hooks.metax import MetaxHook

        return MetaxHook(self.metax_conn_id)

    def item_hook(self) -> MetaxHook:
        """Return the hook of this task."""
        return self.hook

    def item_kind(self) -> ItemKind:
        """Return user stats.

        :raises MicsConfigurationError: They would overwrite histories, and it is not said that they may.
        """
        from airflow_provider_mics.bulk.items.metax import user_stats

        if not self.is_delta and not self.allow_overwrite:
            raise MicsConfigurationError(
                "With is_delta=False each line replaces all that MetaX knows of its subscriber; nothing was sent.",
                hint="Set allow_overwrite=True if the lines hold whole histories, or leave is_delta as it is.",
            )
        return user_stats(self.hook.connection.settings.base_url, is_delta=self.is_delta)
