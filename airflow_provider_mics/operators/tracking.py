"""Operators of the real-time API: activities, profiles and choices, sent one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.operators._items import MicsItemsTask

if TYPE_CHECKING:
    from airflow_provider_mics.bulk.items.item import ItemKind


class MicsSendUserActivitiesOperator(MicsItemsTask):
    """Sends user activities, one POST for each.

    For what has just happened, or for up to about 1,000 activities; the vendor advises
    :class:`~airflow_provider_mics.operators.import_files.MicsImportFilesOperator` above. Unlike bulk imports these
    activities go through the processing pipeline: event rules, analyzers, automations.

    An activity counts again each time it is sent. So one whose call ended without an answer that tells is not sent
    again, by this try or a later one, but counted as ``unknown`` and put aside, unless it carries a ``$unique_key``.
    Before Airflow 3.3, where a try knows nothing of those before, a retry sends only activities with one.

    Items, or lines, are those of USER_ACTIVITY imports. Other arguments and what it returns are described at
    :class:`~airflow_provider_mics.operators._items.SendsItems`.

    :param processing_pipeline: False: store activities as they are, past the pipeline, as bulk imports do. None: the
        platform's default.
    :param mics_conn_id: The Airflow connection.
    :param datamart_id: The datamart; None: the connection's.
    """

    def __init__(self, *, processing_pipeline: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.processing_pipeline = processing_pipeline

    def item_kind(self) -> ItemKind:
        """Return activities."""
        from airflow_provider_mics.bulk.items.kinds import activities

        return activities(self.hook.datamart_id, processing_pipeline=self.processing_pipeline)


class MicsUpsertUserProfilesOperator(MicsItemsTask):
    """Creates and updates user profiles, one PUT for each.

    For up to about 1,000 profiles; the vendor advises
    :class:`~airflow_provider_mics.operators.import_files.MicsImportFilesOperator` above.

    Items, or lines, are those of USER_PROFILE imports, without deletions. Each must say which profile it is: by
    ``$compartment_id`` and ``$user_account_id`` in ``user_profile`` or else, unlike in imports, by the line's own
    ``compartment_id`` and ``user_account_id``. Other arguments and what it returns are described at
    :class:`~airflow_provider_mics.operators._items.SendsItems`.

    :param mics_conn_id: The Airflow connection.
    :param datamart_id: The datamart; None: the connection's.
    """

    def item_kind(self) -> ItemKind:
        """Return profiles."""
        from airflow_provider_mics.bulk.items.kinds import profiles

        return profiles(self.hook.datamart_id)


class MicsSetUserChoicesOperator(MicsItemsTask):
    """Records user choices (consents), one PUT for each.

    For up to about 1,000 choices; the vendor advises
    :class:`~airflow_provider_mics.operators.import_files.MicsImportFilesOperator` above.

    Items, or lines, are those of USER_CHOICE imports, without deletions. The call has no counterpart of
    ``force_replace``, which a line must have all the same. Other arguments and what it returns are described at
    :class:`~airflow_provider_mics.operators._items.SendsItems`.

    :param mics_conn_id: The Airflow connection.
    :param datamart_id: The datamart; None: the connection's.
    """

    def item_kind(self) -> ItemKind:
        """Return choices."""
        from airflow_provider_mics.bulk.items.kinds import choices

        return choices(self.hook.datamart_id)
