"""Thousands of histories of tasks that are killed, retried, cleared and changed, over a platform that fails: nothing is
lost, nothing is in twice, nobody takes what is another's, and what the ledger says is so.

``MICS_HISTORIES=5`` plays five times as many; ``make chaos`` does.
"""

from __future__ import annotations

import logging
import os
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.unit.bulk.load_history import History

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.bulk.load_model import Task

EFFORT = int(os.environ.get("MICS_HISTORIES", "1"))
SEEDS = st.integers(0, 2**32 - 1)
TASKS = st.integers(0, 1)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Not keep what thousands of loads log."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("block", range(6))
def test_whatever_happens_nothing_is_lost_or_in_twice(block: int) -> None:
    for seed in range(block * 1_000_000, block * 1_000_000 + 1000 * EFFORT):
        chance = random.Random(seed)  # noqa: S311 - no secret
        history = History.by_chance(chance)
        try:
            history.play(chance.randint(1, 12))
            history.end()
        except BaseException as error:
            error.add_note(f"The seed is {seed}.")
            raise


class Histories(RuleBasedStateMachine):
    """The same, with steps that hypothesis chooses, and shortens when something goes wrong."""

    history: History

    @initialize(
        seed=SEEDS,
        document_type=st.sampled_from(["USER_ACTIVITY", "USER_PROFILE"]),
        if_exists=st.sampled_from(["reuse", "create"]),
        tasks=st.integers(1, 2),
        survives=st.booleans(),
    )
    def begin(self, *, seed: int, document_type: str, if_exists: str, tasks: int, survives: bool) -> None:
        self.history = History(
            random.Random(seed),  # noqa: S311 - no secret
            document_type=document_type,
            if_exists=if_exists,
            tasks=tasks,
            survives=survives,
        )

    @rule(of=TASKS, seed=SEEDS)
    def try_roughly(self, of: int, seed: int) -> None:
        self.history.chance.seed(seed)
        self.history.try_roughly(self._task(of))

    @rule(of=TASKS)
    def clear(self, of: int) -> None:
        self.history.clear(self._task(of))

    @rule(of=TASKS, seed=SEEDS)
    def change(self, of: int, seed: int) -> None:
        self.history.chance.seed(seed)
        self.history.change(self._task(of))

    @rule(of=TASKS)
    def rename(self, of: int) -> None:
        self.history.rename(self._task(of))

    @rule()
    def pass_time(self) -> None:
        self.history.pass_time()

    @rule()
    def toggle_reading(self) -> None:
        self.history.toggle_reading()

    @rule()
    def cancel_one(self) -> None:
        self.history.platform.cancel_one()

    def teardown(self) -> None:
        if hasattr(self, "history"):
            self.history.end()

    def _task(self, of: int) -> Task:
        return self.history.tasks[of % len(self.history.tasks)]


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=150 * EFFORT, stateful_step_count=12, deadline=None)
