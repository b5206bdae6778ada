"""``@task.mics_import``: a function makes the lines of a load."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import DecoratedOperator, task_decorator_factory

from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.operators._rows import MicsRowsLoad

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence

    from airflow.providers.common.compat.sdk import Context, TaskDecorator

    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.bulk.block import Block


class _FunctionLoad(MicsRowsLoad):
    """Loads what a function returns.

    :param python_callable: Returns or yields the lines.
    :param op_args: Its positional arguments.
    :param op_kwargs: Its other arguments. It gets of the context what it has parameters for.
    """

    def __init__(
        self,
        *,
        python_callable: Callable[..., Iterable[Any] | None],
        op_args: Collection[Any] = (),
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.python_callable = python_callable
        self.op_args = op_args
        self.op_kwargs = op_kwargs or {}

    @property
    def rows_name(self) -> str:
        """What the rows are called in messages."""
        return f"{self.python_callable.__name__}()"

    def execute(self, context: Context) -> dict[str, Any] | None:
        """Load the rows."""
        from airflow.providers.common.compat.sdk import context_merge, determine_kwargs

        context_merge(context, self.op_kwargs)
        self.op_kwargs = determine_kwargs(self.python_callable, self.op_args, context)
        return super().execute(context)

    def blocks(self, document_import: DocumentImport) -> Generator[Block]:
        """Call the function and make what it yields lines."""
        import msgspec

        rows = self.python_callable(*self.op_args, **self.op_kwargs)
        if rows is None:
            return
        if isinstance(rows, str | bytes | dict | msgspec.Struct) or not hasattr(rows, "__iter__"):
            kind = type(rows).__name__
            raise MicsConfigurationError(
                f"{self.rows_name} returned one {kind}, not several lines.",
                hint="Yield each line as a dict or msgspec.Struct, or return a list of them.",
            )
        yield from self.lines_of(rows, document_import, source=self.rows_name)


class MicsImportDecoratedOperator(DecoratedOperator, _FunctionLoad):
    """The task that ``@task.mics_import`` makes of a function."""

    custom_operator_name = "@task.mics_import"
    template_fields: Sequence[str] = (*_FunctionLoad.template_fields, *DecoratedOperator.template_fields)
    # What a function is given is a value, not the name of a template.
    template_ext: Sequence[str] = ()

    def __init__(
        self,
        *,
        python_callable: Callable[..., Iterable[Any] | None],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if inspect.iscoroutinefunction(python_callable) or inspect.isasyncgenfunction(python_callable):
            raise MicsConfigurationError(
                f"{python_callable.__name__}() is async.", hint="Make it a plain function that yields its lines."
            )
        # Airflow's class keeps them for itself, unless told to hand them on.
        function = {"python_callable": python_callable, "op_args": op_args or (), "op_kwargs": op_kwargs or {}}
        super().__init__(
            python_callable=python_callable,
            op_args=op_args,
            op_kwargs=op_kwargs,
            kwargs_to_upstream=function,
            **kwargs,
        )


def mics_import_task(
    python_callable: Callable[..., Iterable[Any] | None] | None = None,
    multiple_outputs: bool | None = None,
    **kwargs: Any,
) -> TaskDecorator:
    """Make a task of a function that returns or yields the lines of a load, as dicts or msgspec structs.

    The task does the whole load: document import, upload, wait, verdict. What the function yields is sent while it
    runs, and never held as a whole; the task returns the load summary. A deferrable task runs the function once, before
    it waits. A retry runs it again, and does not send the parts again that are as they were (Airflow 3.3 and later).

    :param python_callable: The function.
    :param multiple_outputs: Whether each value of the summary becomes an XCom of its own.
    :param kwargs: Arguments of :class:`~airflow_provider_mics.operators.import_files.MicsImportFilesOperator`, without
        ``path``.
    """
    return task_decorator_factory(
        python_callable=python_callable,
        # Else Airflow takes it from the function's annotation, which is about lines.
        multiple_outputs=bool(multiple_outputs),
        decorated_operator_class=MicsImportDecoratedOperator,
        **kwargs,
    )
