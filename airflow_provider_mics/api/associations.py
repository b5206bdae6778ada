"""The endpoint that declares identifiers to be one person's.

Sources: the vendor's own tests; "User identifiers association" for what a declaration holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_mics.api.call import Call, json_body
from airflow_provider_mics.api.envelope import nothing
from airflow_provider_mics.api.identifiers import numeric_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def post(datamart_id: str, identifiers: Iterable[Mapping[str, Any]]) -> Call[None]:
    """Declare that these identifiers are one user point's; doing so twice does no harm.

    :param identifiers: ``{"type": "USER_ACCOUNT", "user_account_id": ..., "compartment_id": ...}``,
        ``{"type": "USER_EMAIL", "hash": ...}``, ``{"type": "USER_AGENT", "user_agent_id": ...}``; one alone makes a
        user point that has it.
    """
    return Call(
        what=f"declare an association of user identifiers in datamart {datamart_id}",
        method="POST",
        path=f"/v1/datamarts/{numeric_id(datamart_id, 'datamart id')}/user_identifiers_association_declarations",
        read=nothing,
        repeatable=True,
        **json_body({"identifiers": [dict(item) for item in identifiers]}),
    )
