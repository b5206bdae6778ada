"""Triggers that :mod:`benchmarks.triggerer` lets Airflow's triggerer run beside this provider's."""

from __future__ import annotations

import asyncio
import contextlib
import cProfile
import gc
import importlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow_provider_mics.api.async_client import AsyncMicsClient

LAG_SAMPLE_S: Final = 0.01
#: So often the probe writes down what it has seen, in s.
TOLD_EACH_S: Final = 1.0
#: Generation of what is looked through in a full collection.
_OLDEST: Final = 2
_IMPORTED: Final = ("airflow_provider_mics.triggers.execution", "airflow_provider_mics.api.async_client")

#: One session for all that ask, in one event loop, open to the end of the process.
_client: asyncio.Future[AsyncMicsClient] | None = None
_open: Final = contextlib.AsyncExitStack()


class Probe(BaseTrigger):
    """Measures the event loop that it runs in: how late short sleeps end, and how many triggers there are.

    :param path: Gets a line of JSON each second.
    :param profile_path: While a file ``<this>.wanted`` exists, the event loop is profiled into this.
    """

    def __init__(self, *, path: str, profile_path: str) -> None:
        super().__init__()
        self.path = path
        self.profile_path = profile_path

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments."""
        return "benchmarks.triggers.Probe", {"path": self.path, "profile_path": self.profile_path}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Measure until cancelled."""
        # What is imported by the first of its kind is no cost of a wait.
        for name in _IMPORTED:
            await asyncio.to_thread(importlib.import_module, name)
        triggers = _running_triggers()
        collections = _Collections()
        gc.callbacks.append(collections)
        profile: cProfile.Profile | None = None
        with Path(self.path).open("a", encoding="utf-8", buffering=1) as told:  # noqa: ASYNC230 - a line a second
            while True:
                lags = []
                ends_at = time.monotonic() + TOLD_EACH_S
                while (before := time.monotonic()) < ends_at:
                    await asyncio.sleep(LAG_SAMPLE_S)
                    lags.append(round(1000 * (time.monotonic() - before - LAG_SAMPLE_S), 2))
                seen = {
                    "at": before,
                    "running": len(triggers),
                    "lags_ms": lags,
                    "gc_ms": collections.take(),
                    "pid": os.getpid(),
                }
                told.write(json.dumps(seen) + "\n")
                profile = self._profiled(profile)
        yield TriggerEvent(None)

    def _profiled(self, profile: cProfile.Profile | None) -> cProfile.Profile | None:
        wanted = Path(f"{self.profile_path}.wanted").exists()
        if wanted and profile is None:
            profile = cProfile.Profile()
            profile.enable()
        elif profile is not None and not wanted:
            profile.disable()
            profile.dump_stats(self.profile_path)
            return None
        return profile


class GetEach(BaseTrigger):
    """Asks for its execution once an interval: what the triggers of dbt Cloud and Airbyte do, over one session."""

    def __init__(self, *, datamart_id: str, document_import_id: str, execution_id: str, poke_interval: float) -> None:
        super().__init__()
        self.arguments = {
            "datamart_id": datamart_id,
            "document_import_id": document_import_id,
            "execution_id": execution_id,
            "poke_interval": poke_interval,
        }

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments."""
        return "benchmarks.triggers.GetEach", self.arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask until it has ended."""
        from airflow_provider_mics.api import executions

        client = await _shared_client()
        ids = [str(self.arguments[name]) for name in ("datamart_id", "document_import_id", "execution_id")]
        while not (await client.send(executions.get(*ids))).is_ended:  # noqa: ASYNC110 - as others do
            await asyncio.sleep(float(self.arguments["poke_interval"]))
        yield TriggerEvent(None)


class _Collections:
    """Times full collections of garbage, in which nothing else of the process runs."""

    def __init__(self) -> None:
        self._begun = 0.0
        self._took_ms: list[float] = []

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if info["generation"] < _OLDEST:
            return
        if phase == "start":
            self._begun = time.monotonic()
        else:
            self._took_ms.append(round(1000 * (time.monotonic() - self._begun), 1))

    def take(self) -> list[float]:
        """Return what they took since the last time, in ms."""
        took, self._took_ms = self._took_ms, []
        return took


async def _shared_client() -> AsyncMicsClient:
    global _client  # noqa: PLW0603 - a triggerer has one event loop
    if _client is None:
        from airflow_provider_mics.hooks.mics import MicsHook

        _client = asyncio.get_running_loop().create_future()
        _client.set_result(await _open.enter_async_context(MicsHook().async_client()))
    return await asyncio.shield(_client)


def _running_triggers() -> dict[int, Any]:
    """Return what the triggerer knows of its triggers. It tells this to nobody."""
    for task in asyncio.all_tasks():
        frame = getattr(task.get_coro(), "cr_frame", None)
        if frame is not None and frame.f_code.co_name == "arun":
            found: dict[int, Any] = frame.f_locals["self"].triggers
            return found
    raise RuntimeError("this is no triggerer")
