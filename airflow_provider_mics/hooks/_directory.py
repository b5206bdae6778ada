"""The hook's methods for what a datamart and its organisation consist of, and for the user who asks."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from airflow_provider_mics import api
from airflow_provider_mics.api.constants import DEFAULT_PAGE_SIZE
from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.hooks._mics_base import MicsBaseHook

if TYPE_CHECKING:
    from airflow_provider_mics.api.models import (
        ApiToken,
        AudienceSegment,
        Channel,
        Compartment,
        ConnectedUser,
        Datamart,
        Label,
        Page,
        Processing,
    )


class DirectoryMethods(MicsBaseHook):
    """One method for each endpoint of datamarts, segments, compartments, channels, processings, labels, API tokens.

    Lists come page by page: ``first_result`` elements are passed over, at most ``max_results`` are returned.
    """

    def get_datamart(self) -> Datamart:
        """Get the datamart."""
        return self.send(api.directory.datamart(self.datamart_id))

    def get_connected_user(self) -> ConnectedUser:
        """Get the user whose token is used."""
        return self.send(api.directory.connected_user())

    @cached_property
    def organisation_id(self) -> str | None:
        """The organisation, from the connection or else the datamart."""
        if self.connection.organisation_id:
            return self.connection.organisation_id
        found = self.get_datamart().organisation_id
        return None if found is None else str(found)

    def list_audience_segments(
        self, *, first_result: int = 0, max_results: int = DEFAULT_PAGE_SIZE
    ) -> Page[AudienceSegment]:
        """List one page of the datamart's audience segments."""
        organisation_id = self._organisation()
        return self.send(
            api.segments.find(self.datamart_id, organisation_id, first_result=first_result, max_results=max_results)
        )

    def find_audience_segment(self, technical_name: str) -> AudienceSegment | None:
        """Find the datamart's audience segment of exactly this technical name; None: there is none.

        :raises MicsConfigurationError: There are several.
        """
        found = self.run(api.segments.find_by_technical_name(self.datamart_id, self._organisation(), technical_name))
        if len(found) > 1:
            raise MicsConfigurationError(
                f"Audience segments {', '.join(str(item.id) for item in found)} have the same technical name.",
                hint="Name the segment by its id.",
            )
        return found[0] if found else None

    def get_audience_segment(self, segment_id: str) -> AudienceSegment:
        """Get an audience segment."""
        return self.send(api.segments.get(segment_id))

    def list_compartments(
        self, *, default: bool | None = None, first_result: int = 0, max_results: int = DEFAULT_PAGE_SIZE
    ) -> Page[Compartment]:
        """List one page of the datamart's compartments.

        :param default: True: only the one that accounts without a compartment belong to.
        """
        return self.send(
            api.compartments.find(self.datamart_id, default=default, first_result=first_result, max_results=max_results)
        )

    def list_channels(self, *, first_result: int = 0, max_results: int = DEFAULT_PAGE_SIZE) -> Page[Channel]:
        """List one page of the datamart's channels: its sites and applications."""
        return self.send(api.channels.find(self.datamart_id, first_result=first_result, max_results=max_results))

    def list_processings(
        self, *, community_id: str | None = None, first_result: int = 0, max_results: int = DEFAULT_PAGE_SIZE
    ) -> Page[Processing]:
        """List one page of the processings that users consent or object to.

        :param community_id: The organisation at the top of those that share processings; None: the datamart's own.
        """
        community = community_id or self._organisation()
        return self.send(api.processings.find(community, first_result=first_result, max_results=max_results))

    def get_processing(self, processing_id: str) -> Processing:
        """Get a processing."""
        return self.send(api.processings.get(processing_id))

    def list_labels(self, *, first_result: int = 0, max_results: int = DEFAULT_PAGE_SIZE) -> Page[Label]:
        """List one page of the organisation's labels."""
        return self.send(api.labels.find(self._organisation(), first_result=first_result, max_results=max_results))

    def create_label(self, name: str) -> Label:
        """Create a label; a second one if there is one of the same name."""
        return self.send(api.labels.create(self._organisation(), name))

    def label_document_import(self, document_import_id: str, label_id: str) -> None:
        """Put a label on a document import."""
        self.send(api.labels.attach(label_id, document_import_id))

    def unlabel_document_import(self, document_import_id: str, label_id: str) -> None:
        """Take a label off a document import."""
        self.send(api.labels.detach(label_id, document_import_id))

    def list_api_tokens(
        self, *, user_id: str | None = None, first_result: int = 0, max_results: int = DEFAULT_PAGE_SIZE
    ) -> Page[ApiToken]:
        """List one page of a user's API tokens, without their values.

        :param user_id: None: the user whose token is used.
        """
        return self.send(
            api.api_tokens.find(
                self._user(user_id),
                organisation_id=self.connection.organisation_id,
                first_result=first_result,
                max_results=max_results,
            )
        )

    def create_api_token(self, name: str, *, user_id: str | None = None) -> ApiToken:
        """Create an API token. Its value can be read here only, and is masked in logs from then on.

        :param user_id: None: the user whose token is used.
        """
        from airflow.sdk.log import mask_secret

        organisation_id = self.connection.organisation_id
        made = self.send(api.api_tokens.create(self._user(user_id), name, organisation_id=organisation_id))
        if made.value:
            mask_secret(made.value)
        return made

    def revoke_api_token(self, token_id: str, *, user_id: str | None = None) -> None:
        """Revoke an API token for good.

        :param user_id: Whose it is; None: the user whose token is used.
        """
        organisation_id = self.connection.organisation_id
        self.send(api.api_tokens.revoke(self._user(user_id), token_id, organisation_id=organisation_id))

    def _organisation(self) -> str:
        if not self.organisation_id:
            raise MicsConfigurationError(
                f"The datamart names no organisation, and connection {self.mics_conn_id} neither.",
                hint="Set organisation_id in the connection.",
            )
        return self.organisation_id

    def _user(self, user_id: str | None) -> str:
        return user_id or str(self.get_connected_user().id)
