"""A process that sends items, for tests that kill it: ``python sender.py KIND URL TOKEN DATAMART PATH STATE``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from airflow_provider_mics.api.async_client import AsyncMicsClient
from airflow_provider_mics.api.credentials import TokenCredentials
from airflow_provider_mics.api.settings import APISettings
from airflow_provider_mics.bulk.dead_letters import DeadLetters
from airflow_provider_mics.bulk.files import LocalFile
from airflow_provider_mics.bulk.items import kinds
from airflow_provider_mics.bulk.items.send import Sending, Try, send_items
from airflow_provider_mics.bulk.items.source import FilesOfItems
from airflow_provider_mics.bulk.verdict import Limits

CONCURRENCY = 16


class FileStore:
    """Keeps the state of a task in a file."""

    survives = True

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, key: str) -> Any:
        return msgspec.json.decode(self._path.read_bytes()).get(key) if self._path.exists() else None

    def set(self, key: str, value: Any) -> None:
        # Whole or not at all, as in a database.
        written = self._path.with_suffix(".new")
        written.write_bytes(msgspec.json.encode({key: value}))
        written.replace(self._path)


def send(kind: str, url: str, token: str, datamart_id: str, path: str, state: str, *, retry: bool) -> dict[str, Any]:
    def client() -> AsyncMicsClient:
        return AsyncMicsClient(APISettings(base_url=url), TokenCredentials(token), connections=CONCURRENCY)

    aside = f"{state}.dead"
    with DeadLetters(aside, lambda: Path(aside).open("wb")) as dead_letters:
        sending = Sending(
            kind=getattr(kinds, kind)(datamart_id),
            source=FilesOfItems([LocalFile(Path(path))]),
            open_client=client,
            concurrency=CONCURRENCY,
            limits=Limits(),
            dead_letters=dead_letters,
        )
        return send_items(sending, Try(store=FileStore(Path(state)), is_retry=retry))


if __name__ == "__main__":
    send(*sys.argv[1:7], retry=False)
