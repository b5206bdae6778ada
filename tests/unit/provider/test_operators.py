"""What every operator and sensor of the provider has in common."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import socket
from typing import TYPE_CHECKING, Any, Final, NoReturn

import airflow.serialization.serialized_objects as serialized
import pendulum
import pytest
from airflow.providers.common.compat.sdk import BaseHook
from airflow.sdk import DAG

from airflow_provider_mics.operators.metax import MetaxPutUserStatsOperator
from tests.unit.provider.classes import HOOKS, OPERATORS, TRIGGER_ARGUMENTS, TRIGGERS, constructor_arguments, required

if TYPE_CHECKING:
    from collections.abc import Callable

#: Called SerializedDAG before Airflow 3.2.
SERIALIZER: Final[Any] = getattr(serialized, "DagSerialization", None) or vars(serialized)["SerializedDAG"]
TEMPLATED: Final = [(cls, name) for cls in OPERATORS for name in cls.template_fields]

each_operator = pytest.mark.parametrize("cls", OPERATORS, ids=lambda cls: cls.__name__)


def dag() -> DAG:
    return DAG("d", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC"))


def make(cls: Any, **arguments: Any) -> Any:
    return cls(task_id="task", **required(cls) | arguments)


def pickled_and_back(task: Any) -> Any:
    return pickle.loads(pickle.dumps(task))  # noqa: S301


def rendered(task: Any) -> dict[str, Any]:
    return {name: getattr(task, name) for name in task.template_fields}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, and no connection to ask for."""

    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail("something outside was asked for")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    for name in ("get_connection", "aget_connection"):
        monkeypatch.setattr(BaseHook, name, refuse)


def test_there_are_operators() -> None:
    assert len(OPERATORS) >= 4


@each_operator
def test_every_argument_is_keyword_only(cls: Any) -> None:
    arguments = constructor_arguments(cls)
    assert arguments
    assert [item.name for item in arguments.values() if item.kind is not inspect.Parameter.KEYWORD_ONLY] == []


@each_operator
def test_connection_and_datamart_are_templates(cls: Any) -> None:
    # MetaX has no datamarts.
    wanted = {"metax_conn_id"} if cls is MetaxPutUserStatsOperator else {"mics_conn_id", "datamart_id"}
    assert wanted <= set(cls.template_fields)
    assert len(set(cls.template_fields)) == len(cls.template_fields)
    # A path such as export.json or query.sql is only read in as a template where that is meant.
    assert set(cls.template_ext) <= {".sql"}


@pytest.mark.parametrize(("cls", "name"), TEMPLATED, ids=[f"{cls.__name__}-{name}" for cls, name in TEMPLATED])
def test_a_template_field_is_kept_as_it_is_given(cls: Any, name: str) -> None:
    assert name in constructor_arguments(cls)
    # Neither a text nor None: anything done with it would fail, or be seen.
    sentinel = object()
    assert getattr(make(cls, **{name: sentinel}), name) is sentinel


@pytest.mark.usefixtures("alone")
@each_operator
def test_making_one_asks_for_nothing(cls: Any) -> None:
    make(cls)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("cls", HOOKS, ids=lambda cls: cls.__name__)
def test_making_a_hook_asks_for_nothing(cls: Any) -> None:
    cls()
    cls(**{cls.conn_name_attr: "no_such_connection"})


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("cls", TRIGGERS, ids=lambda cls: cls.__name__)
def test_making_a_trigger_asks_for_nothing(cls: Any) -> None:
    cls(**TRIGGER_ARGUMENTS[cls]).serialize()


@each_operator
@pytest.mark.parametrize("clone", [copy.deepcopy, pickled_and_back])
def test_it_can_be_copied(cls: Any, clone: Callable[[Any], Any]) -> None:
    task = make(cls)
    other = clone(task)
    assert type(other) is cls
    assert rendered(other) == rendered(task)
    assert other.retries == task.retries


@each_operator
def test_it_survives_airflow_s_serialisation(cls: Any) -> None:
    with dag() as original:
        task = make(cls)
    stored = json.loads(json.dumps(SERIALIZER.to_dict(original)))
    restored = SERIALIZER.from_dict(stored)

    (seen,) = restored.tasks
    assert (seen.task_type, tuple(seen.template_fields)) == (cls.__name__, tuple(cls.template_fields))
    assert {name: getattr(seen, name) for name in required(cls)} == required(cls)
    assert {link.name for link in seen.operator_extra_links} == {link.name for link in task.operator_extra_links}
    # The second time gives the same: no address in memory, nothing in random order.
    assert json.dumps(SERIALIZER.to_dict(original)) == json.dumps(stored)
    assert " object at 0x" not in json.dumps(stored)


@pytest.mark.parametrize(("cls", "name"), TEMPLATED, ids=[f"{cls.__name__}-{name}" for cls, name in TEMPLATED])
def test_it_can_be_mapped_over_each_template_field(cls: Any, name: str) -> None:
    others = {key: value for key, value in required(cls).items() if key != name}
    with dag() as original:
        cls.partial(task_id="task", **others).expand(**{name: ["one", "two"]})
    restored = SERIALIZER.from_dict(json.loads(json.dumps(SERIALIZER.to_dict(original))))

    (seen,) = restored.tasks
    assert (seen.task_type, seen.is_mapped) == (cls.__name__, True)
    made = original.get_task("task").unmap({**others, name: "one"})
    assert (type(made), getattr(made, name)) == (cls, "one")
