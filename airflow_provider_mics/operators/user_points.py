"""Operator that erases user points: the right to erasure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.exceptions import MicsConfigurationError, MicsPermissionError
from airflow_provider_mics.operators._items import MicsItemsTask

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_mics.bulk.items.item import ItemKind


class MicsDeleteUserPointsOperator(MicsItemsTask):
    """Erases user points and all that is known of them, for good, one DELETE for each.

    For requests of persons, up to about 1,000; above, the vendor advises bulk imports, here a
    :class:`~airflow_provider_mics.operators.import_files.MicsImportFilesOperator` of USER_POINTS_DELETION lines.

    Items, or lines, are those of USER_POINTS_DELETION imports, each one identifier of a user point:
    ``{"type": "USER_ACCOUNT", "compartment_id": "1201", "user_account_id": "crm-77"}``,
    ``{"type": "USER_EMAIL", "hash": ...}``, ``{"type": "USER_AGENT", "user_agent_id": ...}`` or
    ``{"type": "USER_POINT", "user_point_id": ...}``. ``items`` stay in Airflow's database, among the task's rendered
    templates: who must not leave a trace there is named in a file.

    A user point that is not there counts as ``accepted``: there is nothing left to erase. Other arguments and what it
    returns are described at :class:`~airflow_provider_mics.operators._items.SendsItems`.

    :param allow_deletions: Must be set, as erasing cannot be undone.
    :param mics_conn_id: The Airflow connection.
    :param datamart_id: The datamart; None: the connection's.
    :raises MicsConfigurationError: ``allow_deletions`` is not set.
    :raises MicsNotFoundError: There is no such datamart.
    """

    def __init__(self, *, allow_deletions: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.allow_deletions = allow_deletions

    def item_kind(self) -> ItemKind:
        """Return user points to erase."""
        from airflow_provider_mics.bulk.items.erasures import erasures

        return erasures(self.hook.datamart_id)

    def execute(self, context: Context) -> dict[str, Any]:
        """Erase them."""
        # A template would make a text of False.
        if self.allow_deletions is not True:
            raise MicsConfigurationError(
                "Erasing user points cannot be undone.",
                hint="Set allow_deletions=True if that is what this task is for.",
            )
        try:
            # In a datamart that does not exist every user point would be answered as one that is not there.
            self.hook.get_datamart()
        except MicsPermissionError:
            self.log.info("The datamart itself cannot be read with this token; its users perhaps can.")
        return super().execute(context)
