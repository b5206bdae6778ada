"""A million rows from PostgreSQL, in little memory."""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from devel.postgres import Postgres, as_environment

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox

log = logging.getLogger(__name__)

MEGABYTE = 1024 * 1024
ROWS = 1_000_000

#: Loads a few rows, so that all that is needed is imported and connected, then all of them.
LOADER = """
import json, sys, time, types
import pendulum
from airflow_provider_mics.bulk.mapping import Column, EmailHash, Milliseconds
from airflow_provider_mics.transfers.sql_to_mics import SqlToMicsOperator

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

xcoms = {}
context = {
    "ti": types.SimpleNamespace(
        xcom_push=lambda key, value: xcoms.update({key: value}), xcom_pull=lambda task_ids, key: [xcoms.get(key)]
    ),
    "dag_run": types.SimpleNamespace(logical_date=pendulum.datetime(2026, 11, 23), run_after=None),
    "dag": types.SimpleNamespace(timezone=pendulum.UTC),
}
command = {
    "operation": "UPSERT",
    "compartment_id": "1201",
    "user_account_id": Column("crm_id", type="string", null="fail"),
    "user_profile": {
        "$compartment_id": "1201",
        "$user_account_id": Column("crm_id", type="string"),
        "first_name": Column("first_name", type="string"),
        "city": Column("city", type="string"),
        "visits": Column("visits", type="integer"),
        "spent": Column("spent", type="number"),
        "optin": Column("optin", type="boolean"),
        "email_hash": EmailHash("email", algorithm="sha256", normalization="trim_lower"),
        "updated": Milliseconds("updated_at"),
    },
}

def load(limit):
    return SqlToMicsOperator(
        task_id="load", document_type="USER_PROFILE", name="Rows", conn_id="crm", command=command, poke_interval=0.1,
        sql=f"SELECT * FROM many ORDER BY id LIMIT {limit}",
    ).execute(context)

load(5000)
before = peak()
began = time.monotonic()
summary = load(sys.argv[1])
print(json.dumps(summary | {"growth": peak() - before, "peak": peak(), "seconds": time.monotonic() - began}))
"""


@pytest.fixture
def many(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    postgres.run(
        "DROP TABLE IF EXISTS many",
        """CREATE UNLOGGED TABLE many AS SELECT n AS id, 'crm-' || n AS crm_id, 'Jeanne' AS first_name,
            CASE WHEN n % 5 <> 0 THEN 'Ville ' || n % 1000 END AS city, n % 97 AS visits,
            (n % 10007)::numeric / 100 AS spent, n % 2 = 0 AS optin, ' User.' || n || '@Example.com' AS email,
            '2026-11-23T00:00:00Z'::timestamptz + n * interval '1 millisecond' AS updated_at
            FROM generate_series(1, 1000000) n""",
        "ALTER TABLE many ADD PRIMARY KEY (id)",
    )
    monkeypatch.setenv("AIRFLOW_CONN_CRM", as_environment(postgres.connection))
    return postgres


def expected(number: int) -> dict[str, Any]:
    return {
        "operation": "UPSERT",
        "compartment_id": "1201",
        "user_account_id": f"crm-{number}",
        "user_profile": {
            "$compartment_id": "1201",
            "$user_account_id": f"crm-{number}",
            "first_name": "Jeanne",
            **({"city": f"Ville {number % 1000}"} if number % 5 else {}),
            "visits": number % 97,
            "spent": number % 10007 / 100,
            "optin": number % 2 == 0,
            "email_hash": hashlib.sha256(b"user.%d@example.com" % number).hexdigest(),
            "updated": 1_795_392_000_000 + number,
        },
    }


@pytest.mark.large
@pytest.mark.usefixtures("many")
def test_a_million_rows_of_postgresql_in_little_memory(sandbox: Sandbox) -> None:
    sandbox.settings.check_lines = False

    done = subprocess.run([sys.executable, "-c", LOADER, str(ROWS)], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr[-3000:]
    summary = json.loads(done.stdout.splitlines()[-1])

    log.info("%(seconds).1f s, %(bytes)d bytes, peak %(peak)d bytes, grown by %(growth)d", summary)
    assert (summary["lines"], summary["accepted"], summary["rejected"]) == (ROWS, ROWS, 0)
    number = size = 0
    for execution_id in summary["execution_ids"]:
        with sandbox.received(execution_id).open("rb") as body:
            for line in body:
                number += 1
                size += len(line)
                # Every line by its place, one in a hundred as a whole.
                assert line.startswith(
                    b'{"operation":"UPSERT","compartment_id":"1201","user_account_id":"crm-%d",' % number
                )
                if number % 101 == 0:
                    assert json.loads(line) == expected(number)
    assert (number, size) == (ROWS, summary["bytes"])
    assert summary["growth"] < 96 * MEGABYTE
