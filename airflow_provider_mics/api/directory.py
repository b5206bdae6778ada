"""Endpoints that tell who is asking and where: connected user, datamarts. Source: the vendor's web UI."""

from __future__ import annotations

from airflow_provider_mics.api.call import Call
from airflow_provider_mics.api.envelope import one
from airflow_provider_mics.api.identifiers import numeric_id
from airflow_provider_mics.api.models import ConnectedUser, Datamart


def connected_user() -> Call[ConnectedUser]:
    """Get the user whose token is used."""
    return Call(
        what="get the user of the API token",
        method="GET",
        path="/v1/connected_user",
        read=one(ConnectedUser),
        repeatable=True,
    )


def datamart(datamart_id: str) -> Call[Datamart]:
    """Get a datamart, which also tells its organisation."""
    return Call(
        what=f"get datamart {datamart_id}",
        method="GET",
        path=f"/v1/datamarts/{numeric_id(datamart_id, 'datamart id')}",
        read=one(Datamart),
        repeatable=True,
    )
