"""``@task.mics_import``."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pendulum
import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException, TaskDeferred
from airflow.sdk import DAG, task

from airflow_provider_mics.decorators.mics_import import MicsImportDecoratedOperator, mics_import_task
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsInputError, MicsUploadError
from tests.contract.faces.test_waiting import event_of
from tests.contract.rows.conftest import profile, received
from tests.unit.provider.test_operators import SERIALIZER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.faces.conftest import Night

HOW: dict[str, Any] = {"document_type": "USER_PROFILE", "name": "Rows", "poke_interval": 0.05}


class Inner(msgspec.Struct):
    city: str


class Profile(msgspec.Struct):
    user_account_id: str
    user_profile: Inner
    operation: str = "UPSERT"


def made(function: Callable[..., Any], *arguments: Any, **how: Any) -> Any:
    """Return the task that a function becomes."""
    given = {name: value for name, value in how.items() if name in inspect.signature(function).parameters}
    for name in given:
        del how[name]
    with DAG("d", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")):
        return mics_import_task(function, task_id="rows", **(HOW | how))(*arguments, **given).operator


def run(night: Night, function: Callable[..., Any], *arguments: Any, **how: Any) -> Any:
    return made(function, *arguments, **how).execute(night.context | {"ds": "2026-11-23"})


def test_what_a_function_yields_is_loaded(sandbox: Sandbox, night: Night) -> None:
    def profiles() -> Iterator[dict[str, Any]]:
        for number in range(3000):
            yield profile(f"crm-{number}", "Lyon")

    summary = run(night, profiles, max_part_bytes=100_000)

    assert (summary["lines"], summary["accepted"], summary["rejected"]) == (3000, 3000, 0)
    assert summary["parts"] > 3
    assert received(sandbox, summary["execution_ids"]) == [profile(f"crm-{number}", "Lyon") for number in range(3000)]
    assert {part["file"] for part in night.ti.xcoms["mics_parts"]} == {"profiles()"}


def test_structs_lists_and_arguments(sandbox: Sandbox, night: Night) -> None:
    def profiles(city: str, *, ds: str | None = None, count: int = 1) -> list[Any]:
        found: list[Any] = [Profile(f"crm-{number}-{ds}", Inner(city)) for number in range(count)]
        return [*found, profile("crm-x", None)]

    summary = run(night, profiles, "Lyon", count=2)

    assert received(sandbox, summary["execution_ids"]) == [
        {"user_account_id": "crm-0-2026-11-23", "user_profile": {"city": "Lyon"}, "operation": "UPSERT"},
        {"user_account_id": "crm-1-2026-11-23", "user_profile": {"city": "Lyon"}, "operation": "UPSERT"},
        profile("crm-x", None),
    ]


def test_a_deferred_task_does_not_call_the_function_again(sandbox: Sandbox, night: Night) -> None:
    calls = []

    def profiles() -> Iterator[dict[str, Any]]:
        calls.append(1)
        yield profile("crm-1", None)

    with pytest.raises(TaskDeferred) as deferred:
        run(night, profiles, deferrable=True)
    event = event_of(deferred.value)

    # Another process: all that is left of the first are the method's name, the event, and XComs.
    assert deferred.value.method_name == "execute_complete"
    summary = made(profiles, deferrable=True).execute_complete(night.context, event)

    assert (summary["lines"], summary["accepted"]) == (1, 1)
    assert received(sandbox, summary["execution_ids"]) == [profile("crm-1", None)]
    assert calls == [1]
    json.dumps(summary)


@pytest.mark.parametrize("result", [None, [], ()])
def test_nothing_is_nothing_to_load(sandbox: Sandbox, night: Night, result: Any) -> None:
    with pytest.raises(AirflowSkipException):
        run(night, lambda: result)
    assert not sandbox.executions


@pytest.mark.parametrize(("result", "kind"), [({"a": 1}, "dict"), ("text", "str"), (b"x", "bytes"), (5, "int")])
def test_one_thing_is_not_several_lines(sandbox: Sandbox, night: Night, result: Any, kind: str) -> None:
    with pytest.raises(MicsConfigurationError, match=rf"returned one {kind}, not several lines\. Yield each line"):
        run(night, lambda: result)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"operation": "UPSERT", "x": float("nan")}, "row 2 cannot be a line: field x is NaN"),
        (["jean@example.com"], "row 2 is of the type list"),
        (
            profile("crm-2", None) | {"operation": "UPDATE"},
            r"by row \d+, 1 row makes no good USER_PROFILE line; .* Row 2: operation is UPDATE",
        ),
    ],
)
def test_bad_lines_are_named_and_nothing_is_sent(sandbox: Sandbox, night: Night, row: Any, message: str) -> None:
    with pytest.raises(MicsInputError, match=message) as raised:
        run(night, lambda: iter([profile("crm-1", None), row]))
    assert "jean@" not in str(raised.value)
    assert not sandbox.executions


def test_what_the_function_raises_is_raised(sandbox: Sandbox, night: Night) -> None:
    def profiles(error: Exception, before: int) -> Iterator[dict[str, Any]]:
        for number in range(before):
            yield profile(f"crm-{number}", None)
        raise error

    with pytest.raises(AirflowSkipException, match="not today"):
        run(night, profiles, AirflowSkipException("not today"), 10)
    assert not sandbox.executions

    with pytest.raises(KeyError) as raised:
        run(night, profiles, KeyError("x"), 1000, max_part_bytes=10_000)
    assert len(sandbox.executions) > 3
    (note,) = raised.value.__notes__
    assert note == (f"{len(sandbox.executions)} parts before are in, as executions {', '.join(execution_ids(note))}.")
    assert set(execution_ids(note)) == {item.id for item in sandbox.executions}

    with pytest.raises(MicsUploadError, match="row 1001 is of the type NoneType") as late:
        run(
            night,
            lambda: iter([*(profile(f"crm-{number}", None) for number in range(1000)), None]),
            max_part_bytes=10_000,
        )
    assert not late.value.retryable
    assert late.value.execution_ids


def execution_ids(note: str) -> list[str]:
    return note.rpartition("executions ")[2].rstrip(".").split(", ")


def test_the_folder_of_parts_goes_and_the_generator_is_closed(
    sandbox: Sandbox, night: Night, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    closed = []

    def profiles() -> Iterator[dict[str, Any]]:
        try:
            for number in range(1000):
                yield profile(f"crm-{number}", None)
        finally:
            closed.append(1)

    sandbox.faults.plan("status", status=400, kind="create_execution", after=2, when="after_body")
    with pytest.raises(MicsUploadError):
        run(night, profiles, max_part_bytes=10_000)
    assert closed == [1]
    assert list(tmp_path.glob("mics-parts-*")) == []


def test_airflow_knows_it_as_task_mics_import() -> None:
    with DAG("d", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")) as dag:

        @task.mics_import(**HOW, deferrable=True, retries=4)
        def profiles(country: str) -> list[dict[str, Any]]:
            return [profile(country, None)]

        first = profiles("{{ ds }}")
        profiles.expand(country=["FR", "BE"])

    operator = cast("Any", first).operator
    assert isinstance(operator, MicsImportDecoratedOperator)
    assert (operator.task_id, operator.deferrable, operator.retries) == ("profiles", True, 4)
    operator.render_template_fields({"ds": "2026-11-23"})
    assert list(operator.op_args) == ["2026-11-23"]
    assert set(dag.task_ids) == {"profiles", "profiles__1"}
    assert operator.multiple_outputs is False


def test_it_survives_airflow_s_serialisation() -> None:
    def profiles(country: str) -> list[dict[str, Any]]:
        return [profile(country, None)]

    with DAG("d", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")) as dag:
        cast("Any", mics_import_task(profiles, **HOW))("FR")
    stored = json.dumps(SERIALIZER.to_dict(dag))
    assert json.dumps(SERIALIZER.to_dict(dag)) == stored
    assert " object at 0x" not in stored


def test_an_async_function_is_refused_when_the_dag_is_read() -> None:
    async def profiles() -> list[Any]:
        return []

    async def yielding() -> Any:
        yield {}

    for function in (profiles, yielding):
        with pytest.raises(MicsConfigurationError, match=r"\(\) is async"):
            made(function)
