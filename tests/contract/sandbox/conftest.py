from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_mics.sandbox import Sandbox
from tests.contract.sandbox.sandbox_client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A stand-in whose time moves only when told to."""
    with Sandbox(clock="manual", start=1609410143.659) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with Client(sandbox) as made:
        yield made
