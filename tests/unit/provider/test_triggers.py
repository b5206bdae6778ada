"""What every trigger has in common: Airflow stores it as text, and makes it anew on any triggerer."""

from __future__ import annotations

import importlib
import inspect
import json
from typing import Any

import pytest
from airflow.sdk._shared.secrets_masker import should_hide_value_for_key

from tests.unit.provider.classes import TRIGGER_ARGUMENTS, TRIGGERS

each_trigger = pytest.mark.parametrize("cls", TRIGGERS, ids=lambda cls: cls.__name__)


def test_each_trigger_is_tried_here() -> None:
    assert set(TRIGGER_ARGUMENTS) == set(TRIGGERS)


@each_trigger
def test_it_comes_back_as_it_was_stored(cls: Any) -> None:
    trigger = cls(**TRIGGER_ARGUMENTS[cls])
    path, arguments = trigger.serialize()
    assert arguments == TRIGGER_ARGUMENTS[cls]
    assert type(trigger)(**arguments).serialize() == (path, arguments)
    module, _, name = path.rpartition(".")
    assert getattr(importlib.import_module(module), name) is cls


@each_trigger
def test_all_of_it_is_stored_as_plain_json(cls: Any) -> None:
    arguments = cls(**TRIGGER_ARGUMENTS[cls]).serialize()[1]
    assert json.loads(json.dumps(arguments)) == arguments
    assert set(arguments) == set(inspect.signature(cls).parameters)


@each_trigger
def test_nothing_secret_is_stored(cls: Any) -> None:
    # The trigger asks for the connection itself, by its id.
    assert [name for name in inspect.signature(cls).parameters if should_hide_value_for_key(name)] == []
