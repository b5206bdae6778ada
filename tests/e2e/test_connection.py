from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from devel.cluster import LocalAirflow
    from devel.sandbox_process import SandboxProcess


@pytest.mark.parametrize(
    ("password", "datamart_id", "works", "says"),
    [
        (None, None, True, "Connected to datamart"),
        ("api:wrong", None, False, "does not accept the token"),
        (None, "1510", False, "has no right"),
        (None, "", True, "Set datamart_id"),
    ],
)
def test_the_ui_can_test_a_connection(
    airflow: LocalAirflow,
    sandbox: SandboxProcess,
    password: str | None,
    datamart_id: str | None,
    works: bool,
    says: str,
) -> None:
    fields = sandbox.connection
    extra = fields["extra"] | ({} if datamart_id is None else {"datamart_id": datamart_id})

    answered = airflow.api.test_connection(
        "tried", "mics", host=fields["host"], password=password or fields["password"], extra=json.dumps(extra)
    )

    assert answered[0] is works
    assert says in answered[1]


@pytest.mark.parametrize(
    ("secret", "works", "says"),
    [("sandbox-client-secret", True, "MetaX accepts the token"), ("wrong", False, "are not accepted")],
)
def test_the_ui_can_test_a_connection_to_metax(
    airflow: LocalAirflow, sandbox: SandboxProcess, secret: str, works: bool, says: str
) -> None:
    answered = airflow.api.test_connection(
        "tried_metax",
        "metax",
        host=sandbox.url,
        login="sandbox-client",
        password=secret,
        extra=json.dumps({"oauth_url": f"{sandbox.url}/ums/2.0/oauth/"}),
    )

    assert answered[0] is works
    assert says in answered[1]
