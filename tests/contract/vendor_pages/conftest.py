from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from airflow_provider_mics.hooks.mics import MicsHook
from tests.contract.vendor_pages.vendor import TOKEN, Vendor

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


@pytest.fixture
def hook(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> MicsHook:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    connection = {"conn_type": "mics", "host": vendor.url, "password": TOKEN, "extra": {"datamart_id": "1509"}}
    monkeypatch.setenv("AIRFLOW_CONN_MICS_DEFAULT", json.dumps(connection))
    return MicsHook()
