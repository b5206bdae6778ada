"""The hook's methods for people: activities, profiles, choices, user points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_mics import api
from airflow_provider_mics.api.constants import DEFAULT_PAGE_SIZE
from airflow_provider_mics.hooks._mics_base import MicsBaseHook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.api.models import Page
    from airflow_provider_mics.api.selectors import UserPointSelector

T = TypeVar("T")


class UserMethods(MicsBaseHook):
    """One method for each endpoint of user activities, profiles, choices and user points.

    ``selector`` is a :class:`~airflow_provider_mics.api.selectors.UserPointSelector`, such as
    ``UserPointSelector(email_hash="3f2a...")``. Profiles, choices, activities and identifiers are dicts as the API has
    them, since datamarts add fields of their own. Where a user point has no such data, or does not exist, lists are
    empty and deletions return False.
    """

    def send_user_activity(
        self,
        activity: Mapping[str, Any],
        *,
        processing_pipeline: bool | None = None,
        asynchronous: bool | None = None,
    ) -> None:
        """Import one user activity. In doubt it is sent again only if it has a ``$unique_key``.

        :param processing_pipeline: False: store it as it is, past event rules and activity analyzers.
        :param asynchronous: False: have the answer wait until it is stored.
        """
        self.send(
            api.user_activities.post(
                self.datamart_id, activity, processing_pipeline=processing_pipeline, asynchronous=asynchronous
            )
        )

    def list_user_activities(
        self,
        selector: UserPointSelector,
        *,
        filters: str | None = None,
        first_result: int = 0,
        max_results: int = DEFAULT_PAGE_SIZE,
    ) -> Page[dict[str, Any]]:
        """List one page of a user point's activities.

        :param filters: Such as ``$type==TOUCH|EMAIL,start_ts==1605262037783``: a comma for "and", a bar for "or".
        """
        datamart_id = self.datamart_id
        call = api.user_activities.find(
            datamart_id, selector, filters=filters, first_result=first_result, max_results=max_results
        )
        return self.run(api.absence.unless_absent(call, api.models.Page(items=()), datamart_id=datamart_id))

    def delete_user_activities(self, selector: UserPointSelector, *, filters: str | None) -> bool:
        """Delete a user point's activities for good. Return whether there were any.

        :param filters: Which, as for :meth:`list_user_activities`; None: all of them.
        """
        return self._deleted(api.user_activities.delete(self.datamart_id, selector, filters=filters))

    def upsert_user_profile(
        self,
        selector: UserPointSelector,
        profile: Mapping[str, Any],
        *,
        compartment_id: str,
        user_account_id: str | None = None,
        force_replace: bool | None = None,
        merge_objects: bool | None = None,
    ) -> None:
        """Create or update a user profile.

        :param selector: Whose.
        :param compartment_id: With ``user_account_id``, which one; they may differ from the selector's.
        :param user_account_id: None: the compartment's profile without an account.
        :param force_replace: True: replace it as a whole. Otherwise fields that are not given stay.
        :param merge_objects: True: merge objects of the same name in depth. Otherwise the new takes the old's place.
        """
        self.send(
            api.user_profiles.put(
                self.datamart_id,
                selector,
                profile,
                compartment_id=compartment_id,
                user_account_id=user_account_id,
                force_replace=force_replace,
                merge_objects=merge_objects,
            )
        )

    def list_user_profiles(
        self, selector: UserPointSelector, *, compartment_id: str | None = None
    ) -> list[dict[str, Any]]:
        """List the profiles of a user point.

        :param compartment_id: Those of this compartment only.
        """
        return self._listed(api.user_profiles.find(self.datamart_id, selector, compartment_id=compartment_id))

    def get_user_profile(
        self, selector: UserPointSelector, *, compartment_id: str, user_account_id: str
    ) -> dict[str, Any] | None:
        """Get one profile of a user point; None: there is none."""
        datamart_id = self.datamart_id
        call = api.user_profiles.get(
            datamart_id, selector, compartment_id=compartment_id, user_account_id=user_account_id
        )
        return self.run(api.absence.unless_absent(call, None, datamart_id=datamart_id))

    def delete_user_profile(
        self, selector: UserPointSelector, *, compartment_id: str, user_account_id: str | None = None
    ) -> bool:
        """Delete one profile of a user point. Return whether there was one.

        :param user_account_id: None: the compartment's profile without an account.
        """
        return self._deleted(
            api.user_profiles.delete(
                self.datamart_id, selector, compartment_id=compartment_id, user_account_id=user_account_id
            )
        )

    def set_user_choice(self, selector: UserPointSelector, processing_id: str, choice: Mapping[str, Any]) -> None:
        """Create or update a user's choice on a processing.

        :param choice: ``{"$choice_ts": 1605262037783, "$choice_acceptance_value": True}``, and fields of your own.
        """
        self.send(api.user_choices.put(self.datamart_id, selector, processing_id, choice))

    def list_user_choices(
        self, selector: UserPointSelector, *, processing_id: str | None = None
    ) -> list[dict[str, Any]]:
        """List the choices of a user point.

        :param processing_id: Those on this processing only.
        """
        return self._listed(api.user_choices.find(self.datamart_id, selector, processing_id=processing_id))

    def list_user_choice_history(self, selector: UserPointSelector, processing_id: str) -> list[dict[str, Any]]:
        """List what a user point's choice on a processing has been."""
        return self._listed(api.user_choices.history(self.datamart_id, selector, processing_id))

    def delete_user_choice(self, selector: UserPointSelector, processing_id: str) -> bool:
        """Delete a user point's choice on a processing. Return whether there was one."""
        return self._deleted(api.user_choices.delete(self.datamart_id, selector, processing_id))

    def list_user_identifiers(self, selector: UserPointSelector) -> list[dict[str, Any]]:
        """List the identifiers of a user point: items of several kinds, told apart by ``type``."""
        return self._listed(api.user_points.identifiers(self.datamart_id, selector))

    def list_user_segments(self, selector: UserPointSelector) -> list[dict[str, Any]]:
        """List the segments that a user point is in, each with ``segment_id`` and, where it ends, when."""
        return self._listed(api.user_points.segments(self.datamart_id, selector))

    def delete_user_point(self, selector: UserPointSelector) -> bool:
        """Erase a user point and all that is known of it, for good. Return whether there was one."""
        return self._deleted(api.user_points.delete(self.datamart_id, selector))

    def declare_identifiers_association(self, identifiers: Iterable[Mapping[str, Any]]) -> None:
        """Declare that these identifiers are one user point's.

        :param identifiers: ``{"type": "USER_ACCOUNT", "user_account_id": ..., "compartment_id": ...}``,
            ``{"type": "USER_EMAIL", "hash": ...}``, ``{"type": "USER_AGENT", "user_agent_id": ...}``.
        """
        self.send(api.associations.post(self.datamart_id, identifiers))

    def _listed(self, call: Call[list[T]]) -> list[T]:
        return self.run(api.absence.unless_absent(call, [], datamart_id=self.datamart_id))

    def _deleted(self, call: Call[None]) -> bool:
        return self.run(api.absence.unless_absent(call, False, datamart_id=self.datamart_id)) is not False
