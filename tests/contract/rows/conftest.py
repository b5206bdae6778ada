"""Loads of rows as a worker does them, against the sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.bulk.mapping import Column
from devel.postgres import Postgres, programs
from tests.contract.faces.conftest import night, no_first_wait, sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.sandbox import Sandbox

__all__ = ["night", "no_first_wait", "postgres", "sandbox"]

#: A profile of the table ``people``.
PROFILE: dict[str, Any] = {
    "operation": "UPSERT",
    "compartment_id": "1201",
    "user_account_id": Column("crm_id", type="string", null="fail"),
    "user_profile": {
        "$compartment_id": "1201",
        "$user_account_id": Column("crm_id", type="string"),
        "city": Column("city", type="string"),
    },
}
#: How a load is done, beside where its rows come from.
LOAD: dict[str, Any] = {"task_id": "load", "document_type": "USER_PROFILE", "name": "Rows", "poke_interval": 0.05}


def profile(crm_id: str, city: str | None) -> dict[str, Any]:
    inner = {"$compartment_id": "1201", "$user_account_id": crm_id} | ({"city": city} if city is not None else {})
    return {"operation": "UPSERT", "compartment_id": "1201", "user_account_id": crm_id, "user_profile": inner}


def received(sandbox: Sandbox, execution_ids: list[str]) -> list[dict[str, Any]]:
    """Return what has arrived, in the order of the parts."""
    bodies = [sandbox.received(execution_id).read_bytes() for execution_id in execution_ids]
    assert all(body.endswith(b"\n") for body in bodies)
    return [json.loads(line) for body in bodies for line in body.splitlines()]


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    if reason := programs().reason:
        pytest.skip(reason)
    with Postgres(tmp_path_factory.mktemp("postgres")) as running:
        yield running
